"""Who may decide in the place of whom: looking at it, naming somebody, ending it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.cards import ProposalDetail
from approvals.cards.delegating import DelegationCard
from approvals.forms import NothingForm
from approvals.forms.delegating import DelegateForm
from approvals.policies.delegating import MOST_DAYS, STEPUP_S, has_own_right, lent_for
from console.accounts import queries as people
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_DAYS: Final = (1, 2, 3, 7, MOST_DAYS)


@requires(Permission.APPROVALS_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """List who stands in for whom; a POST names who stands in for the sender."""
    if request.method != "POST":
        read(NothingForm, request.GET)
        return _list(request, None)
    try:
        values = read(DelegateForm, request.POST)
        card = commands.delegate(
            actor=actor_of(request),
            person_id=values["person"],
            group=values["group"],
            until=clock.now() + timedelta(days=values["days"]),
            reason=values["reason"],
        )
    except ConsoleError as refusal:
        return _list(request, refusal)
    until = f"{card.until:%Y-%m-%d %H:%M} UTC"
    messages.success(
        request, f"{card.to_person} may decide in your place until {until}.", extra_tags="clear"
    )
    return redirect("approvals:delegations")


@requires(Permission.APPROVALS_VIEW)
@require_POST
def end_delegation(request: HttpRequest, delegation_id: UUID) -> HttpResponse:
    """End one before its time; a refusal shows the list as it is now."""
    read(NothingForm, request.POST)
    try:
        card = commands.end_delegation(actor=actor_of(request), delegation_id=delegation_id)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _list(request, refusal)
    messages.success(
        request,
        f"{card.to_person} does not stand in for {card.from_person} any more.",
        extra_tags="clear",
    )
    return redirect("approvals:delegations")


def capacity_of(found: ProposalDetail, *, typed: str) -> Mapping[str, Any] | None:
    """Return what the vote bar says of a place that was lent to the reader; None without one.

    Args:
        typed: whose place was chosen before a refusal.
    """
    voter = found.voter
    lent = lent_for(voter, found.requirement) if voter else None
    if voter is None or lent is None:
        return None
    return {
        "lent": lent,
        "own": has_own_right(voter, found.requirement),
        "chosen": typed == str(lent.person_id),
    }


def _is_of(card: DelegationCard, person_id: str) -> bool:
    return person_id in {str(card.from_id), str(card.to_id)}


def _list(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    actor = actor_of(request)
    cards = queries.delegations(actor=actor)
    votes = actor.is_person and actor.has(Permission.APPROVALS_VOTE)
    wrong: Mapping[str, Any] = refusal.details.get("fields", {}) if refusal else {}  # type: ignore[assignment]
    context = {
        "live": [card for card in cards if card.live],
        "over": [card for card in cards if not card.live],
        "reader": actor.id,
        "people": queries.possible_stand_ins(actor=actor) if votes else (),
        "groups": sorted(actor.groups) if votes else (),
        "may_make": votes,
        "end_refusal": next(
            (one.may_end.refusal for one in cards if one.may_end is not None and not one.may_end),
            "",
        ),
        "taken": next((card for card in cards if card.live and _is_of(card, actor.id)), None),
        "days": _DAYS,
        "is_fresh": people.fresh_for(actor=actor) <= STEPUP_S,
        "refusal": refusal,
        "wrong": wrong,
        "typed": request.POST.dict() if refusal else {},
    }
    response = show(
        request, "approvals/delegations.html", context, status=refusal.status if refusal else 200
    )
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response
