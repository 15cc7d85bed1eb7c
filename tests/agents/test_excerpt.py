from typing import Any

from agents.runtime.excerpt import background
from approvals.cards import Subject
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from tests.agents.world import PENDING, SOFIA, Said, World, calls, cancel, make_world, says
from tests.cast import Cast


def proposed(world: World, text: str) -> tuple[Said, Subject]:
    """Have the agent propose to cancel an order, after something was said."""
    said = world.say(text, customer=SOFIA)
    with world.answering(calls(cancel())):
        world.advance(said.run_id)
    (call,) = world.calls(said.run_id)
    return said, Subject(kind="tool_call", id=call.pk)


def read(actor: Actor, subject: Subject, **args: Any) -> Any:
    return background(actor=actor, subject=subject, args=args)


class TestBackground:
    def test_gives_the_last_messages_and_whose_words_the_arguments_are(self, cast: Cast) -> None:
        world = make_world(cast)
        _, subject = proposed(world, f"Cancel {PENDING.lower()} please, it is broken.")
        found = read(
            cast.ruth, subject, order_id=PENDING, reason="ordered by mistake", n=1, why=["Broken"]
        )
        first = found.said[0]
        assert first.by == "customer"
        assert first.text == f"Cancel {PENDING.lower()} please, it is broken."
        assert found.total == len(found.said)
        assert found.customers_words == ("order_id", "why[0]")

    def test_takes_whole_words_only(self, cast: Cast) -> None:
        world = make_world(cast)
        _, subject = proposed(world, f"Cancel {PENDING}, it was 41800 yen.")
        found = read(cast.ruth, subject, order_id=PENDING, amount=4180, total=41800, short="it")
        assert found.customers_words == ("order_id", "total")

    def test_shows_six_messages_and_counts_the_others(self, cast: Cast) -> None:
        world = make_world(cast)
        said = world.say("one", customer=SOFIA)
        for number in range(8):
            with world.answering(says(f"answer {number}")):
                world.advance(said.run_id)
            said = world.say(f"more {number}", conversation_id=said.conversation_id, customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        (call,) = world.calls(said.run_id)
        found = read(cast.ruth, Subject(kind="tool_call", id=call.pk))
        assert len(found.said) == 6
        assert found.total >= 17
        assert found.said[-1].at >= found.said[0].at

    def test_tells_nothing_to_those_who_may_not_look_at_runs(self, cast: Cast) -> None:
        world = make_world(cast)
        _, subject = proposed(world, "Cancel it.")
        assert read(cast.add("nobody", roles=()), subject) is None
        assert read(cast.mallory, subject) is None
        assert read(cast.ruth, Subject(kind="tool_call", id=uuid7())) is None

    def test_stands_on_the_page(self, cast: Cast) -> None:
        world = make_world(cast)
        said, _ = proposed(world, f"Cancel {PENDING} <b>now</b>\u202e")
        (call,) = world.calls(said.run_id)
        page = cast.client("ruth").get(f"/reviews/{call.proposal_id}/").content.decode()
        assert "Written by the customer, not verified" in page
        assert "&lt;b&gt;now&lt;/b&gt;" in page
        assert "\u202e" not in page
        assert "<strong>order_id</strong> repeats what the customer wrote" in page
        assert f"/runs/{said.run_id}/#transcript-title" in page
