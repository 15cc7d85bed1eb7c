"""Several writes of one answer become one plan, where the agent's version asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.conversations import commands as conversations
from agents.llm.scripted import Use
from agents.runtime import commands as runtime
from agents.runtime import faults
from agents.runtime.engine import Progress
from agents.showcase.retail.models import Order
from agents.tools import registry
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import PlanCard
from approvals.states import Choice, ProposalState
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    PENDING,
    SOFIA,
    Said,
    World,
    calls,
    cancel,
    digest_of,
    make_world,
    proposal_of,
    says,
    touch,
)
from tests.approvals.test_regressions import breaking_at
from tests.architecture.test_gate import ADDRESS
from tests.cast import Cast

OTHER = "#W5500815"  # pending as well


def address(city: str) -> Use:
    values = {"order_id": PENDING, **ADDRESS, "city": city}
    return Use(name="modify_pending_order_address", args=values)


@pytest.fixture
def planner(cast: Cast) -> World:
    return make_planner(cast)


def make_planner(cast: Cast, *, confirm_tiers: tuple[int, ...] = ()) -> World:
    """Return a world whose agent asks for plans."""
    world = make_world(cast)
    runtime.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="Help the customers of the shop, in plans.",
        tools=[tool.name for tool in registry.every(domain="retail")],
        model_policy={"provider": "rules", "model": "rules"},
        confirm_tiers=confirm_tiers,
        plan_writes=True,
    )
    return world


def plan_of(world: World, run_id: UUID) -> PlanCard:
    first = world.calls(run_id)[0]
    found = desk.plan_of(actor=world.cast.ruth, proposal_id=proposal_of(first))
    assert found is not None
    return found


def waiting(world: World, run_id: UUID) -> PlanCard:
    """Have the agent ask for a plan, and return it."""
    assert world.advance(run_id) is Progress.WAITS
    return plan_of(world, run_id)


def agree(world: World, said: Said) -> None:
    """Have the end user agree to every change that they are asked about."""
    for call in world.calls(said.run_id):
        assert call.proposal_id is None
        conversations.confirm_call(
            actor=world.visitor,
            conversation_id=said.conversation_id,
            call_id=call.pk,
            digest=digest_of(call),
            agree=True,
        )


def city(world: World) -> str:
    return str(world.order(PENDING, SOFIA)["address"]["city"])


def status(world: World) -> str:
    return str(world.order(PENDING, SOFIA)["status"])


def probed(world: World, plan: PlanCard) -> bool:
    """Look at the targets of a plan, as pulse does every five minutes."""
    return approvals.probe(actor=world.cast.system, proposal_id=plan.id, every_s=0)


@contextmanager
def touched_after_the_first(world: World) -> Iterator[None]:
    """Have somebody else change the order when the first change is made."""
    left = [None]

    def change(here: faults.Point) -> None:
        if here is faults.Point.P6 and left:
            left.clear()
            with in_tenant(world.tenant_id):
                touch(Order.objects.get(order_id=PENDING), world.cast.system)

    faults.observers.append(change)
    try:
        yield
    finally:
        faults.observers.remove(change)


class TestPlanWrites:
    def test_makes_one_plan_of_the_writes_of_one_answer_and_runs_them_in_order(
        self, planner: World
    ) -> None:
        said = planner.say("Change the address, then cancel.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), cancel()), says("Both are done.")):
            plan = waiting(planner, said.run_id)
            assert [one.card.tool for one in plan.steps] == [
                "modify_pending_order_address", "cancel_pending_order",
            ]  # fmt: skip
            assert city(planner) != "Dallas"
            planner.vote(plan.id)
            planner.relay()
            assert planner.advance(said.run_id) is Progress.ENDED

        assert (city(planner), status(planner)) == ("Dallas", "cancelled")
        assert plan_of(planner, said.run_id).done == 2
        assert [call.state for call in planner.calls(said.run_id)] == ["succeeded"] * 2

    def test_plans_a_later_change_on_what_an_earlier_one_leaves(self, planner: World) -> None:
        said = planner.say("Change it twice.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), address("Tulsa")), says("Done.")):
            plan = waiting(planner, said.run_id)
            first, second = (one.content for one in plan.steps)
            assert second.before == first.after != first.before
            planner.vote(plan.id)
            planner.relay()
            planner.advance(said.run_id)
        assert city(planner) == "Tulsa"

    def test_opens_a_normal_proposal_for_whatever_comes_besides(self, planner: World) -> None:
        said = planner.say("Change it twice, then cancel.", customer=SOFIA)
        both = calls(address("Dallas"), address("Tulsa"))
        with planner.answering(both, calls(cancel()), says("Done.")):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id)
            planner.relay()
            assert planner.advance(said.run_id) is Progress.WAITS
            further = planner.card(planner.calls(said.run_id)[2])
        assert (further.state, further.plan_id) == (ProposalState.OPEN, None)
        assert status(planner) == "pending"

    def test_leaves_a_single_write_alone(self, planner: World) -> None:
        said = planner.say("Cancel it.", customer=SOFIA)
        with planner.answering(calls(cancel())):
            planner.advance(said.run_id)
        assert planner.card(planner.calls(said.run_id)[0]).plan_id is None

    def test_refuses_a_misfit_and_plans_the_rest(self, planner: World) -> None:
        said = planner.say("Cancel it, and change it twice.", customer=SOFIA)
        answer = calls(address("Dallas"), cancel("#W0000000"), address("Tulsa"))
        with planner.answering(answer):
            plan = waiting(planner, said.run_id)
        assert [one.content.args["city"] for one in plan.steps] == ["Dallas", "Tulsa"]
        assert [call.state for call in planner.calls(said.run_id)] == [
            "waiting_approval", "failed", "waiting_approval",
        ]  # fmt: skip

    def test_is_a_proposal_each_where_the_version_does_not_ask_for_it(self, world: World) -> None:
        said = world.say("Change it, then cancel.", customer=SOFIA)
        with world.answering(calls(address("Dallas"), cancel())):
            world.advance(said.run_id)
        assert {world.card(call).plan_id for call in world.calls(said.run_id)} == {None}


class TestEndings:
    def test_of_a_rejected_plan_tell_every_call_why(self, planner: World) -> None:
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), cancel()), says("Declined.")):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id, Choice.REJECT)
            planner.relay()
            assert planner.advance(said.run_id) is Progress.ENDED
        for call in planner.calls(said.run_id):
            assert (call.state, call.error_code) == ("denied", "approval.rejected")
            assert "Offer a return instead." in str(call.result)
        assert (city(planner), status(planner)) == ("Austin", "pending")

    def test_of_a_broken_plan_keep_what_was_made(self, planner: World) -> None:
        said = planner.say("Change it, then cancel two.", customer=SOFIA)
        answer = calls(address("Dallas"), cancel(), cancel(OTHER))
        with planner.answering(answer, says("Only the first is done.")):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id)
            planner.relay()
            with touched_after_the_first(planner):
                assert planner.advance(said.run_id) is Progress.ENDED
        assert [call.state for call in planner.calls(said.run_id)] == [
            "succeeded", "withdrawn", "withdrawn",
        ]  # fmt: skip
        assert {call.error_code for call in planner.calls(said.run_id)[1:]} == {
            "approval.plan_broken"
        }
        assert city(planner) == "Dallas"

    def test_of_a_run_end_its_plan(self, planner: World) -> None:
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), cancel())):
            plan = waiting(planner, said.run_id)
        runtime.cancel_run(actor=planner.cast.omar, run_id=said.run_id)
        found = desk.proposal(actor=planner.cast.ruth, proposal_id=plan.id)
        assert found.card.state is ProposalState.WITHDRAWN


class TestTargets:
    """What the shop's own records say, looked at by pulse."""

    def test_another_one_is_seen_while_people_decide_and_handed_back(self, planner: World) -> None:
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        both = calls(address("Dallas"), cancel())
        with planner.answering(both, says("I looked again.")):
            plan = waiting(planner, said.run_id)
            assert not probed(planner, plan)
            with in_tenant(planner.tenant_id):
                touch(Order.objects.get(order_id=PENDING), planner.cast.system)
            assert probed(planner, plan)
            found = desk.proposal(actor=planner.cast.ruth, proposal_id=plan.id)
            assert found.card.state is ProposalState.STALE
            assert {line.path for line in found.drift if line.mark != "same"}
            approvals.hand_back(
                actor=planner.cast.ruth,
                proposal_id=plan.id,
                revision_no=1,
                seen_digest=found.card.digest,
            )
            planner.relay()
            assert planner.advance(said.run_id) is Progress.ENDED
        assert {call.error_code for call in planner.calls(said.run_id)} == {"approval.handed_back"}
        assert (city(planner), status(planner)) == ("Austin", "pending")

    def test_of_a_later_change_breaks_a_plan_that_runs(self, planner: World) -> None:
        said = planner.say("Change it, then cancel two.", customer=SOFIA)
        scope = Scope(kind=ScopeKind.TOOL, value="cancel_pending_order")
        answer = calls(address("Dallas"), cancel(), cancel(OTHER))
        with planner.answering(answer):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id)
            planner.relay()
            controls.engage(actor=planner.cast.omar, scope=scope, reason="Count them first.")
            assert planner.advance(said.run_id) is Progress.PAUSED
        assert not probed(planner, plan), "what the first change did is as planned"
        with in_tenant(planner.tenant_id):
            touch(Order.objects.get(order_id=OTHER), planner.cast.system)
        assert probed(planner, plan)
        found = plan_of(planner, said.run_id)
        assert [one.card.state.value for one in found.steps] == [
            "dispatched", "withdrawn", "withdrawn",
        ]  # fmt: skip
        assert city(planner) == "Dallas"


