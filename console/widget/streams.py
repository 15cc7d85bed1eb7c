"""The event stream of one conversation: stored frames from PostgreSQL, live text from Redis.

What is stored is the truth and carries numbers without holes; live text is display only. With Redis
gone the stream goes on from PostgreSQL, once a second.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

import redis
from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from agents.cards import ConversationCard, FrameCard
from agents.conversations import queries
from console.kernel import live
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

STREAM_S: Final = 50.0  # under the minute that proxies allow; the frame then asks again
POLL_S: Final = 1.0
HEARTBEAT_S: Final = 15.0
MOVING: Final = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come: the last stored frame, and the place in the live text."""

    seq: int
    run_id: UUID | None = None
    live: str = "0-0"


def as_json(card: FrameCard) -> dict[str, Any]:
    values = asdict(card)
    values["parts"] = dict(card.parts)
    return values


def state_of(card: ConversationCard) -> dict[str, Any]:
    """Return what the frame shows beside the transcript: who answers and what it is doing."""
    return {
        "run": card.run_state,
        "badge": card.badge.label,
        "agent": card.agent_title,
        "handed_off": card.handed_off,
    }


def event(name: str, data: Mapping[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, cls=DjangoJSONEncoder)}\n\n"


async def follow(
    actor: Actor, visitor_id: str, conversation_id: UUID, *, after: int
) -> AsyncIterator[str]:
    """Yield server-sent events until the time of one stream is over."""
    await _give_back()
    cursor = Cursor(after)
    said: dict[str, Any] = {}
    ends_at = time.monotonic() + STREAM_S
    beat_at = time.monotonic() + HEARTBEAT_S
    yield ": open\n\n"
    while time.monotonic() < ends_at:
        try:
            card, frames = await _look(actor, visitor_id, conversation_id, cursor.seq)
        except ConsoleError as refusal:
            yield event("refused", {"code": refusal.code, "message": refusal.message})
            return
        for frame in frames:
            cursor = replace(cursor, seq=frame.seq)
            yield event("frame", as_json(frame))
        if (state := state_of(card)) != said:
            said = state
            yield event("state", state)
        if card.run_id != cursor.run_id:
            cursor = replace(cursor, run_id=card.run_id, live="0-0")
        async for text, place in _live(card, cursor):
            cursor = place
            yield text
        if time.monotonic() > beat_at:
            beat_at = time.monotonic() + HEARTBEAT_S
            yield ": still here\n\n"


async def _live(card: ConversationCard, cursor: Cursor) -> AsyncIterator[tuple[str, Cursor]]:
    """Wait for live text at most a second and pass it on, without what an older epoch said."""
    if card.run_id is None or card.run_state not in MOVING:
        await asyncio.sleep(POLL_S)
        return
    try:
        async for place, entry in live.read(card.run_id, after=cursor.live, block_ms=500):
            cursor = replace(cursor, live=place)
            if entry["kind"] in {"delta", "reset"} and entry["epoch"] >= card.epoch:
                yield event(entry["kind"], entry), cursor
            else:
                yield ": moved\n\n", cursor
    except (redis.RedisError, OSError):
        await asyncio.sleep(POLL_S)


@sync_to_async(thread_sensitive=True)
def _give_back() -> None:
    """Give back the connection of the request itself: its thread waits as long as the stream."""
    connection.close()


@sync_to_async(thread_sensitive=False)
def _look(
    actor: Actor, visitor_id: str, conversation_id: UUID, after: int
) -> tuple[ConversationCard, tuple[FrameCard, ...]]:
    """Read the conversation; the connection goes back to the pool at once, a stream lasts long."""
    try:
        card = queries.standing(actor=actor, conversation_id=conversation_id, end_user=visitor_id)
        frames = queries.transcript(
            actor=actor, conversation_id=conversation_id, after_seq=after, end_user=visitor_id
        )
        return card, tuple(frames)
    finally:
        connection.close()
