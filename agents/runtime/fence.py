"""Who may go on with a run: claim, lease, heartbeat, and every way to give it back."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from agents.controls.permits import permitted
from agents.controls.states import Point
from agents.errors import UnknownRun
from agents.events import CallClosed, RunEnded, RunPaused, RunResumed, RunWaits
from agents.models import Run, ToolCall
from agents.runtime import timeline
from agents.runtime.held import About, Held
from agents.runtime.timeline import Note
from agents.states import WAITING_RUN, CallState, FrameKind, RunState, StopReason
from approvals import commands as approvals
from audit.commands import record
from console.kernel import clock, outbox
from console.kernel.actors import Actor, ActorKind, Link, system
from console.kernel.transactions import command, query

log = structlog.get_logger(__name__)

MOST_CLAIMS = 3  # without a COMMIT or a STORE in between: then the run is poison
ERROR_LENGTH = 4000
BROKEN = "Something broke on our side, so this was not finished. Please write again."
_NEVER_RAN = (CallState.PROPOSED, CallState.WAITING_APPROVAL, CallState.APPROVED)


@query
def about(*, actor: Actor, run_id: UUID) -> About:
    """Return what never changes about a run.

    Raises:
        UnknownRun: there is none of that id in this tenant.
    """
    run = (
        Run.objects.select_related("agent_version__agent", "conversation").filter(pk=run_id).first()
    )
    if run is None:
        raise UnknownRun("There is no such run here; open the list of runs.")
    return about_row(run)


def about_row(run: Run) -> About:
    """Return what never changes about a run that was read with its version and conversation."""
    version, agent = run.agent_version, run.agent_version.agent
    starter = run.starter
    first = Link(kind=starter["kind"], id=starter["id"], label=starter["label"])
    second = Link(
        kind=ActorKind.AGENT,
        id=agent.slug,
        label=agent.title,
        version=str(version.number),
        run=str(run.pk),
    )
    return About(
        tenant_id=run.tenant_id,
        run_id=run.pk,
        root_id=run.root_id or run.pk,
        conversation_id=run.conversation_id,
        agent_id=agent.pk,
        agent_slug=agent.slug,
        agent_title=agent.title,
        owner=agent.owner,
        owner_label=agent.owner_label,
        version_id=version.pk,
        version_no=version.number,
        prompt=version.prompt,
        model_policy=version.model_policy,
        tools=version.tools,
        scopes=frozenset(version.scopes),
        confirm_tiers=frozenset(version.escalation.get("confirm_tiers", ())),
        plan_writes=bool(version.escalation.get("plan_writes")),
        budgets=version.budgets,
        starter=starter,
        channel=run.conversation.channel,
        actor=Actor(
            tenant_id=run.tenant_id,
            kind=ActorKind.AGENT,
            id=agent.slug,
            label=agent.title,
            via=(first, second),
            request=starter.get("request", ""),
        ),
    )


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


@command
def claim(*, actor: Actor, about: About, worker: str) -> Held | None:
    """Take the run if it is free; None means that another worker has it or that it may not run.

    Only the database's clock is compared, and zero rows end a duplicate delivery without a write.
    """
    answer = permitted(Point.STEP_CLAIM, about.fields(), guard=True)
    if not answer.allowed:
        run = Run.objects.select_for_update().get(pk=about.run_id)
        if run.state == RunState.QUEUED and answer.switch_id is not None:
            # Without a switch (a stop file, unreadable state) the reaper asks again.
            pause_row(run, actor=actor, switch_id=answer.switch_id, cause=answer.sentence)
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE agents_run
               SET state = 'running', epoch = epoch + 1, claims = claims + 1, lease_owner = %s,
                   lease_until = clock_timestamp() + make_interval(secs => %s),
                   state_at = CASE WHEN state = 'running' THEN state_at ELSE clock_timestamp() END
               WHERE id = %s AND state IN ('queued', 'running')
                 AND (lease_until IS NULL OR lease_until < clock_timestamp())
               RETURNING epoch, claims""",
            [worker[:120], settings.LEASE_S, about.run_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    epoch, claims = row
    if claims > MOST_CLAIMS:
        run = Run.objects.select_for_update().get(pk=about.run_id)
        end_row(run, actor=about.actor, state=RunState.FAILED, reason=StopReason.POISON)
        frame = timeline.notice(FrameKind.FAILED, BROKEN)
        timeline.say(run.conversation_id, run.pk, run.tenant_id, frame)
        return None
    return Held(about=about, epoch=epoch)


@command
def renew(*, actor: Actor, run_id: UUID, epoch: int) -> bool:
    """Extend the lease of this epoch; False means that the run is somebody else's now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE agents_run SET lease_until = clock_timestamp() + make_interval(secs => %s)
               WHERE id = %s AND epoch = %s AND state = 'running'""",
            [settings.LEASE_S, run_id, epoch],
        )
        extended: int = cursor.rowcount
    return extended == 1


@contextmanager
def kept_alive(held: Held) -> Iterator[None]:
    """Renew the lease in a thread while the block runs; sets `held.lost` when it is gone."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(held, stop), name=f"lease {held.run_id}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(held: Held, stop: threading.Event) -> None:
    beat_s = settings.LEASE_S / 6  # 5 s of 30 s: five beats may fail before the lease is over
    actor = system("agents.engine", held.about.tenant_id)
    try:
        while not stop.wait(beat_s):
            if not _renewed(held, actor):
                held.lost.set()
                return
    finally:
        connection.close()


def _renewed(held: Held, actor: Actor) -> bool:
    try:
        return renew(actor=actor, run_id=held.run_id, epoch=held.epoch)
    except Exception as error:  # noqa: BLE001 - the database may be back before the lease is over
        log.warning("lease.not_renewed", run=str(held.run_id), error=type(error).__name__)
        connection.close()
        return True


def park(held: Held, *, state: RunState, cause: str, note: Note, **values: Any) -> None:
    """Give the worker back and wait; part of the caller's transaction."""
    timeline.step(held, note)
    _move(held.run_id, state=state, **values)
    record(
        RunWaits(
            run_id=held.run_id,
            conversation_id=held.about.conversation_id,
            state=state,
            cause=cause,
        ),
        actor=held.actor,
    )


