"""Putting a proposal off: it leaves one person's own list for a while, and nobody else's."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from approvals.commands.claiming import lock_for_person, why_not_decide
from approvals.commands.refusing import expired, kept
from approvals.models import Snooze
from approvals.states import SnoozeFor
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

_SPANS: Final[Mapping[SnoozeFor, timedelta]] = {
    SnoozeFor.QUARTER: timedelta(minutes=15),
    SnoozeFor.HOUR: timedelta(hours=1),
    SnoozeFor.AFTERNOON: timedelta(hours=4),
    SnoozeFor.DAY: timedelta(days=1),
}
_BEFORE_DEADLINE: Final = timedelta(minutes=15)


@command
def snooze(*, actor: Actor, proposal_id: UUID, for_how_long: SnoozeFor) -> datetime:
    """Put a proposal off; returns until when.

    It comes back a quarter of an hour before its deadline at the latest, or after half of the time
    that is left if that is less; and at once when it changes, or when it is this person's turn for
    another reason.

    Raises:
        VoteByMachine, VoteByPrincipal, VoteNotEligible, AlreadyVoted, AlreadyDecided: it is not
            this person's turn.
        ProposalExpired: the time was over; the expiry is kept.
    """
    desk = lock_for_person(actor, proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), datetime)
    refusal = why_not_decide(desk, actor)
    if refusal is not None:
        return kept(refusal, datetime)
    left = desk.window.deadline(at=at) - at
    until = at + min(_SPANS[for_how_long], left - min(_BEFORE_DEADLINE, left / 2))
    row = Snooze(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        person_id=UUID(actor.id),
        at=at,
        until=until,
        row_version=desk.row.row_version,
    )
    Snooze.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["tenant_id", "person", "proposal"],
        update_fields=["at", "until", "row_version"],
    )
    return until


@command
def wake(*, actor: Actor, proposal_id: UUID) -> None:
    """Take what one put off back onto one's list."""
    desk = lock_for_person(actor, proposal_id)
    at = clock.now()
    mine = Snooze.objects.filter(proposal=desk.row, person_id=UUID(actor.id), until__gt=at)
    mine.update(until=at)
