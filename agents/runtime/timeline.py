"""What a run leaves to read: numbered events for operators, frames for the end user.

Both numbers are given under a row lock (of the run, of the conversation), so neither has gaps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from agents.errors import Fenced
from agents.models import Message, Run, RunEvent
from agents.runtime.held import Held
from agents.states import FrameKind, Role, RunState
from console.kernel import canonical, live
from console.kernel.actors import Actor
from console.kernel.transactions import after_commit, query

PAYLOAD_LIMIT = 16 * 1024  # bytes of one event


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One event of the timeline, before it has its number."""

    type: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a transcript, before it has its number."""

    role: Role
    kind: FrameKind
    text: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    step_seq: int | None = None


def step(held: Held, *notes: Note, seen: int | None = None, keeps: bool = False) -> int:
    """Pass the fence and add events; returns the run's new head.

    Args:
        seen: the head that this step started from, where a step must not be stored twice.
        keeps: an answer or a result is stored with it, so the run is no poison.

    Raises:
        Fenced: the run is not this worker's any more; nothing was written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE agents_run
               SET head_seq = head_seq + %s, claims = CASE WHEN %s THEN 0 ELSE claims END
               WHERE id = %s AND epoch = %s AND state = 'running'
                 AND (%s::int IS NULL OR head_seq = %s)
               RETURNING head_seq""",
            [len(notes), keeps, held.run_id, held.epoch, seen, seen],
        )
        row = cursor.fetchone()
    if row is None:
        theirs = Run.objects.filter(pk=held.run_id).values_list("epoch", flat=True).first()
        raise Fenced(mine=held.epoch, theirs=theirs)
    _write(held.about.tenant_id, held.run_id, held.epoch, row[0] - len(notes), notes)
    return int(row[0])


def note(run: Run, *notes: Note) -> None:
    """Add events to a run whose row the caller has locked."""
    _write(run.tenant_id, run.pk, run.epoch, run.head_seq, notes)
    run.head_seq += len(notes)


def _write(tenant_id: UUID, run_id: UUID, epoch: int, head: int, notes: tuple[Note, ...]) -> None:
    RunEvent.objects.bulk_create(
        RunEvent(
            tenant_id=tenant_id,
            run_id=run_id,
            seq=head + place,
            type=one.type,
            epoch=epoch,
            payload=_bounded(one.payload),
        )
        for place, one in enumerate(notes, start=1)
    )


def _bounded(payload: Mapping[str, Any]) -> dict[str, Any]:
    raw = canonical.dumps(payload)
    if len(raw) <= PAYLOAD_LIMIT:
        return dict(payload)
    return {"digest": canonical.digest(payload).hex(), "bytes": len(raw), "cut": True}


def say(conversation_id: UUID, run_id: UUID | None, tenant_id: UUID, *frames: Frame) -> int:
    """Add frames to a transcript; returns the number of the last one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_conversation SET head_seq = head_seq + %s WHERE id = %s"
            " RETURNING head_seq",
            [len(frames), conversation_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError("A frame needs its conversation.")
    head = int(row[0]) - len(frames)
    Message.objects.bulk_create(
        Message(
            tenant_id=tenant_id,
            conversation_id=conversation_id,
            seq=head + place,
            role=frame.role,
            kind=frame.kind,
            run_id=run_id,
            step_seq=frame.step_seq,
            text=frame.text,
            parts=dict(frame.parts),
        )
        for place, frame in enumerate(frames, start=1)
    )
    if run_id is not None:
        nudged = run_id
        after_commit(lambda: live.nudge(nudged, seq=head + len(frames)))
    return head + len(frames)


def notice(kind: FrameKind, text: str, **parts: Any) -> Frame:
    """Return a frame in the console's own voice."""
    return Frame(role=Role.NOTICE, kind=kind, text=text, parts=parts)


@query
def holds(*, actor: Actor, held: Held) -> bool:
    """Say whether the run is still this worker's."""
    return Run.objects.filter(pk=held.run_id, epoch=held.epoch, state=RunState.RUNNING).exists()


def said_in(run_id: UUID, step_seq: int) -> str:
    """Return what the agent said in one step, or ""."""
    said = Message.objects.filter(run_id=run_id, step_seq=step_seq, kind=FrameKind.TEXT)
    return said.values_list("text", flat=True).first() or ""


def is_running(run: Run, epoch: int) -> bool:
    return run.state == RunState.RUNNING and run.epoch == epoch