@command
def hand_back(*, actor: Actor, held: Held, error: str = "") -> None:
    """Queue the run for another slice; its claims are kept, so that poison is found."""
    run = Run.objects.select_for_update().get(pk=held.run_id)
    if not timeline.is_running(run, held.epoch):
        return
    note = Note(type="slice.failed" if error else "slice.ended", payload={"error": error[-400:]})
    timeline.note(run, note)
    run.error = error[-ERROR_LENGTH:] if error else run.error
    claims = run.claims
    release(run, RunState.QUEUED)
    if error:
        run.claims = claims
    run.save()
    if not error:
        # After an error the reaper brings it back, two seconds later: no hot loop.
        enqueue(run)


def enqueue(run: Run) -> None:
    outbox.enqueue_task("agents.advance_run", run_id=str(run.pk), tenant_id=str(run.tenant_id))


@command
def pause(*, actor: Actor, held: Held, switch_id: UUID | None, cause: str) -> None:
    """Park a running run because a switch stands against its next act."""
    run = Run.objects.select_for_update().get(pk=held.run_id)
    if timeline.is_running(run, held.epoch):
        pause_row(run, actor=actor, switch_id=switch_id, cause=cause)


def pause_row(run: Run, *, actor: Actor, switch_id: UUID | None, cause: str) -> None:
    """Park a locked run; a running one goes back to the queue when it is released."""
    before = RunState(run.state)
    if before is RunState.RUNNING:
        run.epoch += 1  # the worker that has it is fenced from here on
    run.parked_state = RunState.QUEUED if before is RunState.RUNNING else before
    run.switch_id = switch_id
    timeline.note(run, Note(type="run.paused", payload={"before": before, "cause": cause[:400]}))
    release(run, RunState.PAUSED)
    run.save()
    timeline.say(
        run.conversation_id,
        run.pk,
        run.tenant_id,
        timeline.notice(
            FrameKind.PAUSED,
            "This assistant is paused by the team. Your conversation is kept.",
        ),
    )
    record(
        RunPaused(
            run_id=run.pk,
            conversation_id=run.conversation_id,
            before=before,
            switch_id=switch_id,
            cause=cause,
        ),
        actor=actor,
    )


@command
def resume(*, actor: Actor, run_id: UUID, cause: str) -> None:
    """Queue a run that waits; anything else is left alone."""
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.state in WAITING_RUN:
        resume_row(run, actor=actor, cause=cause)


def resume_row(run: Run, *, actor: Actor, cause: str, state: RunState = RunState.QUEUED) -> None:
    """Let a locked run go on, or go back to waiting for what it waited for."""
    before = run.state
    timeline.note(run, Note(type="run.resumed", payload={"before": before, "cause": cause[:400]}))
    release(run, state)
    run.switch_id = None
    run.parked_state = ""
    run.due_at = run.due_at if state is RunState.WAITING_TIMER else None
    run.save()
    record(
        RunResumed(run_id=run.pk, conversation_id=run.conversation_id, before=before, cause=cause),
        actor=actor,
    )
    if state is RunState.QUEUED:
        enqueue(run)


def end_row(run: Run, *, actor: Actor, state: RunState, reason: StopReason) -> None:
    """End a locked run; calls that never ran are closed, so that each has a result."""
    if run.state == RunState.RUNNING:
        run.epoch += 1
    withdraw_open(run, actor=actor, cause=f"the run ended: {reason}")
    timeline.note(run, Note(type="run.ended", payload={"state": state, "reason": reason}))
    run.stop_reason = reason
    run.ended_at = clock.now()
    run.parked_state = ""
    release(run, state)
    run.save()
    record(
        RunEnded(
            run_id=run.pk,
            conversation_id=run.conversation_id,
            state=state,
            stop_reason=reason,
        ),
        actor=actor,
    )


def withdraw_open(run: Run, *, actor: Actor, cause: str) -> None:
    """Close the calls of a locked run that never ran, and take their proposals from the queue.

    A call that is executing may end and is recorded; an unknown one stays on its screen.
    """
    calls = ToolCall.objects.select_for_update().filter(run=run, state__in=_NEVER_RAN)
    for call in calls.order_by("pk"):
        if call.proposal_id is not None:
            approvals.withdraw(actor=actor, proposal_id=call.proposal_id, cause=cause)
        call.state = CallState.WITHDRAWN
        call.error_code = "run.ended"
        call.save(update_fields=["state", "error_code"])
        event = CallClosed(
            call_id=call.pk,
            run_id=run.pk,
            conversation_id=run.conversation_id,
            tool=call.tool,
            args_digest=bytes(call.args_digest).hex(),
            state=CallState.WITHDRAWN,
            code="run.ended",
        )
        record(event, actor=actor)


def release(run: Run, state: RunState) -> None:
    run.state = state
    run.state_at = clock.now()
    run.claims = 0
    run.lease_owner = ""
    run.lease_until = None


def _move(run_id: UUID, *, state: RunState, **values: Any) -> None:
    Run.objects.filter(pk=run_id).update(
        state=state, state_at=clock.now(), claims=0, lease_owner="", lease_until=None, **values
    )
