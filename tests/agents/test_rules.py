"""The planner without a language model, through the whole runtime and on its own."""

from dataclasses import replace
from uuid import UUID

import pytest

from agents.llm import rules
from agents.llm.planning import Call, Say
from agents.llm.ports import AgentTurn, ModelRequest, ToolSpec, Turn, UserTurn
from agents.runtime import fence, transcript
from agents.runtime.engine import Progress
from approvals.states import Choice
from tests.agents.world import DELIVERED, PENDING, SOFIA, SOFIA_MAIL, Said, World, make_world
from tests.cast import Cast


@pytest.fixture
def shop(cast: Cast) -> World:
    return make_world(cast, confirm_tiers=(1, 2))


def last(world: World, conversation_id: UUID) -> str:
    return world.frames(conversation_id)[-1].text


def tell(world: World, first: str, *texts: str) -> Said:
    """Say one thing after the other and return the last receipt."""
    said = world.say(first)
    world.advance(said.run_id)
    for text in texts:
        said = world.say(text, conversation_id=said.conversation_id)
        world.advance(said.run_id)
    return said


class TestDialogue:
    def test_cancels_an_order_in_one_message_up_to_the_confirmation(self, shop: World) -> None:
        said = shop.say(
            f"Please cancel order {PENDING}, I ordered it by mistake. My email is {SOFIA_MAIL}"
        )
        assert shop.advance(said.run_id) is Progress.WAITS
        card = shop.frames(said.conversation_id)[-1]
        assert (card.kind, shop.run(said.run_id).state) == ("confirm", "waiting_user")
        assert [call.tool for call in shop.calls(said.run_id)] == [
            "find_user_id_by_email", "cancel_pending_order",
        ]  # fmt: skip
        assert shop.conversation(said.conversation_id).customer == SOFIA

        shop.say("yes", conversation_id=said.conversation_id)
        shop.advance(said.run_id)
        shop.vote(shop.calls(said.run_id)[-1].proposal_id)
        shop.relay()
        assert shop.advance(said.run_id) is Progress.ENDED
        assert shop.order(PENDING, SOFIA)["status"] == "cancelled"
        assert last(shop, said.conversation_id).startswith(f"Order {PENDING} is cancelled.")
        badge = shop.run(said.run_id).model_badge
        assert badge == {"provider": "rules", "model": "rules", "live": True}

    def test_asks_one_question_at_a_time(self, shop: World) -> None:
        said = tell(shop, "I want to cancel an order")
        assert "who you are" in last(shop, said.conversation_id)
        said = tell(shop, "I want to cancel an order", "My name is Sofia Rossi, zip 78784")
        assert last(shop, said.conversation_id).startswith("Which order is it?")
        assert PENDING in last(shop, said.conversation_id)

    def test_tells_the_customer_of_a_decline_without_the_note(self, shop: World) -> None:
        said = shop.say(f"Cancel {PENDING}, ordered by mistake, {SOFIA_MAIL}")
        shop.advance(said.run_id)
        shop.say("yes", conversation_id=said.conversation_id)
        shop.advance(said.run_id)
        shop.vote(shop.calls(said.run_id)[-1].proposal_id, Choice.REJECT)
        shop.relay()
        assert shop.advance(said.run_id) is Progress.ENDED
        answer = last(shop, said.conversation_id)
        assert "declined" in answer
        assert "Nothing was changed." in answer
        assert "Too soon" not in answer

    def test_quotes_the_shop_when_it_refuses(self, shop: World) -> None:
        said = shop.say(f"Cancel {DELIVERED}, ordered by mistake, {SOFIA_MAIL}")
        assert shop.advance(said.run_id) is Progress.ENDED
        assert "“Non-pending order cannot be cancelled" in last(shop, said.conversation_id)

    def test_shows_an_order_with_its_source(self, shop: World) -> None:
        said = shop.say(f"Where is my order {DELIVERED}? I am {SOFIA_MAIL}")
        assert shop.advance(said.run_id) is Progress.ENDED
        answer = last(shop, said.conversation_id)
        assert "status: delivered" in answer
        assert "(Source: look at an order.)" in answer

    def test_changes_the_address_of_an_order(self, shop: World) -> None:
        said = shop.say(
            f"Change the shipping address of order {PENDING} to 12 Elm Street, Suite 4, "
            f"city Waco, TX 76701, USA. I am {SOFIA_MAIL}"
        )
        assert shop.advance(said.run_id) is Progress.WAITS
        call = shop.calls(said.run_id)[-1]
        assert call.tool == "modify_pending_order_address"
        assert call.args == {
            "order_id": PENDING, "address1": "12 Elm Street", "address2": "Suite 4",
            "city": "Waco", "state": "TX", "country": "USA", "zip": "76701",
        }  # fmt: skip

    def test_returns_an_item_by_its_name(self, shop: World) -> None:
        said = shop.say(f"I want to return the vacuum cleaner of {DELIVERED}. {SOFIA_MAIL}")
        assert shop.advance(said.run_id) is Progress.WAITS
        call = shop.calls(said.run_id)[-1]
        assert (call.tool, call.args["item_ids"]) == (
            "return_delivered_order_items", ["1304426904"],
        )  # fmt: skip

    def test_hands_over_on_request_without_asking_who(self, shop: World) -> None:
        said = shop.say("I want to talk to a human")
        assert shop.advance(said.run_id) is Progress.ENDED
        assert shop.run(said.run_id).state == "escalated"

    def test_hands_over_the_second_time_it_understands_nothing(self, shop: World) -> None:
        said = tell(shop, SOFIA_MAIL, "Blub", "Blah")
        assert shop.run(said.run_id).stop_reason == "handed_off"

    def test_does_nothing_after_a_no(self, shop: World) -> None:
        said = shop.say(f"Cancel {PENDING}, ordered by mistake, {SOFIA_MAIL}")
        shop.advance(said.run_id)
        shop.say("no", conversation_id=said.conversation_id)
        assert shop.advance(said.run_id) is Progress.ENDED
        assert "left it as it is" in last(shop, said.conversation_id)
        assert shop.order(PENDING, SOFIA)["status"] == "pending"


