"""A run whose writes rules decide: born approved, born blocked, and taken back to people."""

from typing import Any

from agents.llm.scripted import Use
from agents.runtime.engine import Progress
from approvals import queries as desk
from approvals.cards import Explained
from tests.agents.world import (
    PENDING,
    SOFIA,
    World,
    calls,
    cancel,
    proposal_of,
    says,
)
from tests.approvals.policies.rules import FINANCE, rule, spoken, when

ADDRESS = {"match": {"tool": "modify_*_address"}}


def move() -> Use:
    """Return a call of tier 1."""
    address = {"address1": "1 New Road", "address2": "", "city": "Austin", "state": "TX"}
    return Use(
        name="modify_pending_order_address",
        args={"order_id": PENDING, **address, "country": "USA", "zip": "78701"},
    )


def why(world: World, run_id: Any) -> Explained:
    (call,) = world.calls(run_id)
    return desk.explain(actor=world.cast.ruth, proposal_id=proposal_of(call))


class TestRules:
    def test_let_a_low_risk_write_run_without_people(self, world: World) -> None:
        spoken(world.cast, rule("addresses", "allow", **ADDRESS))
        said = world.say("Send it elsewhere", customer=SOFIA)
        with world.answering(calls(move()), says("Done.")):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert call.state == "succeeded"
        assert "waiting" not in world.kinds(said.conversation_id)
        told = [frame.text for frame in world.frames(said.conversation_id)]
        assert any("A rule of our team allows this" in text for text in told)

    def test_deny_a_write_and_let_the_run_go_on(self, world: World) -> None:
        spoken(world.cast, rule("never", "deny", match={"tool": "cancel_*"}))
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel()), says("That is not possible.")):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert (call.state, call.error_code) == ("denied", "approval.blocked")
        assert world.order(PENDING, SOFIA)["status"] == "pending"

    def test_know_the_customer_and_the_records_from_the_gate(self, world: World) -> None:
        test = {
            "all": [when("/target/customer", "eq", SOFIA), when("/target/orders", "eq", PENDING)]
        }
        spoken(world.cast, rule("hers", "hold", when=test, require=FINANCE))
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            assert world.advance(said.run_id) is Progress.WAITS
        found = why(world, said.run_id).evaluation
        assert found is not None
        assert found.rules == ("shop-writes/hers",)
        assert found.facts["channel"] == "widget"

    def test_ask_people_when_a_rule_asks_for_more_before_the_dispatch(self, world: World) -> None:
        said = world.say("Send it elsewhere", customer=SOFIA)
        with world.answering(calls(move()), says("Done.")):
            assert world.advance(said.run_id) is Progress.WAITS
            (call,) = world.calls(said.run_id)
            world.vote(call.proposal_id)
            spoken(world.cast, rule("finance", "hold", **ADDRESS, require=FINANCE))
            world.relay()
            assert world.advance(said.run_id) is Progress.WAITS
            (call,) = world.calls(said.run_id)
            card = world.card(call)
            assert (call.state, card.state) == ("waiting_approval", "open")
