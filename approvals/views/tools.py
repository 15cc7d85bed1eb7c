"""The tools that agents which run elsewhere may name."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.cards import ToolChange
from approvals.commands.gating import REGISTER, RETIRE
from approvals.forms import NothingForm, ToolForm
from approvals.states import ProposalState
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires, show

_TIERS: Final = (
    ("2", "2: high-stakes, two people"),
    ("1", "1: low-risk, one person; two reviewers agree to that first"),
)


@requires("policies.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def tools(request: HttpRequest) -> HttpResponse:
    """List the tools; a POST registers one."""
    if request.method != "POST":
        return _page(request, None)
    try:
        values = read(ToolForm, request.POST)
        values["tier"] = int(values["tier"])
        made = commands.add_external_tool(actor=actor_of(request), **values)
    except ConsoleError as refusal:
        return _page(request, refusal)
    if made.tool is not None:
        said = f"External agents may ask for {made.tool.name} now."
        messages.success(request, said, extra_tags="clear")
    _say_who_is_asked(request, made)
    return redirect("approvals:tools")


@requires("policies.manage")
@require_POST
def retire_tool(request: HttpRequest, tool_id: UUID) -> HttpResponse:
    """Ask two people whether a tool ends for good."""
    read(NothingForm, request.POST)
    done = commands.retire_external_tool(actor=actor_of(request), tool_id=tool_id)
    if done.waiting is None:
        waited = "1 proposal was" if done.withdrawn == 1 else f"{done.withdrawn} proposals were"
        messages.success(request, f"Retired; {waited} withdrawn.", extra_tags="clear")
    _say_who_is_asked(request, done)
    return redirect("approvals:tools")


def _say_who_is_asked(request: HttpRequest, change: ToolChange) -> None:
    if change.waiting is None:
        return
    if change.waiting.state is ProposalState.BLOCKED:
        said = "People were asked for the same within the last day and rejected it."
        messages.error(request, f"Nobody is asked again. {said}")
    else:
        said = "Two reviewers are asked now; it counts when they agree."
        messages.info(request, said, extra_tags="clear")


def _page(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    wrong: Any = refusal.details.get("fields", {}) if refusal else {}
    actor = actor_of(request)
    waiting = queries.gate_waiting(actor=actor, tools=(REGISTER, RETIRE))
    cards = queries.external_tools(actor=actor)
    context = {
        "waiting": waiting,
        "asked_about": {card.subject.id for card in waiting},
        "offered": [card for card in cards if card.retired_at is None],
        "retired": [card for card in cards if card.retired_at is not None],
        "tiers": _TIERS,
        "refusal": refusal,
        "wrong": wrong,
        "typed": request.POST.dict() if refusal else {},
    }
    status = refusal.status if refusal else 200
    response = show(request, "approvals/tools.html", context, status=status)
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response
