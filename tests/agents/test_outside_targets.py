"""Targets outside: the last look is seconds old, and the write is good for what people saw."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from agents.llm.scripted import Use
from agents.models import ToolCall
from agents.runtime import commands
from agents.runtime.engine import Progress
from agents.tools import registry
from approvals import queries as desk
from approvals.cards import ProposalDetail
from approvals.models import Dispatch
from approvals.states import DispatchState, ProposalState
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.agents import pages_elsewhere
from tests.agents.pages_elsewhere import PAGE, wiki
from tests.agents.world import SOFIA, World, calls, make_world, proposal_of, says
from tests.cast import Cast

NEW = {"page": PAGE, "text": "new"}
WINDOW = "between the last look at its target and the change a moment remains"


@pytest.fixture
def world(cast: Cast) -> World:
    pages_elsewhere.register()
    pages_elsewhere.reset()
    made = make_world(cast)
    commands.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="Edit pages.",
        tools=[tool.name for tool in registry.every(domain=pages_elsewhere.DOMAIN)],
        confirm_tiers=(),
        plan_writes=True,
    )
    return made


def asked(world: World, *uses: Use) -> ToolCall:
    """Have the agent ask for a write, so that it waits for people."""
    said = world.say("Please do it", customer=SOFIA)
    with world.answering(calls(*(uses or (Use(name="edit_page", args=NEW),)))):
        world.advance(said.run_id)
    return world.calls(said.run_id)[0]


def agreed(world: World, *uses: Use) -> ToolCall:
    call = asked(world, *uses)
    world.vote(call.proposal_id)
    world.relay()
    return call


def carried(world: World, call: ToolCall) -> tuple[ToolCall, Progress]:
    """Let the run go on with what people agreed to."""
    with world.answering(says("Done.")):
        progress = world.advance(call.run_id)
    return world.calls(call.run_id)[0], progress


def detail(world: World, call: ToolCall) -> ProposalDetail:
    return desk.proposal(actor=world.cast.ruth, proposal_id=proposal_of(call))


def page(world: World, call: ToolCall) -> str:
    answer = world.cast.client("ruth").get(f"/reviews/{call.proposal_id}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


class Late(ExitStack):
    """Lets five seconds and more go by at each look, so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def look(self) -> None:
        if self.left:
            self.left -= 1
            self.enter_context(clock.frozen(clock.now() + timedelta(seconds=5, milliseconds=1)))


class TestTheLastLook:
    def test_is_taken_outside_of_every_transaction_and_kept(self, world: World) -> None:
        call, progress = carried(world, agreed(world))
        assert (call.state, progress) == ("succeeded", Progress.ENDED)
        assert wiki.waiting == [0, 0]  # before people are asked, and before it runs
        sent = detail(world, call).dispatch
        assert sent is not None
        assert sent.seen_at is not None
        assert timedelta(0) <= sent.claimed_at - sent.seen_at <= timedelta(seconds=5)
        assert "Its target outside was looked at" in page(world, call)

    def test_is_taken_so_when_the_page_is_opened_too(self, world: World) -> None:
        call = asked(world, Use(name="stamp_page", args=NEW))
        wiki.changed("somebody else's")
        assert "What changed meanwhile" in page(world, call)
        assert world.card(call).state is ProposalState.STALE
        assert wiki.waiting == [0, 0]

    def test_is_taken_again_when_it_is_more_than_five_seconds_old(self, world: World) -> None:
        call = agreed(world)
        wiki.looks = 0
        with clock.frozen(clock.now()), Late(1) as late:
            wiki.on_look = late.look
            call, _progress = carried(world, call)
        assert (wiki.looks, call.state, wiki.text) == (2, "succeeded", "new")

    def test_that_is_never_lately_enough_stores_nothing_and_waits(self, world: World) -> None:
        call = agreed(world)
        wiki.looks = 0
        with clock.frozen(clock.now()), Late(9) as late:
            wiki.on_look = late.look
            again, progress = carried(world, call)
        assert (wiki.looks, progress, wiki.sent) == (3, Progress.WAITS, [])
        assert (again.state, again.attempt) == ("approved", 0)
        assert world.run(call.run_id).state == "waiting_timer"
        assert world.card(call).state is ProposalState.APPROVED
        with in_tenant(world.tenant_id, read_only=True):
            assert not Dispatch.objects.filter(proposal_id=proposal_of(call)).exists()

    def test_takes_another_target_back_to_people(self, world: World) -> None:
        call = agreed(world)
        wiki.changed("somebody else's")
        again, progress = carried(world, call)
        assert (again.state, progress, wiki.sent) == (
            "waiting_approval",
            Progress.WAITS,
            [],
        )
        card = world.card(call)
        assert (card.state, card.revision_no) == (ProposalState.OPEN, 2)


