"""A reviewer asks; the agent answers in words, and its run does not move."""

import json
import threading
from typing import Any

import pytest

from agents.errors import ModelFailed
from agents.llm import explaining
from agents.llm.ports import Inquiry
from agents.llm.scripted import Reply
from agents.models import ToolCall
from agents.runtime import answering
from agents.tasks import answer_question
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import CommentCard, ProposalCard
from approvals.states import CommentKind
from console.kernel import clock, pulse
from console.kernel.ids import uuid7
from tests.agents.world import PENDING, SOFIA, World, calls, cancel, says

REASON = "no longer needed"


@pytest.fixture
def card(world: World) -> ProposalCard:
    """Return a cancellation that waits for people; the customer had named the order."""
    said = world.say(f"Please cancel order {PENDING}, I ordered by mistake.", customer=SOFIA)
    with world.answering(calls(cancel())):
        world.advance(said.run_id)
    return world.card(call_of(world, said.run_id))


def call_of(world: World, run: Any) -> ToolCall:
    (call,) = world.calls(run)
    return call


def ask(
    world: World,
    card: ProposalCard,
    text: str = "Why?",
    kind: CommentKind = CommentKind.QUESTION,
    *,
    pause: bool = False,
) -> CommentCard:
    return approvals.ask(
        actor=world.cast.ruth, proposal_id=card.id, kind=kind, text=text, pause=pause
    )


def thread(world: World, card: ProposalCard) -> Any:
    return desk.thread(actor=world.cast.ruth, proposal_id=card.id)


def now(world: World, card: ProposalCard) -> ProposalCard:
    return desk.proposal(actor=world.cast.ruth, proposal_id=card.id).card


class TestAnswer:
    def test_asks_the_model_without_tools_and_with_the_proposal(
        self, world: World, card: ProposalCard
    ) -> None:
        asked = ask(world, card, "Is that the right order?")
        assert card.run_id is not None
        before = world.run(card.run_id)
        with world.answering(says("The customer named it.")) as model:
            assert answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
            (request,) = model.asked

        assert request.tools == ()
        (turn,) = request.turns
        for part in ("cancel_pending_order", PENDING, "ordered by mistake", "the right order"):
            assert part in turn.text
        (line,) = thread(world, card)
        assert (line.answer.text, line.answer.author_kind) == ("The customer named it.", "agent")
        after = world.run(card.run_id)
        assert (after.state, after.head_seq) == (before.state, before.head_seq)
        assert now(world, card).revision_no == 1

    def test_says_nothing_to_the_customer(self, world: World, card: ProposalCard) -> None:
        asked = ask(world, card)
        assert card.conversation_id is not None
        frames = len(world.frames(card.conversation_id))
        with world.answering(says("Between us.")):
            answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        assert len(world.frames(card.conversation_id)) == frames

    def test_is_given_once(self, world: World, card: ProposalCard) -> None:
        asked = ask(world, card)
        with world.answering(says("One.")):
            assert answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
            assert not answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        (line,) = thread(world, card)
        assert line.answer.text == "One."

    def test_of_rules_says_where_the_arguments_came_from(
        self, world: World, card: ProposalCard
    ) -> None:
        asked = ask(world, card)
        assert answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        (line,) = thread(world, card)
        said = line.answer.text
        assert f"- order id {PENDING}: from the customer's message “Please cancel order" in said
        assert "- reason ordered by mistake: from the customer's message" in said
        assert "It would change status from pending to cancelled." in said
        assert "no language model" in said

    def test_leaves_the_question_open_when_no_model_answers(
        self, world: World, card: ProposalCard
    ) -> None:
        asked = ask(world, card)
        with world.answering(Reply(fails=ModelFailed("timeout", "Too slow."))):
            assert not answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        assert thread(world, card)[0].waits

    def test_comes_by_the_fact_and_a_task(self, world: World, card: ProposalCard) -> None:
        asked = ask(world, card)
        world.relay()
        answer_question(comment_id=str(asked.id), tenant_id=str(world.tenant_id))
        assert not thread(world, card)[0].waits
        answer_question(comment_id=str(uuid7()), tenant_id=str(world.tenant_id))


