"""Breaking glass on the page of a proposal, and lending the right to it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.errors import CheckRevealed
from approvals.forms import NothingForm
from approvals.forms.reviewing import BreakGlassForm, LendForm
from approvals.policies.breaking import MOST_GRANT_MINUTES
from approvals.views import pages
from console.accounts import queries as accounts
from console.accounts.states import Permission
from console.kernel.errors import BadInput, ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_MINUTES: Final = (15, 30, MOST_GRANT_MINUTES)


@requires("")
@require_POST
def use_break_glass(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Decide in place of everybody who is asked; a refusal shows the page with what was typed."""
    try:
        values = read(BreakGlassForm, request.POST)
        sure, guard = values.pop("sure"), values.pop("guard")
        if not sure or guard:
            raise BadInput("Nothing was recorded; tick that you are sure of it.", fields={})
        commands.break_glass(actor=actor_of(request), proposal_id=proposal_id, **values)
    except NotFound:
        raise
    except CheckRevealed:
        return redirect("approvals:detail", proposal_id)  # its page says what it was
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def break_glass_grants(request: HttpRequest) -> HttpResponse:
    """List to whom the right was lent; a POST lends it."""
    if request.method != "POST":
        read(NothingForm, request.GET)
        return _grants(request, None)
    try:
        values = read(LendForm, request.POST)
        card = commands.lend_break_glass(
            actor=actor_of(request),
            person_id=values["person"],
            minutes=values["minutes"],
            reason=values["reason"],
        )
    except ConsoleError as refusal:
        return _grants(request, refusal)
    until = f"{card.expires_at:%H:%M} UTC"
    messages.success(request, f"{card.person} may break glass until {until}.", extra_tags="clear")
    return redirect("approvals:break-glass")


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def revoke_break_glass(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Take the right away before its time; a refusal shows the list as it is now."""
    read(NothingForm, request.POST)
    try:
        card = commands.revoke_break_glass(actor=actor_of(request), grant_id=grant_id)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _grants(request, refusal)
    messages.success(request, f"{card.person} may not break glass any more.", extra_tags="clear")
    return redirect("approvals:break-glass")


def _grants(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    actor = actor_of(request)
    cards = queries.break_glass_grants(actor=actor)
    wrong: Mapping[str, Any] = refusal.details.get("fields", {}) if refusal else {}  # type: ignore[assignment]
    context = {
        "live": [card for card in cards if card.live],
        "over": [card for card in cards if not card.live],
        "people": [
            one for one in accounts.people(actor=actor) if one.active and str(one.id) != actor.id
        ],
        "minutes": _MINUTES,
        "refusal": refusal,
        "wrong": wrong,
        "typed": request.POST.dict() if refusal else {},
    }
    response = show(
        request, "approvals/break_glass_grants.html", context,
        status=refusal.status if refusal else 200,
    )  # fmt: skip
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response