class TestTheVersion:
    def test_stands_in_what_people_agree_to_and_goes_with_the_write(self, world: World) -> None:
        call = asked(world)
        before = detail(world, call).content.before
        assert before["pages"][PAGE] == {"text": "old", "etag": "v1"}
        world.vote(call.proposal_id)
        world.relay()
        carried(world, call)
        assert (wiki.sent, wiki.text) == (["v1"], "new")

    def test_that_the_target_has_not_any_more_is_drift_and_no_failure(self, world: World) -> None:
        call = agreed(world)
        wiki.before_write = lambda: wiki.changed("somebody else's")
        call, progress = carried(world, call)
        assert (call.state, call.error_code) == ("withdrawn", "approval.drifted")
        assert (progress, wiki.text, wiki.sent) == (Progress.ENDED, "somebody else's", ["v1"])
        sent = detail(world, call).dispatch
        assert sent is not None
        assert sent.state is DispatchState.STALE
        shown = page(world, call)
        assert "Not made, because the target had changed" in shown
        assert "another one than people saw" in shown
        said = [frame.text for frame in world.frames(world.run(call.run_id).conversation_id)]
        assert "The record changed in the last moment: Write p-1. Nothing was changed." in said
        told = {line.action for line in detail(world, call).history}
        assert ("dispatch.staled" in told, "dispatch.failed" in told) == (True, False)

    def test_met_by_a_repeated_attempt_leaves_it_to_a_person(self, world: World) -> None:
        """The first attempt may have made the version that the second one meets."""
        call = agreed(world)
        wiki.after_write = pages_elsewhere.lose_the_answer
        call, progress = carried(world, call)
        assert (call.state, call.attempt, progress) == ("unknown", 2, Progress.WAITS)
        assert wiki.sent == ["v1", "v1"]

    def test_that_a_target_does_not_give_leaves_it_alone(self, world: World) -> None:
        wiki.versioned = False
        said = world.say("Please do it", customer=SOFIA)
        with world.answering(calls(Use(name="edit_page", args=NEW)), says("No.")):
            world.advance(said.run_id)
        (call,) = world.calls(said.run_id)
        assert (call.state, call.error_code) == ("failed", "tool.version_missing")
        assert call.proposal_id is None

    def test_between_two_writes_of_one_plan_is_known_to_nobody(self, world: World) -> None:
        said = world.say("Please do it", customer=SOFIA)
        twice = (Use(name="edit_page", args=NEW), Use(name="edit_page", args={**NEW, "text": "x"}))
        with world.answering(calls(*twice)):
            world.advance(said.run_id)
        first, second = world.calls(said.run_id)
        assert (first.state, second.state) == ("waiting_approval", "failed")
        assert second.error_code == "tool.version_unforeseen"


class TestTheWindow:
    @pytest.mark.parametrize(("tool", "remains"), [("stamp_page", True), ("edit_page", False)])
    def test_is_named_where_a_target_knows_no_versions(
        self, world: World, tool: str, *, remains: bool
    ) -> None:
        call = asked(world, Use(name=tool, args=NEW))
        assert (WINDOW in page(world, call)) is remains
