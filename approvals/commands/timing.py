"""Stops and questions that hold the clock, and the moments that pulse looks at."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db.models import Q

from approvals import policies
from approvals.commands import laddering, steps
from approvals.commands.desk import Desk, lock, must_lock
from approvals.events import ProposalFrozen, ProposalThawed
from approvals.models import Freeze, Timer
from approvals.states import LIVE, TimerKind
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

log = structlog.get_logger(__name__)

LEASE_S: Final = 15  # for one round of at most so many, a few milliseconds each
_MOST_AT_ONCE: Final = 200
_RUNGS: Final = frozenset({TimerKind.REMIND.value, TimerKind.WIDEN.value})


@command
def freeze(*, actor: Actor, proposal_ids: Iterable[UUID], cause: str, since: datetime) -> int:
    """Let the decide clock of live proposals stand still, from `since` on; returns how many.

    Args:
        cause: what holds them, in words that a reviewer understands; the same for `thaw`. With
            `policies.QUESTION` approving stays possible, and the clock runs on by itself once
            questions have held this window for half an hour in all.
        since: when the stop was engaged; a sweep that comes later costs nobody time.
    """
    return sum(
        _freeze(must_lock(actor=actor, proposal_id=each), cause, since)
        for each in steps.in_lock_order(proposal_ids)
    )


@command
def thaw(*, actor: Actor, proposal_ids: Iterable[UUID], cause: str) -> int:
    """End one cause to stand still; after the last one the remaining time is back."""
    return sum(
        _thaw(must_lock(actor=actor, proposal_id=each), cause)
        for each in steps.in_lock_order(proposal_ids)
    )


def settle_due(*, actor: Actor) -> int:
    """Look at every proposal of the tenant whose moment has come; returns how many it changed.

    One transaction for each, so that one that is locked or broken holds up no other.
    """
    acted = 0
    for timer_id in lease_due(actor=actor):
        try:
            acted += look(actor=actor, timer_id=timer_id)
        except Exception as error:
            # Its lease ends, and it is looked at again; the clock is settled without pulse, too.
            log.exception("timer.failed", timer=str(timer_id), error=type(error).__name__)
    return acted


@command
def lease_due(*, actor: Actor) -> tuple[UUID, ...]:
    """Take the due timers that nobody else looks at, longest overdue first."""
    at = clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    due = Timer.objects.select_for_update(skip_locked=True).filter(
        free, tenant_id=actor.tenant_id, done_at__isnull=True, due_at__lte=at
    )
    taken = tuple(row.pk for row in due.order_by("due_at", "id")[:_MOST_AT_ONCE])
    Timer.objects.filter(pk__in=taken).update(lease_until=clock.later(at, seconds=LEASE_S))
    return taken


@command
def look(*, actor: Actor, timer_id: UUID) -> int:
    """Settle the clock of a timer's proposal and climb its rung.

    Returns 1 if that changed the proposal, 0 if not; a reminder changes nothing.

    Doing it again changes nothing: what is done is marked under the proposal's lock.
    """
    timer = Timer.objects.get(pk=timer_id)
    desk = lock(actor=actor, proposal_id=timer.proposal_id, skip_locked=True)
    if desk is None:
        # Somebody is at work on it, and settles its clock; the rung waits for the next round.
        Timer.objects.filter(pk=timer_id).update(lease_until=None)
        return 0
    at = clock.now()
    before = desk.row.row_version
    desk.settle_clock(at=at)
    timer.refresh_from_db()
    if timer.kind not in _RUNGS:
        desk.lay_timers()  # the clock is settled; a row that it has not moved was wrong
    elif timer.done_at is None and timer.due_at is not None and timer.due_at <= at:
        laddering.climb(desk, TimerKind(timer.kind), timer.step, at=at)
        timer.done_at = at
        timer.save(update_fields=["done_at"])
    return int(desk.row.row_version != before)


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
    if cause == policies.QUESTION:
        return _pause(desk, at)
    if desk.state not in LIVE or cause in desk.window.causes:
        return 0
    _add(desk, cause, since=min(since, at), until=None)
    # Only now: time that passed between the stop and this sweep does not count.
    desk.settle_clock(at=at)
    desk.lay_timers()
    return 1


def _pause(desk: Desk, at: datetime) -> int:
    """Hold the clock for a question, which says from the start when that ends at the latest."""
    desk.settle_clock(at=at)  # a question saves nothing that is over
    left_s = desk.window.question_left_s()
    if desk.state not in LIVE or not left_s or desk.window.still_until(at=at):
        return 0
    _add(desk, policies.QUESTION, since=at, until=clock.later(at, seconds=left_s))
    desk.date_deadline(at=at)
    desk.save()
    return 1


def _add(desk: Desk, cause: str, *, since: datetime, until: datetime | None) -> None:
    row = Freeze.objects.create(
        tenant_id=desk.row.tenant_id, proposal=desk.row, cause=cause, since=since, until=until
    )
    desk.freezes.append(row)
    record(
        ProposalFrozen(
            proposal_id=desk.row.id,
            cause=cause,
            since=row.since.isoformat(),
            until=until.isoformat() if until else "",
        ),
        actor=desk.actor,
    )


def _thaw(desk: Desk, cause: str) -> int:
    at = clock.now()
    held = [one for one in desk.freezes if one.cause == cause]
    row = next((one for one in held if one.until is None or one.until > at), None)
    if row is None:
        return 0
    desk.settle_clock(at=at)
    row.until = at
    row.save(update_fields=["until"])
    if desk.state in LIVE and not desk.window.causes:
        desk.date_deadline(at=at)
    desk.save()
    record(
        ProposalThawed(
            proposal_id=desk.row.id, cause=cause, decide_by=desk.row.decide_by.isoformat()
        ),
        actor=desk.actor,
    )
    return 1
