"""The tools that agents which run elsewhere may name."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.forms import NothingForm, ToolForm
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires, show

_TIERS: Final = (("2", "2: high-stakes, two people"), ("1", "1: low-risk, one person"))


@requires("policies.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def tools(request: HttpRequest) -> HttpResponse:
    """List the tools; a POST registers one."""
    if request.method != "POST":
        return _page(request, None)
    try:
        values = read(ToolForm, request.POST)
        values["tier"] = int(values["tier"])
        card = commands.add_external_tool(actor=actor_of(request), **values)
    except ConsoleError as refusal:
        return _page(request, refusal)
    messages.success(request, f"External agents may ask for {card.name} now.", extra_tags="clear")
    return redirect("approvals:tools")


@requires("policies.manage")
@require_POST
def retire_tool(request: HttpRequest, tool_id: UUID) -> HttpResponse:
    """End a tool for good."""
    read(NothingForm, request.POST)
    gone = commands.retire_external_tool(actor=actor_of(request), tool_id=tool_id)
    waited = "1 proposal was" if gone == 1 else f"{gone} proposals were"
    messages.success(request, f"Retired; {waited} withdrawn.", extra_tags="clear")
    return redirect("approvals:tools")


def _page(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    cards = queries.external_tools(actor=actor_of(request))
    wrong: Any = refusal.details.get("fields", {}) if refusal else {}
    context = {
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
