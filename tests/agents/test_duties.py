"""Pulse visits the tenants that have something to look after, and no others."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from agents.controls import commands as controls
from agents.controls import queries as switches
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.runtime import queries
from agents.runtime.engine import Progress
from approvals import commands as approvals
from approvals import queries as desk
from approvals.commands.pressure import MOST_OF_RUN
from approvals.states import CommentKind
from console.kernel import clock, pulse, tenancy
from tests.agents.test_pressure_at_work import moves
from tests.agents.world import SOFIA, World, calls, cancel


def stranded(world: World, at: datetime) -> bool:
    with clock.frozen(at):
        return world.tenant_id in queries.tenants_stranded()


def unanswered(world: World, at: datetime) -> bool:
    with clock.frozen(at):
        return world.tenant_id in desk.tenants_unanswered(older_than_s=60)


class TestTenantsDue:
    def test_have_a_run_whose_time_to_wait_is_over(self, world: World) -> None:
        said = world.say("Send it elsewhere", customer=SOFIA)
        with world.answering(calls(*moves(MOST_OF_RUN + 1))):
            world.advance(said.run_id)
        due_at = world.run(said.run_id).due_at
        assert due_at is not None
        assert world.tenant_id not in queries.tenants_due()
        with clock.frozen(due_at):
            assert world.tenant_id in queries.tenants_due()


class TestTenantsStranded:
    def test_have_a_run_that_nobody_took_or_that_waits_for_people(self, world: World) -> None:
        at = clock.now()
        assert not stranded(world, at + timedelta(minutes=1))
        said = world.say("Cancel it", customer=SOFIA)
        assert not stranded(world, at)
        assert stranded(world, at + timedelta(minutes=1))
        with world.answering(calls(cancel())):
            assert world.advance(said.run_id) is Progress.WAITS
        assert stranded(world, at)


class TestTenantsUnanswered:
    def test_have_a_question_that_waits_for_its_answer(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        ruth, card = world.cast.ruth, world.card(world.calls(said.run_id)[0])
        asked = approvals.ask(
            actor=ruth, proposal_id=card.id, kind=CommentKind.QUESTION, text="Why?", revision_no=1
        )
        assert not unanswered(world, asked.at)
        assert unanswered(world, asked.at + timedelta(minutes=1))
        assert not unanswered(world, asked.at + timedelta(days=2))
        approvals.answer(actor=world.cast.system, comment_id=asked.id, text="It is late.")
        assert not unanswered(world, asked.at + timedelta(minutes=1))


class TestTenantsStopped:
    def test_have_a_switch_that_stands(self, world: World) -> None:
        assert world.tenant_id not in switches.tenants_stopped()
        scope = Scope(kind=ScopeKind.AGENT, value="support")
        omar = world.cast.omar
        switch = controls.engage(actor=omar, scope=scope, reason="Wrong refunds.")
        assert world.tenant_id in switches.tenants_stopped()
        controls.release(actor=omar, switch_id=switch.id, reason="Fixed.")
        assert world.tenant_id not in switches.tenants_stopped()


class TestDuties:
    @pytest.mark.parametrize("name", ["runs.timers", "runs.reaper", "runs.answers", "runs.stops"])
    def test_ask_one_question_where_there_is_nothing_to_do(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visited: list[str] = []

        def directory() -> list[UUID]:
            visited.append("all")
            return []

        monkeypatch.setattr(tenancy, "_directory", [directory])
        for module, tenants in ((queries, "tenants_due"), (queries, "tenants_stranded")):
            monkeypatch.setattr(module, tenants, frozenset)
        monkeypatch.setattr(switches, "tenants_stopped", frozenset)
        monkeypatch.setattr(desk, "tenants_unanswered", lambda **_: frozenset())
        assert pulse.run_once(name) == 0
        assert visited == []

    def test_learn_ids_and_nothing_else_of_other_tenants(self, world: World) -> None:
        world.say("Cancel it", customer=SOFIA)
        with tenancy.unscoped(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM agents_run")
            assert cursor.fetchone() == (0,)
