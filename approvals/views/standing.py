"""Standing approvals: giving one after an approval, looking at them, ending one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, policies, queries
from approvals.cards import ProposalDetail, StandingBase, StandingCard, StandingTerms
from approvals.errors import StandingInvalid
from approvals.forms.standing import RevokeStandingForm, StandingForm, StandingsForm
from approvals.states import Choice, ProposalState, StandingState
from approvals.views.foreseen import (
    Row,
    conditions_of,
    free_of,
    in_words,
    rows_of,
    typed_into,
    with_error,
)
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show
from console.kernel.rest.pages import read_cursor, write_cursor
from console.kernel.templatetags.signs import STATES

PER_PAGE: Final = 50
_CURSOR: Final = (datetime, UUID)
_AGREED: Final = frozenset({ProposalState.APPROVED, ProposalState.DISPATCHED})
_SIGNALS: Final[Mapping[StandingState, tuple[str, str]]] = {
    StandingState.SPEAKS: ("clear", "In force"),
    StandingState.USED_UP: ("quiet", "Used up"),
    StandingState.ENDED: ("quiet", "Ended"),
    StandingState.REVOKED: ("stop", "Revoked"),
    StandingState.SILENT: ("caution", "Silent"),
}
_TYPED: Final = ("uses", "days", "reason")
_USUAL: Final = {"uses": "10", "days": "7", "reason": ""}


@requires("")
@require_http_methods(["GET", "HEAD"])
def standings(request: HttpRequest) -> HttpResponse:
    """List what speaks, and then what is over."""
    return _list(request, None, None)


@requires("")
@require_http_methods(["GET", "HEAD", "POST"])
def make_standing(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show what an approval in advance would cover; a POST gives it."""
    base = queries.standing_base(actor=actor_of(request), proposal_id=proposal_id)
    rows = rows_of(base)
    if request.method != "POST":
        return _form(request, base, rows, None)
    sent = {name: request.POST.getlist(name) for name in ("path", "op", "value")}
    rows = typed_into(rows, sent)
    try:
        values = read(StandingForm, request.POST)
        if len(sent["path"]) != len(rows):  # none may be left out that somebody typed
            raise StandingInvalid("The conditions came incomplete; load the page again.")
        commands.make_standing(
            actor=actor_of(request),
            proposal_id=proposal_id,
            revision_no=values["revision_no"],
            seen_digest=values["seen_digest"],
            terms=StandingTerms(
                conditions=conditions_of(rows),
                free=free_of(rows),
                uses=values["uses"],
                days=values["days"],
            ),
            reason=values["reason"],
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _form(request, base, rows, refusal)
    messages.success(request, "Requests like this run without asking you.", extra_tags="clear")
    return redirect("approvals:standing")


@requires("")
@require_POST
def revoke_standing(request: HttpRequest, standing_id: UUID) -> HttpResponse:
    """End one; a refusal shows the list again with what was typed."""
    try:
        reason = read(RevokeStandingForm, request.POST)["reason"]
        commands.revoke_standing(actor=actor_of(request), standing_id=standing_id, reason=reason)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _list(request, standing_id, refusal)
    messages.success(
        request, "Revoked; requests like that are for people again.", extra_tags="clear"
    )
    return redirect("approvals:standing")


def ahead_of(found: ProposalDetail) -> dict[str, Any] | None:
    """Return what the page of a proposal says of approving more like it, to who approved it."""
    vote = found.my_vote
    if vote is None or vote.choice is not Choice.APPROVE or found.card.state not in _AGREED:
        return None
    if found.card.tier > policies.MOST_TIER:
        return None
    if vote.in_place_of:
        return None  # it is given in one's own name only
    try:
        policies.require_standing_allowed(found.card.tier, found.requirement)
    except ConsoleError as refusal:
        return {"refusal": refusal.message}
    return {"refusal": ""}


# -- parts -----------------------------------------------------------------------------------------


def _form(
    request: HttpRequest, base: StandingBase, rows: list[Row], refusal: ConsoleError | None
) -> HttpResponse:
    fields: Any = refusal.details.get("fields", {}) if refusal else {}
    if isinstance(refusal, StandingInvalid):
        rows = with_error(rows, refusal)
    context = {
        "base": base,
        "arguments": [row for row in rows if row.path.startswith("/args") and row.label],
        "target": [row for row in rows if row.path.startswith("/target") and row.label],
        "more": [row for row in rows if not row.label],
        "typed": {name: request.POST.get(name, _USUAL[name]) for name in _TYPED},
        "refusal": refusal,
        "wrong": {name: [said] if isinstance(said, str) else said for name, said in fields.items()},
        "most_uses": policies.MOST_USES,
        "most_days": policies.MOST_DAYS,
    }
    return _answer(request, "approvals/standing_form.html", context, refusal)


def _list(request: HttpRequest, tried: UUID | None, refusal: ConsoleError | None) -> HttpResponse:
    actor = actor_of(request)
    asked = read(StandingsForm, request.GET)
    if asked["one"]:
        cards = (queries.standing_approval(actor=actor, standing_id=asked["one"]),)
        context: dict[str, Any] = {"one": True, "speaking": [_line(card) for card in cards]}
    else:
        speaking = queries.standing_approvals(actor=actor, speaking=True, limit=500)
        over = queries.standing_approvals(
            actor=actor,
            speaking=False,
            before=read_cursor(asked["after"], _CURSOR) if asked["after"] else None,
            limit=PER_PAGE + 1,
        )
        last = over[PER_PAGE - 1] if over[PER_PAGE:] else None
        older = write_cursor((last.made_at, last.id), _CURSOR) if last else ""
        context = {
            "speaking": [_line(card) for card in speaking],
            "over": [_line(card) for card in over[:PER_PAGE]],
            "older_url": f"?after={older}" if older else "",
            "newer_url": reverse("approvals:standing") if asked["after"] else "",
        }
    context |= {"refusal": refusal, "tried": tried, "typed": request.POST.get("reason", "")}
    return _answer(request, "approvals/standing_list.html", context, refusal)


def _line(card: StandingCard) -> dict[str, Any]:
    signal, word = _SIGNALS[card.state]
    return {
        "card": card,
        "signal": signal,
        "word": word,
        "says": in_words(card.conditions, card.free),
        "dom_id": f"standing-{card.id}",
        "uses": [
            {
                "use": use,
                "signal": STATES.get(use.state.value, "quiet"),
                "word": use.state.value.capitalize(),
            }
            for use in card.last_uses
        ],
    }


def _answer(
    request: HttpRequest, template: str, context: dict[str, Any], refusal: ConsoleError | None
) -> HttpResponse:
    response = show(request, template, context, status=refusal.status if refusal else 200)
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response
