"""Refusing who comes too late: who settled it, and how what was noticed on the way is kept."""

from datetime import datetime
from typing import TypeVar, cast

from approvals.commands.desk import Desk
from approvals.errors import ProposalExpired
from approvals.models import Decision
from approvals.queries.deciders import deciders_of
from approvals.states import DECIDABLE
from console.kernel.errors import ConsoleError

R = TypeVar("R")


def settled_by(desk: Desk) -> str:
    """Return who settled the proposal and when, as a sentence; "" while nobody has."""
    if desk.state in DECIDABLE:
        return ""
    decision = (
        Decision.objects.filter(proposal=desk.row, voided_at__isnull=True)
        .order_by("-decided_at")
        .first()
    )
    if decision is None:
        return f"This proposal was {desk.state.value} at {clock_text(desk.row.moved_at)}."
    who = " and ".join(deciders_of(decision)) or "a rule"
    return f"This was {decision.outcome} by {who} at {clock_text(decision.decided_at)}."


def clock_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def expired() -> ProposalExpired:
    return ProposalExpired("The time for this is over and nothing ran; ask for a new proposal.")


def kept(refusal: ConsoleError, _as: type[R]) -> R:
    """Return a refusal that `@command` raises after the commit: what was noticed is kept."""
    return cast("R", refusal)
