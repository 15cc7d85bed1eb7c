"""Climbing the ladder of a proposal that nobody decides, and finding the way out of dead ends."""

from datetime import datetime
from typing import Final
from uuid import UUID

from approvals import policies
from approvals.commands.desk import Desk, lock, must_lock
from approvals.events import ProposalReminded
from approvals.queries.dead_ends import wrongly_flagged
from approvals.states import DECIDABLE, ProposalState, TimerKind
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

MOST_DEAD_ENDS: Final = 500  # in one transaction; the look after the commit takes the rest


def begin(*, actor: Actor, proposal_id: UUID) -> Desk:
    """Start the clock of a proposal that was inserted in this transaction."""
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    desk.lay_timers()
    check(desk, at=clock.now())
    return desk


def climb(desk: Desk, kind: TimerKind, step: int, *, at: datetime) -> None:
    """Do what the ladder says at one of its rungs.

    A rung that would ask nobody who is not asked already is a reminder.
    """
    rung = policies.rungs(desk.requirement.ladder).get((kind, step))
    if rung is None or desk.state is not ProposalState.OPEN:
        return
    if rung.act == "widen" and widen(desk, rung.groups, at=at):
        return
    record(
        ProposalReminded(
            proposal_id=desk.row.id,
            share=rung.at,
            decide_by=desk.row.decide_by.isoformat(),
        ),
        actor=desk.actor,
    )


def widen(desk: Desk, groups: tuple[str, ...], *, at: datetime) -> bool:
    """Ask further groups as well, as many people as before; says whether that asks anybody new."""
    more = policies.widened(desk.requirement, groups)
    if more == desk.requirement:
        return False
    desk.ask(more, cause="widened", at=at)
    desk.save()
    return True


def check(desk: Desk, *, at: datetime) -> None:
    """Flag a dead end or clear the flag; where the ladder names more groups, ask them at once."""
    if desk.state not in DECIDABLE or desk.check_fillable(at=at):
        return
    groups = [group for rung in desk.requirement.ladder for group in rung.groups]
    widen(desk, tuple(groups), at=at)


@command
def check_dead_ends(*, actor: Actor) -> int:
    """Flag the tenant's proposals that nobody can complete any more, and clear what opened again.

    It skips what somebody is at work on, so that who changes people waits for nobody; a second
    look after the commit finds it. Returns how many it looked at.
    """
    looked = 0
    for proposal_id in wrongly_flagged(actor=actor, limit=MOST_DEAD_ENDS):
        desk = lock(actor=actor, proposal_id=proposal_id, skip_locked=True)
        if desk is None:
            continue
        looked += 1
        at = clock.now()
        if not desk.settle_clock(at=at):
            check(desk, at=at)
    return looked
