"""Pulse's part: what must go on when Celery, Redis or a worker does not.

Rounds that come every second or two ask one question first: which tenants have something to do.
"""

from typing import Final
from uuid import UUID

import structlog

from agents.controls import queries as controls
from agents.runtime import answering, commands, engine, queries
from approvals import queries as desk
from console.kernel.actors import Actor, system
from console.kernel.pulse import duty

log = structlog.get_logger(__name__)

ADVANCE_AFTER_S: Final = 10.0  # then no worker seems to hear us, and pulse does a slice itself
MOST_SLICES: Final = 4  # of one round, so that the other duties of this process get their turn


@duty("runs.timers", every_s=1.0)
def wake_timers() -> int:
    """Queue runs whose time to wait is over."""
    return sum(commands.wake_due(actor=_me(tenant)) for tenant in queries.tenants_due())


@duty("runs.reaper", every_s=2.0)
def reap() -> int:
    """Bring back runs that nobody works on: unclaimed, lease lapsed, decided and not woken."""
    return sum(_reap(tenant) for tenant in queries.tenants_stranded())


@duty("runs.answers", every_s=15.0)
def answer_reviewers() -> int:
    """Answer questions of reviewers that no worker has answered."""
    return sum(
        answering.answer_left(tenant_id=tenant)
        for tenant in desk.tenants_unanswered(older_than_s=answering.ASK_AGAIN_S)
    )


@duty("runs.stops", every_s=5.0)
def repeat_stops() -> int:
    """Hold what came into the scope of a standing switch after its sweep."""
    held = 0
    for tenant in controls.tenants_stopped():
        me = _me(tenant)
        for switch in controls.active(actor=me):
            held += commands.hold_scope(actor=me, switch_id=switch.id)
    return held


def _reap(tenant: UUID) -> int:
    me = _me(tenant)
    woken = commands.wake_decided(actor=me)
    found = queries.stranded(actor=me)
    slow = [one.run_id for one in found if one.waited_s >= ADVANCE_AFTER_S][:MOST_SLICES]
    soon = [one.run_id for one in found if one.run_id not in slow]
    if soon:
        commands.requeue(actor=me, run_ids=soon)
    for run_id in slow:
        # A direct claim: with Redis gone this is the only way, and a worker that is quicker wins.
        engine.advance(tenant_id=tenant, run_id=run_id)
    if found:
        log.info("runs.reaped", requeued=len(soon), advanced=len(slow), woken=woken)
    return woken + len(slow)


def _me(tenant: UUID) -> Actor:
    return system("pulse.runs", tenant)
