"""Laying the moments at which pulse looks at a proposal, in the transaction that moves its clock.

The rows follow the clock and never lead it: they are computed from the window, so a stop, a release
or an extension dates them anew, and a row that is wrong costs a look and decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards import Requirement
from approvals.models import Freeze, Proposal, Timer
from approvals.states import DECIDABLE, ProposalState, TimerKind
from console.kernel import clock

_DEADLINES = frozenset({TimerKind.DECIDE, TimerKind.EXECUTE})


def lay(row: Proposal, requirement: Requirement, freezes: Iterable[Freeze] = ()) -> None:
    """Let the timers of a locked or new proposal agree with its clock; part of a command."""
    wanted = _wanted(row, requirement, freezes)
    known = list(Timer.objects.filter(proposal=row))
    mine = {
        (TimerKind(timer.kind), timer.step): timer
        for timer in known
        if timer.clock_no == row.clock_no
    }
    changed = [timer for timer in known if _date(timer, _due(timer, row, wanted))]
    missing = {key: due for key, due in wanted.items() if key not in mine}
    for key in _had_already(missing, known, row):
        del missing[key]
    for due, ids in _by_moment(changed).items():
        Timer.objects.filter(pk__in=ids).update(due_at=due, lease_until=None, done_at=None)
    Timer.objects.bulk_create(
        Timer(
            tenant_id=row.tenant_id,
            proposal=row,
            kind=kind.value,
            step=step,
            clock_no=row.clock_no,
            due_at=due,
        )
        for (kind, step), due in missing.items()
    )


def _wanted(row: Proposal, requirement: Requirement, freezes: Iterable[Freeze]) -> policies.Moments:
    window = policies.Window(
        opened_at=row.window_opened_at,
        length_s=row.window_s,
        freezes=tuple(freeze.card() for freeze in freezes),
    )
    state = ProposalState(row.state)
    if row.plan_id is not None and state in DECIDABLE:
        return {}  # one change of a plan waits as long as the plan does
    return policies.moments(state, window, requirement.ladder, row.execute_by)


def _due(timer: Timer, row: Proposal, wanted: policies.Moments) -> datetime | None:
    if timer.clock_no != row.clock_no:
        return None
    return wanted.get((TimerKind(timer.kind), timer.step))


def _date(timer: Timer, due: datetime | None) -> bool:
    """Give a timer its moment; says whether that changed it. What a rung did stays done."""
    if timer.done_at is not None and (TimerKind(timer.kind) not in _DEADLINES or due is None):
        return False
    if timer.due_at == due and timer.done_at is None:
        return False
    timer.due_at, timer.lease_until, timer.done_at = due, None, None
    return True


def _by_moment(changed: Iterable[Timer]) -> Mapping[datetime | None, list[UUID]]:
    """Return which timers are due when: nearly always none of them any more, so one statement."""
    found: dict[datetime | None, list[UUID]] = defaultdict(list)
    for timer in changed:
        found[timer.due_at].append(timer.id)
    return found


def _had_already(
    missing: policies.Moments, known: list[Timer], row: Proposal
) -> list[tuple[TimerKind, int]]:
    """Return the rungs that were climbed in this window before an extension moved them.

    One that lies ahead again is climbed again; a rung that was missed is still due.
    """
    climbed = {
        (TimerKind(timer.kind), timer.step)
        for timer in known
        if timer.clock_no != row.clock_no
        and timer.done_at is not None
        and timer.done_at >= row.window_opened_at
    } - {(kind, 0) for kind in _DEADLINES}
    again = climbed & set(missing)
    if not again:
        return []
    at = clock.now()
    return [key for key in again if (due := missing[key]) is None or due <= at]