class TestCrash:
    @pytest.mark.parametrize("point", [faults.Point.P4, faults.Point.P5, faults.Point.P6])
    def test_between_and_within_changes_leaves_each_done_once(
        self, planner: World, point: faults.Point
    ) -> None:
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), cancel()), says("Both are done.")):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id)
            planner.relay()
            with breaking_at(point):
                assert planner.advance(said.run_id) is Progress.FAILED
            assert status(planner) == "pending"
            assert planner.advance(said.run_id) is Progress.ENDED
        assert (city(planner), status(planner)) == ("Dallas", "cancelled")
        assert [call.attempt for call in planner.calls(said.run_id)] == [1, 1]

    def test_of_nothing_a_stop_holds_the_next_change(self, planner: World) -> None:
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        scope = Scope(kind=ScopeKind.TOOL, value="cancel_pending_order")
        with planner.answering(calls(address("Dallas"), cancel()), says("Both are done.")):
            plan = waiting(planner, said.run_id)
            planner.vote(plan.id)
            planner.relay()
            stop = controls.engage(actor=planner.cast.omar, scope=scope, reason="Count them first.")
            assert planner.advance(said.run_id) is Progress.PAUSED
            assert (city(planner), status(planner)) == ("Dallas", "pending")
            controls.release(actor=planner.cast.omar, switch_id=stop.id, reason="Counted.")
            runtime.release_scope(actor=planner.cast.system, switch_id=stop.id)
            assert planner.advance(said.run_id) is Progress.ENDED
        assert status(planner) == "cancelled"


