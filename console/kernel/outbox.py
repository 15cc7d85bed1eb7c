"""What leaves with a commit: facts for subscribers, tasks for Celery, hints for open pages.

A row is written in the transaction of the change. The relay delivers it: a fact exactly once
(handler and deletion are one transaction), a task and a hint at least once.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from django.db import connection

from console.kernel import prepared, tenancy
from console.kernel.actors import Actor


class Handler(Protocol):
    """A subscriber: it takes the fact as a nudge and decides from the tables."""

    def __call__(self, *, actor: Actor, subject: UUID, data: dict[str, Any]) -> None: ...


MOST_PREPARED: Final = 8
H = TypeVar("H", bound=Callable[..., None])
_subscribers: dict[str, dict[str, Handler]] = {}


def on(fact: str) -> Callable[[H], H]:
    """Subscribe a function of a `subscribers.py` to the facts of this name."""

    def register(handler: H) -> H:
        name = f"{handler.__module__}.{handler.__qualname__}"
        _subscribers.setdefault(fact, {})[name] = handler
        return handler

    return register


def handler_named(fact: str, name: str) -> Handler | None:
    return _subscribers.get(fact, {}).get(name)


def has_subscriber(fact: str) -> bool:
    return fact in _subscribers


def subscribed_facts() -> frozenset[str]:
    return frozenset(_subscribers)


def publish_fact(
    name: str, *, subject: UUID, actor: Actor, data: Mapping[str, Any] | None = None
) -> None:
    """Write one row per subscriber of `name`; `data` holds JSON values."""
    for handler in _subscribers.get(name, {}):
        _write(
            "fact",
            name,
            {
                "handler": handler,
                "subject": str(subject),
                "actor": actor.as_dict(),
                "data": dict(data or {}),
            },
        )


def enqueue_task(name: str, **kwargs: Any) -> None:
    """Have a Celery task called after the commit; it may be called twice."""
    _write("task", name, {"kwargs": kwargs})


def hint(
    topic: str,
    *,
    id: str = "",  # noqa: A002 - the wire's word
    rev: int = 0,
    settled: str = "",
) -> None:
    """Tell the pages that follow `topic` to refetch; no content travels.

    Once in a transaction, and once more for each thing that it settles.

    Args:
        settled: how the thing with this id ended, in one of the words that the topic declares.
    """
    known = tenancy.said_before(f"hint {topic}")
    if settled:
        known = tenancy.said_before(f"hint {topic} {id} {settled}")
    if known:
        return
    _write("hint", topic, {"id": id, "rev": rev, **({"settled": settled} if settled else {})})


def _write(kind: str, target: str, payload: dict[str, Any]) -> None:
    tenancy.at_the_end(_insert, (tenancy.current(), kind, target, json.dumps(payload)))


def _insert(rows: list[tuple[UUID, str, str, str]]) -> None:
    # Plain SQL, and one statement for a whole transaction: the ORM costs more than the insert.
    into = "INSERT INTO kernel_outbox (tenant_id, kind, target, payload, attempts, error) VALUES "
    each = ", ".join(["(%s, %s, %s, %s, 0, '')"] * len(rows))
    # Each number of rows is a statement of its own, and a session keeps a hundred.
    with prepared.cursor() if len(rows) <= MOST_PREPARED else connection.cursor() as cursor:
        cursor.execute(into + each, [value for row in rows for value in row])
