"""Celery's part: advancing runs. A task may be lost, late or delivered twice; the tables decide."""

from uuid import UUID

import structlog
from celery import shared_task
from django.db import connections

from agents.errors import UnknownRun
from agents.runtime import answering, engine
from console.kernel import logs
from console.kernel.errors import NotFound

log = structlog.get_logger(__name__)


@shared_task(name="agents.advance_run", ignore_result=True)
def advance_run(*, run_id: str, tenant_id: str, **_later: object) -> None:
    """Advance one run until it waits, ends or has used its slice; safe to deliver twice."""
    try:
        engine.advance(tenant_id=UUID(tenant_id), run_id=UUID(run_id))
    except UnknownRun:
        # A task that outlived its database: there is nothing to advance, and nothing to repeat.
        log.warning("task.run_unknown", run=run_id)
    finally:
        logs.unbind()
        connections.close_all()


@shared_task(name="agents.answer_question", ignore_result=True)
def answer_question(*, comment_id: str, tenant_id: str, **_later: object) -> None:
    """Answer one question of a reviewer; delivered twice it finds its own answer."""
    try:
        answering.answer(tenant_id=UUID(tenant_id), comment_id=UUID(comment_id))
    except NotFound:
        log.warning("task.question_unknown", comment=comment_id)
    finally:
        logs.unbind()
        connections.close_all()