class TestRequestForChanges:
    def wanted(self, world: World, card: ProposalCard, text: str) -> CommentCard:
        return ask(world, card, text, CommentKind.REQUEST_CHANGES, pause=True)

    def test_lets_the_agent_change_its_arguments(self, world: World, card: ProposalCard) -> None:
        asked = self.wanted(world, card, "The reason should be another one.")
        change = {"args": {"order_id": PENDING, "reason": REASON}, "say": "You are right."}
        with world.answering(says(f"Here it is: {json.dumps(change)}")):
            answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)

        found = desk.proposal(actor=world.cast.ruth, proposal_id=card.id)
        assert (found.card.revision_no, found.content.args["reason"]) == (2, REASON)
        (line,) = thread(world, card)
        assert (line.answer.text, line.answer.revision_no) == ("You are right.", 2)
        world.relay()
        assert card.run_id is not None
        assert call_of(world, card.run_id).effective_args == change["args"]

    def test_of_rules_follows_a_named_argument(self, world: World, card: ProposalCard) -> None:
        asked = self.wanted(world, card, f"Please set the reason to {REASON}.")
        answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        found = desk.proposal(actor=world.cast.ruth, proposal_id=card.id)
        assert found.content.args["reason"] == REASON
        assert "changed reason to no longer needed" in thread(world, card)[0].answer.text

    def test_may_be_answered_with_a_reason_instead(self, world: World, card: ProposalCard) -> None:
        asked = self.wanted(world, card, "Something else.")
        with world.answering(says("The customer said exactly this.")):
            answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        assert now(world, card).revision_no == 1
        assert thread(world, card)[0].answer.text == "The customer said exactly this."

    @pytest.mark.parametrize(
        "args", [{"order_id": PENDING, "reason": "because"}, {"order_id": "#W1"}, {}]
    )
    def test_that_does_not_fit_is_answered_with_the_refusal(
        self, world: World, card: ProposalCard, args: dict[str, str]
    ) -> None:
        asked = self.wanted(world, card, "Change it.")
        with world.answering(says(json.dumps({"args": args, "say": "Done."}))):
            answering.answer(tenant_id=world.tenant_id, comment_id=asked.id)
        assert now(world, card).revision_no == 1
        assert thread(world, card)[0].answer.text.startswith("I could not change it: ")


class TestAnswerLeft:
    def test_answers_what_no_worker_did(self, world: World, card: ProposalCard) -> None:
        ask(world, card)
        pulse.run_once("runs.answers")
        assert thread(world, card)[0].waits
        with clock.frozen(clock.later(clock.now(), seconds=61)):
            assert answering.answer_left(tenant_id=world.tenant_id) == 1
        assert not thread(world, card)[0].waits

    def test_gives_up_and_lets_the_clock_run(self, world: World, card: ProposalCard) -> None:
        ask(world, card, pause=True)
        broken = Reply(fails=ModelFailed("timeout", "Too slow."))
        with world.answering(broken), clock.frozen(clock.later(clock.now(), seconds=301)):
            assert answering.answer_left(tenant_id=world.tenant_id) == 1
        (line,) = thread(world, card)
        assert line.answer.text.startswith("No answer came from the agent.")
        assert line.answer.author_kind == "system"


class TestExplain:
    def inquiry(self, question: str, **other: Any) -> Inquiry:
        values: dict[str, Any] = {
            "question": question,
            "wants_changes": True,
            "title": "Refund",
            "args": {"amount": "12.00", "times": 1, "loud": False, "ids": ["a"], "note": "x"},
            "input_schema": {
                "properties": {
                    "amount": {"type": "string"},
                    "times": {"type": "integer"},
                    "loud": {"type": "boolean"},
                    "ids": {"type": "array", "items": {"type": "string"}},
                    "note": {"type": "string"},
                    "kind": {"type": "string", "enum": ["full", "full refund"]},
                }
            },
            "said": (),
            "read": (),
            "changes": (),
        }
        return Inquiry(**{**values, **other})

    @pytest.mark.parametrize(
        ("question", "wanted"),
        [
            ("amount to 10.00.", {"amount": "10.00"}),
            ("Amount: 10.00; times = 2", {"amount": "10.00", "times": 2}),
            ("The note should be “Sorry; really.”", {"note": "Sorry; really."}),
            ("loud is yes", {"loud": True}),
            ("ids to a, b", {"ids": ["a", "b"]}),
            ("kind: full refund please", {"kind": "full refund"}),
            ("kind: half", {}),
            ("amount to 12.00", {}),
            ("times to many", {}),
            ("Do better.", {}),
        ],
    )
    def test_reads_a_named_argument_and_its_value(
        self, question: str, wanted: dict[str, Any]
    ) -> None:
        assert explaining.wanted_changes(self.inquiry(question)) == wanted

    def test_says_what_can_be_changed_when_nothing_is_named(self) -> None:
        said = explaining.answer(self.inquiry("Do better."))
        assert "I can change: amount, times, loud, ids, note, kind." in said

    def test_names_what_is_in_no_record(self) -> None:
        inquiry = self.inquiry("?", wants_changes=False, said=("Refund 12.00",))
        said = explaining.answer(inquiry)
        assert "- amount 12.00: from the customer's message “Refund 12.00”" in said
        assert "- ids a: chosen by the agent" in said

    def test_ends_soon_whatever_is_asked(self) -> None:
        hostile = self.inquiry("amount " * 400 + "\n" * 900 + "note to " * 200)
        done = threading.Event()

        def work() -> None:
            explaining.answer(hostile)
            done.set()

        threading.Thread(target=work, daemon=True).start()
        assert done.wait(5)
