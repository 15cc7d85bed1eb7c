"""People of a fresh organisation, as actors; the switches need no tables of accounts."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from agents.controls import permits
from agents.controls.cards import Fields
from agents.controls.states import Point
from console.kernel.actors import Actor, ActorKind
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

OPERATOR = frozenset({"controls.view", "controls.engage", "controls.release"})


@dataclass(frozen=True)
class Crew:
    """Omar and Dana operate, Olga too, Ruth reviews; all of one tenant that nobody else uses."""

    tenant: UUID
    omar: Actor
    dana: Actor
    olga: Actor
    ruth: Actor


def person(tenant: UUID, name: str, permissions: frozenset[str]) -> Actor:
    return Actor(
        tenant_id=tenant,
        kind=ActorKind.PERSON,
        id=str(uuid7()),
        label=name,
        permissions=permissions,
    )


@pytest.fixture
def crew() -> Crew:
    tenant = uuid7()
    return Crew(
        tenant=tenant,
        omar=person(tenant, "Omar", OPERATOR),
        dana=person(tenant, "Dana", OPERATOR),
        olga=person(tenant, "Olga", OPERATOR),
        ruth=person(tenant, "Ruth", frozenset({"approvals.view"})),
    )


@pytest.fixture(autouse=True)
def fresh_process() -> Callable[[], None]:
    """Start as a new process would: nothing read yet."""
    permits.forget()
    return permits.forget


def recorded(tenant: UUID, action: str = "") -> list[dict[str, Any]]:
    """The envelopes of a tenant's events, oldest first."""
    with in_tenant(tenant, read_only=True), connection.cursor() as cursor:
        cursor.execute("SELECT envelope FROM audit_event ORDER BY id")
        found = [json.loads(bytes(row[0])) for row in cursor.fetchall()]
    return [one for one in found if not action or one["action"] == action]


@pytest.fixture
def another_session() -> Callable[[UUID], AbstractContextManager[None]]:
    """Open a guarded transaction on a connection of its own, until the block ends."""

    @contextmanager
    def guarded(tenant: UUID) -> Iterator[None]:
        asked, done = threading.Event(), threading.Event()

        def stay() -> None:
            try:
                with in_tenant(tenant):
                    fields = Fields(tenant=tenant, agent="any", run=uuid7())
                    permits.permitted(Point.RUN_ADMIT, fields, guard=True)
                    asked.set()
                    done.wait(20)
            finally:
                asked.set()
                connection.close()

        thread = threading.Thread(target=stay)
        thread.start()
        asked.wait(20)
        try:
            yield
        finally:
            done.set()
            thread.join()

    return guarded