def specs(world: World, *, asks_user: bool) -> tuple[ToolSpec, ...]:
    said = world.say("Hello")
    about = fence.about(actor=world.cast.system, run_id=said.run_id)
    tools = transcript.specs(about)
    return tuple(replace(spec, asks_user=asks_user and spec.effect == "write") for spec in tools)


def plan(tools: tuple[ToolSpec, ...], *turns: Turn) -> Say | Call:
    return rules.plan(ModelRequest(model="", system="", turns=turns, tools=tools, customer=SOFIA))


class TestPlan:
    def test_confirms_a_write_itself_where_the_console_does_not(self, shop: World) -> None:
        tools = specs(shop, asks_user=False)
        wish = UserTurn(text=f"Cancel order {PENDING}, it is no longer needed")
        question = plan(tools, wish)
        assert isinstance(question, Say)
        assert "- reason: no longer needed" in question.text
        asked = AgentTurn(text=question.text)
        assert plan(tools, wish, asked, UserTurn(text="yes")) == Call(
            tool="cancel_pending_order",
            args={"order_id": PENDING, "reason": "no longer needed"},
        )
        refused = plan(tools, wish, asked, UserTurn(text="no"))
        assert isinstance(refused, Say)
        assert "Nothing was changed." in refused.text

    def test_is_the_same_for_the_same_transcript(self, shop: World) -> None:
        tools = specs(shop, asks_user=True)
        turns = (UserTurn(text=f"Cancel {PENDING} by mistake"),)
        assert plan(tools, *turns) == plan(tools, *turns)

    def test_does_not_guess_between_tools_that_share_a_verb(self, shop: World) -> None:
        said = shop.say(f"Please modify {PENDING}", customer=SOFIA)
        assert shop.advance(said.run_id) is Progress.ENDED
        assert last(shop, said.conversation_id).startswith("Which of these do you mean?")
        assert not any(call.effect == "write" for call in shop.calls(said.run_id))

    @pytest.mark.parametrize(
        "text", ["", "\u202e\u200b", "a" * 4000, "(" * 4000, "#W" * 2000, "' OR 1=1 --"]
    )
    def test_survives_hostile_texts(self, shop: World, text: str) -> None:
        assert isinstance(plan(specs(shop, asks_user=True), UserTurn(text=text)), Say | Call)
