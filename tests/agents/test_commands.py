"""What others cause: agents and versions, waking, stops, cancelling; and pulse's part."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection

from agents import duties, states, subscribers, tasks
from agents.controls import commands as controls
from agents.controls import queries as switches
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.errors import RunEnded, UnknownAgent, UnknownRun
from agents.llm.scripted import Use
from agents.models import AgentVersion, Run, ToolCall
from agents.runtime import commands, queries
from agents.runtime.commands import queueing
from agents.runtime.engine import Progress
from agents.tools.errors import UnknownTool
from approvals.models import Freeze
from approvals.states import Choice, ProposalState
from console.kernel import clock, live
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.agents.world import PENDING, SOFIA, Said, World, calls, cancel, proposal_of, says
from tests.cast import with_permissions


def stop(world: World, kind: ScopeKind, value: str) -> Any:
    return controls.engage(
        actor=world.cast.omar, scope=Scope(kind=kind, value=value), reason="Wrong refunds."
    )


def release(world: World, switch: Any) -> None:
    controls.release(actor=world.cast.omar, switch_id=switch.id, reason="Fixed.")


def waiting(world: World, order_id: str = PENDING) -> Said:
    said = world.say("Cancel it", customer=SOFIA)
    with world.answering(calls(cancel(order_id))):
        assert world.advance(said.run_id) is Progress.WAITS
    return said


class TestRegisterAgentVersion:
    def test_gives_the_same_content_the_same_version(self, world: World) -> None:
        me = world.cast.system
        first = commands.register_agent_version(
            actor=me, agent="support", prompt="Be kind.", tools=["calculate"]
        )
        again = commands.register_agent_version(
            actor=me, agent="support", prompt="Be kind.", tools=["calculate"]
        )
        other = commands.register_agent_version(
            actor=me, agent="support", prompt="Be brief.", tools=["calculate"]
        )
        assert (first.number, again.number, other.number) == (2, 2, 3)
        assert first.content_hash == again.content_hash != other.content_hash

    def test_refuses_unknown_agents_and_tools(self, world: World) -> None:
        with pytest.raises(UnknownAgent):
            commands.register_agent_version(
                actor=world.cast.system, agent="nobody", prompt="", tools=[]
            )
        with pytest.raises(UnknownTool):
            commands.register_agent_version(
                actor=world.cast.system, agent="support", prompt="", tools=["no_such_tool"]
            )

    def test_is_for_the_installation_alone(self, world: World) -> None:
        """Tools of an agent are part of the gate, which nobody inside changes alone."""
        key = Actor(tenant_id=world.tenant_id, kind=ActorKind.KEY, id="k", label="ci")
        for me in (world.cast.noor, key):
            with pytest.raises(NotAllowed):
                commands.register_agent(actor=me, slug="mine", title="Mine")
            with pytest.raises(NotAllowed):
                commands.register_agent_version(actor=me, agent="support", prompt="", tools=[])

    def test_pins_the_version_of_a_conversation(self, world: World) -> None:
        said = world.say("Hello")
        commands.register_agent_version(
            actor=world.cast.system, agent="support", prompt="New.", tools=["calculate"]
        )
        with world.answering(says("Hi.")) as model:
            world.advance(said.run_id)
        assert model.asked[0].system == "Help the customers of the shop."

    def test_never_changes_a_version(self, world: World) -> None:
        for change in ("UPDATE agents_version SET prompt = ''", "DELETE FROM agents_version"):
            with (
                pytest.raises((ProgrammingError, InternalError)),
                in_tenant(world.tenant_id),
                connection.cursor() as cursor,
            ):
                cursor.execute(change)
        with in_tenant(world.tenant_id):
            assert AgentVersion.objects.count() == 1


class TestMakeRunnable:
    def test_queues_a_waiting_run_once(self, world: World) -> None:
        said = waiting(world)
        (call,) = world.calls(said.run_id)
        world.vote(call.proposal_id, Choice.REJECT)
        me = world.cast.system
        subscribers.wake_the_run(actor=me, subject=proposal_of(call), data={})
        before = world.run(said.run_id)
        subscribers.wake_the_run(actor=me, subject=proposal_of(call), data={})
        assert (before.state, world.run(said.run_id).head_seq) == ("queued", before.head_seq)

    def test_ignores_proposals_of_others(self, world: World) -> None:
        subscribers.wake_the_run(actor=world.cast.system, subject=uuid7(), data={})


class TestHoldScope:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (ScopeKind.TENANT, ""),
            (ScopeKind.AGENT, "support"),
            (ScopeKind.TOOL, "cancel_pending_order"),
            (ScopeKind.RUN, "run"),
        ],
    )
    def test_parks_runs_and_holds_clocks_until_the_release(
        self, world: World, kind: ScopeKind, value: str
    ) -> None:
        said = waiting(world)
        switch = stop(world, kind, str(said.run_id) if value == "run" else value)
        world.relay()
        run = world.run(said.run_id)
        assert (run.state, run.parked_state) == ("paused", "waiting_approval")
        assert run.switch_id == switch.id
        (call,) = world.calls(said.run_id)
        assert world.card(call).frozen
        assert world.kinds(said.conversation_id)[-1] == "paused"

        if kind is ScopeKind.TENANT:
            controls.release(actor=world.cast.omar, switch_id=switch.id, reason="Fixed.")
            other = world.cast.add("olga", roles=("operator",))
            third = world.cast.add("oleg", roles=("operator",))
            for actor in (other, third):
                if switches.switch(actor=actor, switch_id=switch.id).engaged:
                    controls.release(actor=actor, switch_id=switch.id, reason="Fixed.")
        else:
            release(world, switch)
        world.relay()
        assert world.run(said.run_id).state == "waiting_approval"
        card = world.card(call)
        assert not card.frozen

    def test_holds_clocks_from_the_engagement_however_late_it_comes(self, world: World) -> None:
        said = waiting(world)
        (call,) = world.calls(said.run_id)
        switch = stop(world, ScopeKind.AGENT, "support")
        with clock.frozen(world.card(call).decide_by + timedelta(hours=1)):
            assert commands.hold_scope(actor=world.cast.system, switch_id=switch.id) == 1
            card = world.card(call)
        assert (card.state, card.frozen) == (ProposalState.OPEN, True)
        with in_tenant(world.tenant_id):
            assert Freeze.objects.get(proposal=card.id).since == switch.engaged_at

    def test_leaves_other_scopes_alone(self, world: World) -> None:
        said = waiting(world)
        stop(world, ScopeKind.TOOL, "modify_user_address")
        world.relay()
        assert world.run(said.run_id).state == "waiting_approval"

    def test_doing_it_again_changes_nothing(self, world: World) -> None:
        said = waiting(world)
        switch = stop(world, ScopeKind.AGENT, "support")
        assert commands.hold_scope(actor=world.cast.system, switch_id=switch.id) == 1
        assert commands.hold_scope(actor=world.cast.system, switch_id=switch.id) == 0
        assert world.kinds(said.conversation_id).count("paused") == 1

    def test_lets_nothing_approved_run_under_a_stop(self, world: World) -> None:
        said = waiting(world)
        (call,) = world.calls(said.run_id)
        world.vote(call.proposal_id)
        switch = stop(world, ScopeKind.TOOL, "cancel_pending_order")
        commands.wake_decided(actor=world.cast.system)
        assert world.advance(said.run_id) is Progress.PAUSED
        assert world.order(PENDING, SOFIA)["status"] == "pending"

        release(world, switch)
        world.relay()
        commands.wake_decided(actor=world.cast.system)
        with world.answering(says("Done.")):
            assert world.advance(said.run_id) is Progress.ENDED
        assert world.order(PENDING, SOFIA)["status"] == "cancelled"

    def test_parks_a_queued_run_at_its_claim(self, world: World) -> None:
        said = world.say("Hello")
        switch = stop(world, ScopeKind.AGENT, "support")
        assert world.advance(said.run_id) is Progress.NOT_MINE
        assert world.run(said.run_id).state == "paused"
        release(world, switch)
        world.relay()
        with world.answering(says("Hi.")):
            assert world.advance(said.run_id) is Progress.ENDED

    def test_stays_parked_while_another_stop_stands(self, world: World) -> None:
        said = waiting(world)
        first = stop(world, ScopeKind.AGENT, "support")
        world.relay()
        second = stop(world, ScopeKind.RUN, str(said.run_id))
        release(world, first)
        world.relay()
        run = world.run(said.run_id)
        assert (run.state, run.switch_id) == ("paused", second.id)


class TestCancelRun:
    def test_withdraws_what_waits(self, world: World) -> None:
        said = waiting(world)
        (call,) = world.calls(said.run_id)
        omar = with_permissions(world.cast.omar, "runs.start")
        commands.cancel_run(actor=omar, run_id=said.run_id)
        card = world.card(call)
        assert card.state is ProposalState.WITHDRAWN
        assert world.calls(said.run_id)[0].state == "withdrawn"
        run = world.run(said.run_id)
        assert (run.state, run.stop_reason) == ("cancelled", "cancelled")
        with pytest.raises(RunEnded):
            commands.cancel_run(actor=omar, run_id=said.run_id)

    def test_commits_the_end_and_what_it_takes_back_together(self, world: World) -> None:
        said = waiting(world)
        omar = with_permissions(world.cast.omar, "runs.start")
        commands.cancel_run(actor=omar, run_id=said.run_id)
        with in_tenant(world.tenant_id, read_only=True), connection.cursor() as cursor:
            cursor.execute(
                "SELECT r.state, c.state, p.state, r.xmin = p.xmin AND r.xmin = c.xmin"
                " FROM agents_run r JOIN agents_tool_call c ON c.run_id = r.id"
                " JOIN approvals_proposal p ON p.id = c.proposal_id WHERE r.id = %s",
                [said.run_id],
            )
            assert cursor.fetchall() == [("cancelled", "withdrawn", "withdrawn", True)]

    def test_refuses_reviewers_and_strangers(self, world: World) -> None:
        said = waiting(world)
        with pytest.raises(NotAllowed):
            commands.cancel_run(actor=world.cast.ruth, run_id=said.run_id)
        with pytest.raises(UnknownRun):
            commands.cancel_run(actor=world.cast.mallory, run_id=said.run_id)


class TestReap:
    def test_finishes_runs_without_celery_and_redis(self, world: World, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        live._redis.cache_clear()
        try:
            said = world.say("Hello")
            _age(world, said.run_id)
            with world.answering(says("Good day.")):
                assert duties._reap(world.tenant_id) == 1
            assert world.run(said.run_id).state == "completed"
        finally:
            live._redis.cache_clear()

    def test_finishes_a_run_whose_live_text_was_flushed(self, world: World) -> None:
        said = waiting(world)
        live._redis().delete(live._stream(said.run_id))
        world.vote(world.calls(said.run_id)[0].proposal_id)
        assert commands.wake_decided(actor=world.cast.system) == 1
        with world.answering(says("Done.")):
            assert world.advance(said.run_id) is Progress.ENDED

    def test_wakes_those_first_that_wait_longest(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runs = [waiting(world, order_id).run_id for order_id in (PENDING, "#W5500815")]
        for run_id in runs:
            world.vote(world.calls(run_id)[0].proposal_id)
        _age(world, runs[1])
        monkeypatch.setattr(queueing, "MOST_AT_ONCE", 1)
        states = []
        for _ in runs:
            assert commands.wake_decided(actor=world.cast.system) == 1
            states.append([world.run(run_id).state for run_id in runs])
        assert states == [["waiting_approval", "queued"], ["queued", "queued"]]
        assert commands.wake_decided(actor=world.cast.system) == 0

    def test_sends_fresh_ones_to_the_workers_again(self, world: World) -> None:
        said = world.say("Hello")
        _age(world, said.run_id, seconds=3)
        duties._reap(world.tenant_id)
        assert world.run(said.run_id).state == "queued"
        found = queries.stranded(actor=world.cast.system)
        assert [one.run_id for one in found] == [said.run_id]

    def test_leaves_running_and_waiting_ones_alone(self, world: World) -> None:
        said = waiting(world)
        assert duties._reap(world.tenant_id) == 0
        assert world.run(said.run_id).state == "waiting_approval"


class TestAdvanceRun:
    def test_tolerates_other_keywords_and_lost_runs(self, world: World) -> None:
        said = world.say("Hello")
        with world.answering(says("Hi.")):
            tasks.advance_run(run_id=str(said.run_id), tenant_id=str(world.tenant_id), later="x")
            tasks.advance_run(run_id=str(said.run_id), tenant_id=str(world.tenant_id))
        tasks.advance_run(run_id=str(uuid7()), tenant_id=str(world.tenant_id))
        assert world.run(said.run_id).state == "completed"


def _age(world: World, run_id: Any, *, seconds: int = 60) -> None:
    with in_tenant(world.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_run SET state_at = state_at - make_interval(secs => %s) WHERE id = %s",
            [seconds, run_id],
        )


class TestTables:
    @pytest.mark.parametrize(
        ("function", "table"),
        [("agents_run_may_move", states.NEXT_RUN), ("agents_call_may_move", states.NEXT_CALL)],
    )
    def test_triggers_repeat_the_tables_of_moves(self, function: str, table: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [function])
            (source,) = cursor.fetchone()
        for before, after in table.items():
            for one in type(before):
                pair = f"('{before.value}', '{one.value}')"
                assert (pair in source) == (one in after), pair

    def test_every_state_has_a_row(self) -> None:
        assert set(states.NEXT_RUN) == set(states.RunState)
        assert set(states.NEXT_CALL) == set(states.CallState)
        assert all(not states.NEXT_RUN[state] for state in states.FINAL_RUN)

    def test_refuse_illegal_rows(self, world: World) -> None:
        said = waiting(world)
        (call,) = world.calls(said.run_id)
        illegal: dict[str, tuple[type[Run | ToolCall], UUID, dict[str, Any]]] = {
            "run_transition_allowed": (Run, said.run_id, {"state": "completed"}),
            "run_lease_only_while_running": (Run, said.run_id, {"lease_owner": "x"}),
            "run_epoch_never_falls": (Run, said.run_id, {"epoch": 0}),
            "tool_call_args_never_change": (ToolCall, call.pk, {"args": {"order_id": "#W2"}}),
            "tool_call_transition_allowed": (ToolCall, call.pk, {"state": "succeeded"}),
        }
        for name, (model, key, values) in illegal.items():
            with pytest.raises(IntegrityError, match=name), in_tenant(world.tenant_id):
                model.objects.filter(pk=key).update(**values)

    def test_keep_one_active_root_run_per_conversation(self, world: World) -> None:
        said = world.say("Hello")
        run = world.run(said.run_id)
        run.pk = uuid7()
        with (
            pytest.raises(IntegrityError, match="run_one_active_root_per_conversation"),
            in_tenant(world.tenant_id),
        ):
            run.save(force_insert=True)

    def test_hide_another_tenants_rows(self, world: World) -> None:
        world.say("Hello")
        with in_tenant(world.cast.elsewhere.id):
            assert not Run.objects.exists()


class TestReads:
    def test_cannot_write(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        use = Use(name="get_order_details", args={"order_id": PENDING})
        with world.answering(calls(use), says("There.")) as model:
            world.advance(said.run_id)
            result = model.asked[-1].turns[-1].results[0]
        assert result.content["result"]["status"] == "pending"
        (call,) = world.calls(said.run_id)
        assert (call.state, call.proposal_id, call.attempt) == ("succeeded", None, 1)

    def test_run_side_by_side_and_answer_in_the_models_order(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        look = Use(name="get_order_details", args={"order_id": PENDING})
        with world.answering(calls(cancel(), look), says("Done.")) as model:
            assert world.advance(said.run_id) is Progress.WAITS
            states_now = [call.state for call in world.calls(said.run_id)]
            assert states_now == ["waiting_approval", "succeeded"]
            world.vote(world.calls(said.run_id)[0].proposal_id)
            world.relay()
            world.advance(said.run_id)
            results = model.asked[-1].turns[-1].results
        assert [result.failed for result in results] == [False, False]
        assert results[1].content["result"]["status"] == "pending"

    def test_of_another_customer_are_refused(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        use = Use(name="get_order_details", args={"order_id": "#W2631563"})
        with world.answering(calls(use), says("No.")) as model:
            world.advance(said.run_id)
            assert model.asked[-1].turns[-1].results[0].failed
