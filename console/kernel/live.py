"""Live text, and the topics a page may follow. Losing Redis costs freshness only."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

import redis
import redis.asyncio
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from console.kernel import tenancy
from console.kernel.actors import Actor
from console.kernel.models import TopicSeq

log = structlog.get_logger(__name__)

STREAM_LENGTH = 2000  # entries kept of one run's live text
STREAM_TTL_S = 3600
TOPIC_LENGTH = 120  # characters, as the table has it
EAR_S = 1.0  # how long Redis may take to begin or end a listening
ActorOfScope = Callable[[Any], Actor | None]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a page can follow: a name, or a name with an id after a colon."""

    name: str
    permission: str  # "" is for topics that everybody who is signed in may follow
    settled: frozenset[str]  # words for how such a thing ends; a hint may carry one, and no other


_topics: dict[str, Topic] = {}
_actor_of_scope: list[ActorOfScope] = []


def topic(name: str, *, permission: str, settled: frozenset[str] = frozenset()) -> None:
    """Declare a topic; a `topics.py` does it at import."""
    _topics[name] = Topic(name, permission, settled)


def set_actor_of_scope(find: ActorOfScope) -> None:
    """Fill the port that turns a socket's scope into an actor; accounts does it."""
    _actor_of_scope[:] = [find]


def actor_of(scope: Any) -> Actor | None:
    for find in _actor_of_scope:
        return find(scope)
    return None


def followable(actor: Actor, asked: Iterable[object]) -> list[str]:
    """Return those of the asked topics that exist and that this actor may follow."""
    found = []
    for name in asked:
        if not isinstance(name, str) or len(name) > TOPIC_LENGTH:
            continue
        known = _topic_of(name)
        if known and (not known.permission or actor.has(known.permission)):
            found.append(name)
    return found


def _topic_of(name: str) -> Topic | None:
    return _topics.get(name.partition(":")[0])


def topics_of(actor: Actor, ids: Iterable[str]) -> list[str]:
    """Return every topic that this actor may follow: the plain ones, and those of some things."""
    named = [f"{name}:{one}" for name in _topics for one in ids]
    return followable(actor, [*_topics, *named])


def group_of(tenant_id: UUID, name: str) -> str:
    """Return the channel group of a tenant's topic; hashed, because group names are restricted."""
    return "t." + sha256(f"{tenant_id}/{name}".encode()).hexdigest()[:40]


def newest(tenant_id: UUID, names: list[str]) -> dict[str, int]:
    """Return the newest number of each topic, 0 for one that never had a hint."""
    with tenancy.scope(tenant_id, read_only=True):
        rows = TopicSeq.objects.filter(tenant_id=tenant_id, topic__in=names)
        found = dict(rows.values_list("topic", "seq"))
    return {name: found.get(name, 0) for name in names}


def hint_of(name: str, seq: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what travels: a reference, and at most one word, which the topic has declared."""
    hint = {"topic": name, "seq": seq, "id": payload.get("id", ""), "rev": payload.get("rev", 0)}
    known, word = _topic_of(name), payload.get("settled")
    return {**hint, "settled": word} if known and word in known.settled else hint


def send_hint(tenant_id: UUID, name: str, seq: int, payload: Mapping[str, Any]) -> None:
    """Push one hint to every open page of the tenant that follows the topic."""
    hint = hint_of(name, seq, payload)
    layer: Any = get_channel_layer()
    async_to_sync(layer.group_send)(group_of(tenant_id, name), {"type": "hint", "hint": hint})


@cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def _stream(run_id: UUID) -> str:
    return f"run:{run_id}:live"


def append(run_id: UUID, *, epoch: int, n: int, text: str) -> None:
    """Add a piece of provisional text; `n` counts the pieces of one epoch from 0."""
    _add(run_id, {"kind": "delta", "epoch": epoch, "n": n, "text": text})


def reset(run_id: UUID, *, epoch: int) -> None:
    """Tell readers to drop the text of a dead attempt."""
    _add(run_id, {"kind": "reset", "epoch": epoch})


def nudge(run_id: UUID, *, seq: int) -> None:
    """Tell readers that PostgreSQL has something new up to `seq`."""
    _add(run_id, {"kind": "event", "seq": seq})


def _add(run_id: UUID, entry: dict[str, Any]) -> None:
    key = _stream(run_id)
    try:
        with _redis().pipeline(transaction=False) as pipe:
            pipe.xadd(key, {"e": json.dumps(entry)}, maxlen=STREAM_LENGTH, approximate=True)
            pipe.expire(key, STREAM_TTL_S)
            pipe.execute()
    except redis.RedisError as error:
        # Display only: the stored message is the truth and arrives all the same.
        log.warning("live.append_failed", run=str(run_id), error=type(error).__name__)


async def read(
    run_id: UUID, *, after: str = "0-0", block_ms: int = 1000
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield (cursor, entry) of a run's live text after `after`; ends when nothing came in time."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
    try:
        found: Any = await client.xread({_stream(run_id): after}, count=200, block=block_ms)
        for _key, entries in found:
            for cursor, fields in entries:
                yield cursor.decode(), json.loads(fields[b"e"])
    finally:
        await client.aclose()


class Ear:
    """Listens to one topic of a tenant from code that has no socket; used as `async with`.

    A hint may be lost, and with Redis gone none comes: whoever listens also looks now and then.
    """

    def __init__(self, tenant_id: UUID, name: str) -> None:
        self._group = group_of(tenant_id, name)
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._next: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        try:
            channel: str = await asyncio.wait_for(self._layer.new_channel(), EAR_S)
            await asyncio.wait_for(self._layer.group_add(self._group, channel), EAR_S)
            self._channel = channel
        except (redis.RedisError, OSError, TimeoutError) as error:
            log.warning("live.not_heard", error=type(error).__name__)
        return self

    async def __aexit__(self, *_raised: object) -> None:
        if not self._channel:
            return
        with suppress(redis.RedisError, OSError, TimeoutError):
            await asyncio.wait_for(self._layer.group_discard(self._group, self._channel), EAR_S)
        last = self._listening()
        await asyncio.sleep(0)  # let it begin; the layer cleans up in the reader that is cancelled
        last.cancel()
        await asyncio.wait({last}, timeout=EAR_S)

    async def hear(self, seconds: float) -> None:
        """Return at the next hint, or after so many seconds without one."""
        if not self._channel:
            await asyncio.sleep(seconds)
            return
        done, _waiting = await asyncio.wait({self._listening()}, timeout=seconds)
        self._next = None if done else self._next
        if any(heard.exception() for heard in done):
            self._channel = ""

    def _listening(self) -> "asyncio.Task[Any]":
        """Return one task for as long as nothing comes: cancelling a reader ends its channel."""
        if self._next is None:
            self._next = asyncio.create_task(self._layer.receive(self._channel))
        return self._next
