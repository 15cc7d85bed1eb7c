"""Intake of messages, the confirm card, the transcript, and hand-offs."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.errors import Stopped
from agents.controls.states import ScopeKind
from agents.conversations import commands, queries
from agents.errors import (
    BadMessage,
    ConfirmChanged,
    NothingToConfirm,
    NotYours,
    UnknownAgent,
    UnknownCall,
    UnknownConversation,
)
from agents.llm.answers import agreement
from agents.llm.scripted import Use
from agents.models import Conversation, Message, Run
from agents.runtime.engine import Progress
from agents.showcase.retail.models import Order
from console.kernel.errors import NotAllowed
from console.kernel.models import OutboxRow
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    PENDING,
    SOFIA,
    SOFIA_MAIL,
    World,
    calls,
    cancel,
    digest_of,
    in_background,
    make_world,
    says,
    touch,
)
from tests.cast import Cast, with_permissions


@pytest.fixture
def careful(cast: Cast) -> World:
    """The version asks the customer about every write."""
    return make_world(cast, confirm_tiers=(1, 2))


def asked(world: World) -> tuple[Any, Any]:
    """Return the receipt and the confirm card of a run that waits for the customer."""
    said = world.say("Cancel it", customer=SOFIA)
    with world.answering(calls(cancel())):
        assert world.advance(said.run_id) is Progress.WAITS
    card = world.frames(said.conversation_id)[-1]
    assert (card.kind, world.run(said.run_id).state) == ("confirm", "waiting_user")
    return said, card


def confirm(world: World, said: Any, card: Any, *, agree: bool, digest: str = "") -> None:
    commands.confirm_call(
        actor=world.visitor,
        conversation_id=said.conversation_id,
        call_id=card.parts["call"],
        digest=digest or card.parts["digest"],
        agree=agree,
        end_user="visitor-1",
    )


class TestReceiveMessage:
    def test_stores_the_message_and_queues_a_run_at_once(self, world: World) -> None:
        said = world.say("Hello")
        run = world.run(said.run_id)
        assert (run.state, said.seq, said.repeated) == ("queued", 1, False)
        with in_tenant(world.tenant_id):
            rows = OutboxRow.objects.filter(kind="task", tenant_id=world.tenant_id)
            tasks = rows.filter(target="agents.advance_run")
            assert [row.payload["kwargs"]["run_id"] for row in tasks] == [str(run.pk)]

    def test_returns_the_first_receipt_for_the_same_client_id(self, world: World) -> None:
        first = world.say("Hello", client_id="m-1")
        again = world.say("Hello", client_id="m-1")
        assert (again.conversation_id, again.run_id, again.repeated) == (
            first.conversation_id, first.run_id, True,
        )  # fmt: skip
        inside = world.say("Hello", client_id="m-1", conversation_id=first.conversation_id)
        assert inside.repeated
        assert world.kinds(first.conversation_id) == ["text"]

    def test_takes_one_of_many_equal_messages_sent_at_once(self, world: World) -> None:
        said = world.say("Hello")
        with world.answering(says("Hi.")):
            world.advance(said.run_id)
        barrier = threading.Barrier(6)

        def send() -> None:
            barrier.wait()
            world.say("Again", client_id="m-2", conversation_id=said.conversation_id)

        for thread in [in_background(send) for _ in range(6)]:
            thread.join()
        with in_tenant(world.tenant_id):
            assert Message.objects.filter(client_id="m-2").count() == 1
            assert Run.objects.filter(conversation_id=said.conversation_id).count() == 2

    def test_keeps_one_active_run_per_conversation(self, world: World) -> None:
        first = world.say("Hello")
        second = world.say("Are you there?", conversation_id=first.conversation_id)
        assert second.run_id == first.run_id

    def test_says_honestly_that_people_still_decide(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        more = world.say("And?", conversation_id=said.conversation_id)
        assert "still waiting" in more.notice
        assert world.run(said.run_id).state == "waiting_approval"

    def test_refuses_while_the_agent_is_stopped(self, world: World) -> None:
        controls.engage(
            actor=world.cast.omar,
            scope=Scope(kind=ScopeKind.AGENT, value="support"),
            reason="Wrong refunds.",
        )
        with pytest.raises(Stopped) as refused:
            world.say("Hello")
        assert refused.value.details["reason"] == "Wrong refunds."
        with in_tenant(world.tenant_id):
            assert not Message.objects.exists()

    @pytest.mark.parametrize(
        "text", ["", "   ", "x" * 4001, "a\x00b", "half \ud83d"], ids=lambda text: repr(text)[:12]
    )
    def test_refuses_what_is_no_message(self, world: World, text: str) -> None:
        with pytest.raises(BadMessage):
            world.say(text)

    def test_refuses_a_client_id_that_cannot_be_one(self, world: World) -> None:
        for client_id in ("x" * 101, "a\nb"):
            with pytest.raises(BadMessage):
                world.say("Hello", client_id=client_id)

    def test_refuses_unknown_agents_and_conversations(self, world: World) -> None:
        with pytest.raises(UnknownConversation):
            world.say("Hello", conversation_id=uuid4())
        world.agent = "nobody"
        with pytest.raises(UnknownAgent):
            world.say("Hello")

    def test_hides_the_conversation_of_another_end_user(self, world: World) -> None:
        said = world.say("Hello")
        with pytest.raises(NotYours) as refused:
            world.say("Hello", conversation_id=said.conversation_id, end_user="somebody")
        assert refused.value.status == 404

    def test_belongs_to_one_customer_for_ever(self, world: World) -> None:
        said = world.say("I am Sofia")
        one = Use(name="find_user_id_by_email", args={"email": SOFIA_MAIL})
        two = Use(name="find_user_id_by_email", args={"email": "mei.ahmed5231@example.com"})
        with world.answering(calls(one), calls(two), says("Sorry.")) as model:
            world.advance(said.run_id)
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert world.conversation(said.conversation_id).customer == SOFIA
        assert error["code"] == "retail.other_customer"
        with (
            pytest.raises(Exception, match="conversation_one_customer"),
            in_tenant(world.tenant_id),
        ):
            Conversation.objects.filter(pk=said.conversation_id).update(customer="other")


class TestConfirmCall:
    def test_shows_the_exact_change_and_goes_on_with_a_yes(self, careful: World) -> None:
        said, card = asked(careful)
        fields = {line["field"]: (line["before"], line["after"]) for line in card.parts["lines"]}
        assert fields["status"] == ("pending", "cancelled")
        assert careful.calls(said.run_id)[0].proposal_id is None

        confirm(careful, said, card, agree=True)
        assert careful.advance(said.run_id) is Progress.WAITS
        (call,) = careful.calls(said.run_id)
        assert (call.confirmation, call.state) == ("agreed", "waiting_approval")
        assert digest_of(call) == card.parts["digest"]

    def test_closes_the_call_with_a_no(self, careful: World) -> None:
        said, card = asked(careful)
        confirm(careful, said, card, agree=False)
        with careful.answering(says("All right.")) as model:
            assert careful.advance(said.run_id) is Progress.ENDED
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert error["code"] == "user.refused"
        assert careful.calls(said.run_id)[0].state == "withdrawn"
        assert careful.order(PENDING, SOFIA)["status"] == "pending"

    def test_takes_a_plain_yes_in_words(self, careful: World) -> None:
        said, _card = asked(careful)
        careful.say("Yes, please!", conversation_id=said.conversation_id)
        assert careful.advance(said.run_id) is Progress.WAITS
        assert careful.run(said.run_id).state == "waiting_approval"

    def test_takes_other_words_for_no_agreement(self, careful: World) -> None:
        said, _card = asked(careful)
        careful.say("What about my other order?", conversation_id=said.conversation_id)
        with careful.answering(says("Which one?")) as model:
            careful.advance(said.run_id)
            error = model.asked[-1].turns[1].results[0].content["error"]
        assert error["code"] == "user.moved_on"

    def test_refuses_another_digest(self, careful: World) -> None:
        said, card = asked(careful)
        with pytest.raises(ConfirmChanged):
            confirm(careful, said, card, agree=True, digest="0" * 64)
        assert careful.run(said.run_id).state == "waiting_user"

    def test_refuses_a_second_answer(self, careful: World) -> None:
        said, card = asked(careful)
        confirm(careful, said, card, agree=False)
        with pytest.raises(NothingToConfirm):
            confirm(careful, said, card, agree=True)

    def test_knows_no_call_of_another_conversation(self, careful: World) -> None:
        _said, card = asked(careful)
        other = careful.say("Hello", end_user="visitor-2")
        with pytest.raises(UnknownCall):
            confirm(careful, other, card, agree=True)

    def test_asks_again_if_the_record_changed_before_the_proposal(self, careful: World) -> None:
        said, card = asked(careful)
        confirm(careful, said, card, agree=True)
        _change_the_order(careful)
        assert careful.advance(said.run_id) is Progress.WAITS
        newer = careful.frames(said.conversation_id)[-1]
        assert (newer.kind, careful.run(said.run_id).state) == ("confirm", "waiting_user")
        assert newer.parts["digest"] != card.parts["digest"]


def _change_the_order(world: World) -> None:
    """Somebody else pays the order back by hand."""
    with in_tenant(world.tenant_id):
        order = Order.objects.get(order_id=PENDING)
        touch(order, world.cast.system)


class TestTranscript:
    def test_continues_after_a_number_without_gaps(self, world: World) -> None:
        said = world.say("Hello")
        with world.answering(says("Hi.")):
            world.advance(said.run_id)
        world.say("More", conversation_id=said.conversation_id)
        later = queries.transcript(
            actor=world.visitor, conversation_id=said.conversation_id, after_seq=1
        )
        assert [frame.seq for frame in later] == [2, 3]

    def test_is_hidden_from_others(self, world: World) -> None:
        said = world.say("Hello")
        with pytest.raises(NotYours):
            queries.transcript(
                actor=world.visitor, conversation_id=said.conversation_id, end_user="somebody"
            )
        with pytest.raises(UnknownConversation):
            queries.transcript(actor=world.cast.mallory, conversation_id=said.conversation_id)


class TestCloseHandoff:
    def test_gives_the_conversation_back(self, world: World) -> None:
        said = world.say("A person please", customer=SOFIA)
        use = Use(name="transfer_to_human_agents", args={"summary": "Wants a person."})
        with world.answering(calls(use)):
            assert world.advance(said.run_id) is Progress.ENDED
        assert world.run(said.run_id).state == "escalated"
        assert queries.standing(
            actor=world.visitor, conversation_id=said.conversation_id
        ).handed_off
        silent = world.say("Hello?", conversation_id=said.conversation_id)
        assert "person" in silent.notice

        with pytest.raises(NotAllowed):
            commands.close_handoff(
                actor=world.cast.ruth, conversation_id=said.conversation_id, give_back=True
            )
        omar = with_permissions(world.cast.omar, "runs.start")
        commands.close_handoff(actor=omar, conversation_id=said.conversation_id, give_back=True)
        assert world.run(said.run_id).state == "completed"
        again = world.say("Hello again", conversation_id=said.conversation_id)
        assert world.run(again.run_id).state == "queued"


class TestAgreement:
    @pytest.mark.parametrize(
        "text", ["yes", "Yes!", "OK", "go ahead.", "Yes, please do", "I confirm"]
    )
    def test_is_a_plain_yes(self, text: str) -> None:
        assert agreement(text) is True

    @pytest.mark.parametrize("text", ["no", "No, thanks", "don't", "Stop!", "never mind"])
    def test_is_a_plain_no(self, text: str) -> None:
        assert agreement(text) is False

    @pytest.mark.parametrize(
        "text", ["yes but another address", "no idea", "", "cancel the other one", "yes no"]
    )
    def test_is_neither_for_anything_else(self, text: str) -> None:
        assert agreement(text) is None
