import asyncio
import os
import threading
from uuid import UUID

import pytest
from django.db import connection

from agents.controls import acknowledge, commands, duties, permits, queries
from agents.controls.cards import Fields, Scope
from agents.controls.states import Point, ScopeKind
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from tests.cast import Cast
from tests.controls.conftest import Crew

REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")


def rows(kind: str) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid, applied_epoch FROM controls_worker WHERE kind = %s", [kind])
        found: list[tuple[int, int]] = cursor.fetchall()
    return found


class TestAcknowledge:
    def test_acts_on_the_epoch_before_it_says_so(self, crew: Crew) -> None:
        kind = f"t{uuid7().hex[-12:]}"
        fields = Fields(tenant=crew.tenant, agent="refunds")
        assert permits.permitted(Point.INTAKE, fields, guard=False).allowed
        card = commands.engage(actor=crew.omar, scope=REFUNDS, reason="Why.")

        epoch = acknowledge.acknowledge(kind)

        assert epoch >= card.epoch
        assert rows(kind) == [(os.getpid(), epoch)]
        assert not permits.permitted(Point.INTAKE, fields, guard=False).allowed

    def test_keeps_one_row_per_process(self) -> None:
        kind = f"t{uuid7().hex[-12:]}"
        acknowledge.acknowledge(kind)
        acknowledge.acknowledge(kind)

        assert len(rows(kind)) == 1
        acknowledge.sign_off(kind)
        assert rows(kind) == []


class TestStart:
    def test_ticks_in_one_thread_and_signs_off_at_the_end(self) -> None:
        kind = f"t{uuid7().hex[-12:]}"
        acknowledge.start(kind)
        try:
            acknowledge.start(kind)
            waited = threading.Event()
            for _ in range(500):
                if rows(kind):
                    break
                waited.wait(0.01)
            assert len(rows(kind)) == 1
            assert [one.name for one in threading.enumerate()].count("stop ticks") == 1
        finally:
            acknowledge.finish()
        assert rows(kind) == []


class TestLifespan:
    def test_starts_and_ends_with_the_server(self) -> None:
        inbox = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[str] = []

        async def receive() -> dict[str, str]:
            return inbox.pop(0)

        async def send(message: dict[str, str]) -> None:
            sent.append(message["type"])

        asyncio.run(acknowledge.lifespan({}, receive, send))

        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert (os.getpid(),) not in [row[:1] for row in rows("web")]


class TestDuties:
    def test_carry_a_stop_to_confirmed(self, crew: Crew) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM controls_worker")
        commands.engage(actor=crew.omar, scope=REFUNDS, reason="Why.")

        duties.acknowledge_pulse()
        commands.confirm_stops(actor=crew.omar)

        (card,) = queries.active(actor=crew.omar)
        assert card.confirmed_at is not None

    def test_look_again_only_at_tenants_with_something_left(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[UUID] = []

        def confirm(*, actor: Actor) -> int:
            asked.append(actor.tenant_id)
            return int(actor.tenant_id == cast.tenant_id)

        monkeypatch.setattr(commands, "confirm_stops", confirm)
        commands.engage(actor=cast.omar, scope=REFUNDS, reason="Why.")

        duties.confirm_stops()
        first = len(asked)
        duties.confirm_stops()

        assert first >= 2
        assert asked[first:] == [cast.tenant_id]
        duties._left.clear()
