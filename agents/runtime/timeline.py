"""What a run leaves to read: numbered events for operators, frames for the end user.

Both numbers are given under a row lock (of the run, of the conversation), so neither has gaps.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.db import connection

from agents.errors import Fenced
from agents.models import Message, Run
from agents.runtime.held import Held
from agents.states import FrameKind, Role, RunState
from console.kernel import canonical, live, prepared
from console.kernel.actors import Actor
from console.kernel.transactions import after_commit, query

PAYLOAD_LIMIT = 16 * 1024  # bytes of one event


# One round trip and one plan: what does not pass the fence has no row to take its number from.
_STEP: Final = """
    WITH passed AS (
        UPDATE agents_run
        SET head_seq = head_seq + 1,
            claims = CASE WHEN %(keeps)s THEN 0 ELSE claims END,
            snapshot = COALESCE(%(snapshot)s::jsonb, snapshot),
            model_badge = COALESCE(%(badge)s::jsonb, model_badge)
        WHERE id = %(run)s AND epoch = %(epoch)s AND state = 'running'
          AND (%(seen)s::int IS NULL OR head_seq = %(seen)s)
        RETURNING head_seq
    ), added AS (
        INSERT INTO agents_run_event
            (tenant_id, run_id, seq, type, schema_version, epoch, payload)
        SELECT %(tenant)s::uuid, %(run)s::uuid, head_seq, %(type)s, 1, %(epoch)s,
               %(payload)s::jsonb
        FROM passed
    )
    SELECT head_seq FROM passed
"""
_NOTE: Final = """
    INSERT INTO agents_run_event (tenant_id, run_id, seq, type, schema_version, epoch, payload)
    VALUES (%(tenant)s, %(run)s, %(seq)s, %(type)s, 1, %(epoch)s, %(payload)s)
"""
_HOLD: Final = """
    SELECT head_seq FROM agents_run
    WHERE id = %(run)s AND epoch = %(epoch)s AND state = 'running'
    FOR NO KEY UPDATE
"""


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


def pass_fence(held: Held) -> int:
    """Pass the fence without an event; returns the run's head, and nobody takes the run meanwhile.

    Raises:
        Fenced: the run is not this worker's any more.
    """
    return _passed(held, _HOLD, {"run": held.run_id, "epoch": held.epoch})


def step(
    held: Held,
    note: Note,
    *,
    seen: int | None = None,
    keeps: bool = False,
    snapshot: Mapping[str, Any] | None = None,
    badge: Mapping[str, Any] | None = None,
) -> int:
    """Pass the fence and add an event; returns the run's new head.

    Args:
        seen: the head that this step started from, where a step must not be stored twice.
        keeps: an answer or a result is stored with it, so the run is no poison.
        snapshot: what the next step starts from, if that changes.
        badge: who answered, if somebody did.

    Raises:
        Fenced: the run is not this worker's any more; nothing was written.
    """
    values = {
        "seen": seen,
        "keeps": keeps,
        "snapshot": None if snapshot is None else json.dumps(snapshot),
        "badge": None if badge is None else json.dumps(badge),
        **_columns(note, tenant=held.about.tenant_id, run=held.run_id, epoch=held.epoch),
    }
    return _passed(held, _STEP, values)


def _passed(held: Held, statement: str, values: Mapping[str, Any]) -> int:
    with prepared.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        theirs = Run.objects.filter(pk=held.run_id).values_list("epoch", flat=True).first()
        raise Fenced(mine=held.epoch, theirs=theirs)
    return int(row[0])


def note(run: Run, added: Note) -> None:
    """Add an event to a run whose row the caller has locked."""
    run.head_seq += 1
    values = _columns(added, tenant=run.tenant_id, run=run.pk, epoch=run.epoch)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"seq": run.head_seq, **values})


def _columns(note: Note, *, tenant: UUID, run: UUID, epoch: int) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "run": run,
        "epoch": epoch,
        "type": note.type,
        "payload": _bounded(note.payload),
    }


def _bounded(payload: Mapping[str, Any]) -> str:
    raw = canonical.dumps(payload)
    if len(raw) > PAYLOAD_LIMIT:
        cut = {"digest": sha256(raw).hexdigest(), "bytes": len(raw), "cut": True}
        raw = canonical.dumps(cut)
    return raw.decode()


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
