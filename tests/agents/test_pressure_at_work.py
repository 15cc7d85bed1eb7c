"""A run that asks people for too much waits and goes on; one that repeats itself is told so."""

from agents.llm.scripted import Use
from agents.runtime import commands
from agents.runtime.engine import Progress
from approvals.commands.pressure import MOST_OF_RUN
from approvals.states import Choice
from console.kernel import clock
from tests.agents.world import PENDING, SOFIA, World, calls, cancel, proposal_of, says


def moves(many: int) -> list[Use]:
    """Return calls of tier 1 that differ in the house number."""
    address = {"address2": "", "city": "Austin", "state": "TX", "country": "USA", "zip": "78701"}
    return [
        Use(
            name="modify_pending_order_address",
            args={"order_id": PENDING, "address1": f"{n} New Road", **address},
        )
        for n in range(many)
    ]


class TestPressure:
    def test_lets_the_run_wait_on_a_timer_and_ask_again(self, world: World) -> None:
        said = world.say("Send it elsewhere", customer=SOFIA)
        with world.answering(calls(*moves(MOST_OF_RUN + 1)), says("Done.")):
            assert world.advance(said.run_id) is Progress.WAITS
            *asked, late = world.calls(said.run_id)
            assert {call.state for call in asked} == {"waiting_approval"}
            assert (late.state, late.proposal_id) == ("proposed", None)
            run = world.run(said.run_id)
            assert run.state == "waiting_timer"
            assert run.due_at is not None
            with clock.frozen(run.due_at):
                assert commands.wake_due(actor=world.cast.system) == 1
            assert world.advance(said.run_id) is Progress.WAITS
            assert world.run(said.run_id).state == "waiting_timer"

    def test_is_over_when_people_have_decided_some(self, world: World) -> None:
        said = world.say("Send it elsewhere", customer=SOFIA)
        with world.answering(calls(*moves(MOST_OF_RUN + 1)), says("Done.")):
            assert world.advance(said.run_id) is Progress.WAITS
            first, *_ = world.calls(said.run_id)
            world.vote(proposal_of(first), Choice.REJECT)
            world.relay()
            assert world.run(said.run_id).state == "queued"
            assert world.advance(said.run_id) is Progress.WAITS
            *_, late = world.calls(said.run_id)
            assert late.state == "waiting_approval"
            assert world.run(said.run_id).state == "waiting_approval"


class TestRepeats:
    def test_are_told_with_the_reason_of_the_rejection(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel()), calls(cancel()), says("They will not.")):
            assert world.advance(said.run_id) is Progress.WAITS
            (call,) = world.calls(said.run_id)
            world.vote(call.proposal_id, Choice.REJECT)
            world.relay()
            assert world.advance(said.run_id) is Progress.ENDED
        _, again = world.calls(said.run_id)
        assert (again.state, again.error_code) == ("denied", "approval.repeated")
        told = str(again.result)
        assert "do not ask for it again" in told
        assert "Reason: " in told
        frames = [frame.text for frame in world.frames(said.conversation_id)]
        assert any("declined the same request a short while ago" in text for text in frames)