class TestEndUser:
    def test_agrees_to_each_change_before_people_see_the_plan(self, cast: Cast) -> None:
        planner = make_planner(cast, confirm_tiers=(1, 2))
        said = planner.say("Change it, then cancel.", customer=SOFIA)
        with planner.answering(calls(address("Dallas"), cancel()), says("Done.")):
            assert planner.advance(said.run_id) is Progress.WAITS
            agree(planner, said)
            plan = waiting(planner, said.run_id)
        assert len(plan.steps) == 2


class TestRules:
    def test_plan_what_was_asked_for_in_one_message(self, cast: Cast) -> None:
        planner = make_planner(cast, confirm_tiers=(1, 2))
        said = planner.say(
            f"Please cancel order {PENDING}, I ordered it by mistake. Also cancel order {OTHER}, "
            "it is no longer needed.",
            customer=SOFIA,
        )
        assert planner.advance(said.run_id) is Progress.WAITS
        agree(planner, said)
        plan = waiting(planner, said.run_id)
        assert [one.content.args["order_id"] for one in plan.steps] == [PENDING, OTHER]
        planner.vote(plan.id)
        planner.relay()
        assert planner.advance(said.run_id) is Progress.ENDED
        assert {planner.order(one, SOFIA)["status"] for one in (PENDING, OTHER)} == {"cancelled"}

    def test_ask_what_another_change_needs_before_the_first(self, planner: World) -> None:
        said = planner.say(
            f"Please cancel order {PENDING}, I ordered it by mistake. Also cancel order {OTHER}.",
            customer=SOFIA,
        )
        assert planner.advance(said.run_id) is Progress.ENDED  # with a question
        assert planner.calls(said.run_id) == []
