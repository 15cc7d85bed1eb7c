"""Celery's part of approvals: long questions. A task may be lost or come twice; the rows decide."""

from uuid import UUID

import structlog
from celery import shared_task
from django.db import connections

from approvals import commands
from approvals.states import ReplayState
from console.kernel import logs
from console.kernel.actors import system
from console.kernel.errors import NotFound

log = structlog.get_logger(__name__)


@shared_task(name="approvals.replay", ignore_result=True)
def replay(*, replay_id: str, tenant_id: str, **_later: object) -> None:
    """Ask a version about past calls until all are looked at or somebody cancels."""
    actor = system("approvals.replay", UUID(tenant_id))
    try:
        state = ReplayState.RUNNING
        while state is ReplayState.RUNNING:
            state = commands.advance_replay(actor=actor, replay_id=UUID(replay_id)).state
    except NotFound:
        log.warning("task.replay_unknown", replay=replay_id)
    finally:
        logs.unbind()
        connections.close_all()
