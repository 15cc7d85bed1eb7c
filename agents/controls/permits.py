"""The one question: may this happen, or does a switch stand against it?

Guarded, it is part of the transaction that makes an effect possible: it takes the stop lock in
shared mode and then, *in a separate statement*, reads the epoch. A stop takes the lock alone, so
it waits for guarded work that began before, and no guarded work that begins later can miss it.
Lock and epoch in one statement would break this: the statement's snapshot predates the wait for
the lock.

Cached, the answer may rest on state that is up to a second old; without a database for five
seconds it is no.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from agents.controls import policies
from agents.controls.cards import Answer, Engaged, Fields
from agents.controls.errors import (
    HostStopped,
    Stopped,
    StopStateUnavailable,
    StopSubjectIncomplete,
)
from agents.controls.models import Switch
from agents.controls.states import EPOCH_ROW, STOP_LOCK, Category, Point
from console.kernel import clock, tenancy
from console.kernel.errors import ConsoleError

FRESH_S: Final = 1.0  # a cached answer never rests on older state while PostgreSQL answers
READ_LIMIT_MS: Final = "300"  # a cached check does not wait longer for it
STOP_FILE_S: Final = 0.25
# A guarded transaction holds up every stop, so it may neither linger nor run long.
IDLE_LIMIT_MS: Final = "2000"
STATEMENT_LIMIT_MS: Final = "5000"

# CLOCK_BOOTTIME goes on while the machine sleeps: a process that wakes up must not trust its old
# state.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The standing switches of one tenant, as this process last saw them."""

    epoch: int
    switches: tuple[Engaged, ...]
    loaded_at: float  # when `switches` were read; their ages count from here
    checked_at: float  # when `epoch` was last seen to be the newest, from before that read


_states: dict[UUID, _State] = {}
_stop_file: tuple[float, Answer | None] = (float("-inf"), None)


def permitted(point: Point, fields: Fields, *, guard: bool) -> Answer:
    """Say whether `point` may be passed now; it never raises.

    Args:
        guard: True in the transaction that makes the effect possible, before anything else in it:
        no
            matching effect is then admitted after a stop commits. False elsewhere: up to a second
            old.
    """
    if host := _host_stop():
        return host
    try:
        state = _guarded(fields.tenant) if guard else _cached(fields.tenant)
    except Error:
        state = None
    if state is None:
        return Answer(
            allowed=False,
            code="stop.state_unavailable",
            sentence="Nothing was started: the stop switches cannot be read; try again soon.",
        )
    read_s = max(0, int(_boot() - state.loaded_at))
    return policies.answer(point, fields, state.switches, epoch=state.epoch, read_s=read_s)


_REFUSALS: Final[dict[str, type[ConsoleError]]] = {
    "stop.active": Stopped,
    "stop.host": HostStopped,
    "stop.subject_incomplete": StopSubjectIncomplete,
    "stop.state_unavailable": StopStateUnavailable,
}


def require_permitted(point: Point, fields: Fields, *, guard: bool) -> Answer:
    """Return the answer if it is yes.

    Raises:
        Stopped: a switch stands against it; `details` hold switch_id, reason, category and epoch.
        StopStateUnavailable: the state of the switches cannot be read.
        HostStopped: the stop file of this machine is there.
        StopSubjectIncomplete: a field that the point declares was left empty.
    """
    answer = permitted(point, fields, guard=guard)
    if answer.allowed:
        return answer
    raise _REFUSALS[answer.code](
        answer.sentence,
        switch_id=str(answer.switch_id) if answer.switch_id else None,
        category=answer.category.value if answer.category else None,
        reason=answer.reason,
        epoch=answer.epoch,
        point=point.value,
    )


def note_epoch(epoch: int) -> None:
    """Forget what this process read under an older epoch, so that its next check reads anew."""
    for tenant_id, state in tuple(_states.items()):
        if state.epoch < epoch:
            _states.pop(tenant_id, None)


def forget() -> None:
    """Drop everything that was read; a forked child starts with this."""
    global _stop_file  # noqa: PLW0603 - one value per process
    _states.clear()
    _stop_file = (float("-inf"), None)


os.register_at_fork(after_in_child=forget)


def current_epoch() -> int:
    """Read the newest epoch in a statement of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT epoch FROM controls_epoch WHERE id = %s", [EPOCH_ROW])
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _guarded(tenant_id: UUID) -> _State:
    if tenancy.current() != tenant_id:
        raise RuntimeError("A guarded check belongs into the transaction of its tenant.")
    started = _boot()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true),"
            " set_config('statement_timeout', %s, true), pg_advisory_xact_lock_shared(%s)",
            [IDLE_LIMIT_MS, STATEMENT_LIMIT_MS, STOP_LOCK],
        )
    return _refreshed(tenant_id, started)


def _cached(tenant_id: UUID) -> _State | None:
    known = _states.get(tenant_id)
    started = _boot()
    if known is not None and started - known.checked_at <= FRESH_S:
        return known
    try:
        with _reading(tenant_id):
            return _refreshed(tenant_id, started)
    except Error:
        if known is not None and started - known.checked_at <= settings.SWITCH_STALE_S:
            return known
        return None


@contextmanager
def _reading(tenant_id: UUID) -> Iterator[None]:
    """Join the tenant's open transaction, or open one that is not allowed to take long."""
    if tenancy.current() is not None:
        yield
        return
    with tenancy.scope(tenant_id, read_only=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [READ_LIMIT_MS])
        yield


def _refreshed(tenant_id: UUID, started: float) -> _State:
    """Read the epoch, and the switches again if it moved."""
    epoch = current_epoch()
    known = _states.get(tenant_id)
    if known is not None and known.epoch == epoch:
        state = replace(known, checked_at=started)
    else:
        state = _State(
            epoch=epoch, switches=_standing(tenant_id), loaded_at=started, checked_at=started
        )
    _states[tenant_id] = state
    return state


def _standing(tenant_id: UUID) -> tuple[Engaged, ...]:
    rows = list(Switch.objects.filter(tenant_id=tenant_id, released_at__isnull=True))
    if not rows:
        return ()
    now = clock.now()
    return tuple(
        row.standing(age_s=max(0, int((now - row.engaged_at).total_seconds()))) for row in rows
    )


def _host_stop() -> Answer | None:
    """Look for the stop file, at most four times a second."""
    global _stop_file  # noqa: PLW0603 - one value per process
    seen_at, found = _stop_file
    now = _boot()
    if now - seen_at > STOP_FILE_S:
        found = _read_stop_file()
        _stop_file = (now, found)
    return found


def _read_stop_file() -> Answer | None:
    path = settings.SIGNALBOX_STOP_FILE
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - may be no Path
            first = file.readline(100).strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        first = ""  # it is there and cannot be read: that is a stop, too
    return Answer(
        allowed=False,
        code="stop.host",
        category=Category.SEVER if first == Category.SEVER else Category.CONTROLLED,
        reason="stop file",
        sentence="Nothing was started: this machine has a stop file; remove it to go on.",
    )


def _boot() -> float:
    return time.clock_gettime(_CLOCK)
