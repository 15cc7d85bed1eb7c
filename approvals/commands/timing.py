"""Stops that hold the clock, and deadlines that nobody met."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from approvals.commands.desk import Desk, lock, must_lock
from approvals.events import ProposalFrozen, ProposalThawed
from approvals.models import Freeze
from approvals.queries.queue import due_proposals
from approvals.states import LIVE
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

_MOST_AT_ONCE: Final = 200


@command
def freeze(*, actor: Actor, proposal_ids: Iterable[UUID], cause: str, since: datetime) -> int:
    """Let the decide clock of live proposals stand still, from `since` on; returns how many.

    Args:
        cause: what holds them, in words that a reviewer understands; the same for `thaw`.
        since: when the stop was engaged; a sweep that comes later costs nobody time.
    """
    return sum(
        _freeze(must_lock(actor=actor, proposal_id=each), cause, since)
        for each in sorted(set(proposal_ids))
    )


@command
def thaw(*, actor: Actor, proposal_ids: Iterable[UUID], cause: str) -> int:
    """End one cause to stand still; after the last one the remaining time is back."""
    return sum(
        _thaw(must_lock(actor=actor, proposal_id=each), cause) for each in sorted(set(proposal_ids))
    )


def settle_due(*, actor: Actor) -> int:
    """Let every deadline of the tenant that has passed take effect; returns how many did.

    One transaction for each, so that one that is locked or broken holds up no other.
    """
    due = due_proposals(actor=actor, limit=_MOST_AT_ONCE)
    return sum(settle(actor=actor, proposal_id=each) for each in due)


@command
def settle(*, actor: Actor, proposal_id: UUID) -> int:
    """Let the deadline of one proposal take effect, unless somebody is at work on it."""
    desk = lock(actor=actor, proposal_id=proposal_id, skip_locked=True)
    if desk is None:
        return 0
    before = desk.row.row_version
    desk.settle_clock(at=clock.now())
    return int(desk.row.row_version != before)


def _freeze(desk: Desk, cause: str, since: datetime) -> int:
    at = clock.now()
    if desk.state not in LIVE or cause in desk.window.causes:
        return 0
    row = Freeze.objects.create(
        tenant_id=desk.row.tenant_id, proposal=desk.row, cause=cause, since=min(since, at)
    )
    desk.freezes.append(row)
    record(
        ProposalFrozen(proposal_id=desk.row.id, cause=cause, since=row.since.isoformat()),
        actor=desk.actor,
    )
    # Only now: time that passed between the stop and this sweep does not count.
    desk.settle_clock(at=at)
    return 1


def _thaw(desk: Desk, cause: str) -> int:
    at = clock.now()
    row = next((one for one in desk.freezes if one.cause == cause and one.until is None), None)
    if row is None:
        return 0
    desk.settle_clock(at=at)
    row.until = at
    row.save(update_fields=["until"])
    if desk.state in LIVE and not desk.window.causes:
        desk.row.decide_by = desk.window.deadline(at=at)
    desk.save()
    record(
        ProposalThawed(
            proposal_id=desk.row.id, cause=cause, decide_by=desk.row.decide_by.isoformat()
        ),
        actor=desk.actor,
    )
    return 1
