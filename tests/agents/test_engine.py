"""One step after the other: claim, model, commit, propose, mark, effect, store."""

import threading
from uuid import UUID

import pytest

from agents.errors import Fenced, ModelFailed
from agents.llm.scripted import Reply, Use
from agents.models import Run
from agents.runtime import (
    commands,
    engine,
    fence,
    queries,
    settling,
    stepping,
    timeline,
    transcript,
)
from agents.runtime.engine import Progress
from agents.runtime.held import Held
from approvals.states import Choice
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    ETHAN,
    ETHANS,
    PENDING,
    SOFIA,
    World,
    calls,
    cancel,
    digest_of,
    in_background,
    says,
)


class TestAdvance:
    def test_answers_a_message(self, world: World) -> None:
        said = world.say("Hello")
        with world.answering(says("Good ", "day.")):
            assert world.advance(said.run_id) is Progress.ENDED

        run = world.run(said.run_id)
        assert (run.state, run.stop_reason, run.lease_until) == ("completed", "done", None)
        assert [f.text for f in world.frames(said.conversation_id)] == ["Hello", "Good day."]

    def test_carries_a_write_from_the_proposal_to_the_changed_record(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel()), says("It is cancelled.")):
            assert world.advance(said.run_id) is Progress.WAITS
            run = world.run(said.run_id)
            assert (run.state, run.lease_until, run.lease_owner) == ("waiting_approval", None, "")
            (call,) = world.calls(said.run_id)
            assert world.order(PENDING, SOFIA)["status"] == "pending"

            world.vote(call.proposal_id)
            world.relay()
            assert world.run(said.run_id).state == "queued"
            assert world.advance(said.run_id) is Progress.ENDED

        assert world.order(PENDING, SOFIA)["status"] == "cancelled"
        (call,) = world.calls(said.run_id)
        assert (call.state, call.attempt) == ("succeeded", 1)
        assert world.kinds(said.conversation_id) == [
            "text", "waiting", "decided", "executed", "text",
        ]  # fmt: skip

    def test_does_nothing_while_people_decide(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        assert world.advance(said.run_id) is Progress.NOT_MINE

    def test_asks_people_again_when_the_record_changed_after_their_votes(
        self, world: World
    ) -> None:
        first = world.say("Cancel it", customer=ETHAN)
        with world.answering(calls(cancel(ETHANS))):
            world.advance(first.run_id)
        (call,) = world.calls(first.run_id)
        seen = digest_of(call)
        world.vote(call.proposal_id)
        other = world.say("Pay otherwise", customer=ETHAN, end_user="visitor-2")
        use = Use(
            name="modify_pending_order_payment",
            args={"order_id": ETHANS, "payment_method_id": "credit_card_9789590"},
        )
        with world.answering(calls(use), says("Done.")):
            world.advance(other.run_id)
            world.vote(world.calls(other.run_id)[0].proposal_id)
            world.wake(other.run_id)
            world.advance(other.run_id)
        assert world.calls(other.run_id)[0].state == "succeeded"

        world.relay()
        assert world.advance(first.run_id) is Progress.WAITS
        (call,) = world.calls(first.run_id)
        card = world.card(call)
        assert (call.state, card.state, card.revision_no) == ("waiting_approval", "open", 2)
        assert digest_of(call) != seen
        assert card.digest == digest_of(call)
        assert world.order(ETHANS, ETHAN)["status"] == "pending"

        world.vote(call.proposal_id)
        world.relay()
        with world.answering(says("Cancelled.")):
            assert world.advance(first.run_id) is Progress.ENDED
        assert world.order(ETHANS, ETHAN)["status"] == "cancelled"

    def test_tells_the_model_why_people_said_no(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel()), says("It was declined.")) as model:
            world.advance(said.run_id)
            (call,) = world.calls(said.run_id)
            world.vote(call.proposal_id, Choice.REJECT)
            world.relay()
            assert world.advance(said.run_id) is Progress.ENDED

            result = model.asked[-1].turns[-1].results[0]
        assert result.failed
        assert result.content["error"]["code"] == "approval.rejected"
        assert "Offer a return instead." in result.content["error"]["message"]
        assert "Too soon" not in str(result.content)
        assert world.calls(said.run_id)[0].state == "denied"
        assert world.order(PENDING, SOFIA)["status"] == "pending"
        texts = " ".join(frame.text for frame in world.frames(said.conversation_id))
        assert "declined" in texts
        assert "Their rules do not allow it." in texts
        assert "Too soon" not in texts
        assert "Offer a return" not in texts

    def test_returns_typed_errors_with_pointers_for_bad_arguments(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        bad = Use(name="cancel_pending_order", args={"order_id": 7, "why": "x"})
        with world.answering(calls(bad), says("Sorry.")) as model:
            world.advance(said.run_id)
            error = model.asked[-1].turns[-1].results[0].content["error"]
        assert error["code"] == "tool.arguments_invalid"
        assert {problem["pointer"] for problem in error["problems"]} >= {"/order_id", "/reason"}
        assert world.calls(said.run_id)[0].state == "rejected_by_contract"

    def test_hands_over_after_three_misfits_in_a_row(self, world: World) -> None:
        said = world.say("Do it", customer=SOFIA)
        misfits = [
            Use(name="no_such_tool", args={}),
            Use(name="cancel_pending_order", raw='{"order_id": '),
            Use(name="cancel_pending_order", args={"order_id": 1}),
        ]
        with world.answering(*[calls(use) for use in misfits]):
            assert world.advance(said.run_id) is Progress.ENDED
        run = world.run(said.run_id)
        assert (run.state, run.stop_reason) == ("escalated", "contract_errors")
        assert world.kinds(said.conversation_id)[-1] == "handoff"

    def test_ends_a_loop_with_a_person(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        look = Use(name="get_order_details", args={"order_id": PENDING})
        with world.answering(*[calls(look)] * 6) as model:
            assert world.advance(said.run_id) is Progress.ENDED
        run = world.run(said.run_id)
        assert (run.state, run.stop_reason) == ("escalated", "loop_detected")
        assert len(model.asked) == 5
        assert "note" in model.asked[3].turns[-1].results[0].content

    def test_stops_at_the_cap_of_its_steps(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        with in_tenant(world.tenant_id):
            run = Run.objects.get(pk=said.run_id)
            run.total.steps_cap = 2
            run.total.save()
        looks = [calls(Use(name="calculate", args={"expression": f"{n} + 1"})) for n in range(4)]
        with world.answering(*looks):
            world.advance(said.run_id)
        assert world.run(said.run_id).stop_reason == "max_steps"

    def test_stores_no_call_of_an_answer_that_passes_the_cap(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        with in_tenant(world.tenant_id):
            run = Run.objects.get(pk=said.run_id)
            run.total.tool_calls_cap = 2
            run.total.save()
        looks = [Use(name="calculate", args={"expression": f"{n} + 1"}) for n in range(3)]
        with world.answering(calls(*looks[:2]), calls(*looks)):
            world.advance(said.run_id)
        assert world.run(said.run_id).stop_reason == "max_tool_calls"
        assert [call.state for call in world.calls(said.run_id)] == ["succeeded", "succeeded"]

    def test_hands_back_after_ten_steps(self, world: World) -> None:
        said = world.say("Hm", customer=SOFIA)
        looks = [calls(Use(name="calculate", args={"expression": f"{n} + 1"})) for n in range(12)]
        with world.answering(*looks, says("Done.")):
            assert world.advance(said.run_id) is Progress.HANDED_BACK
            assert world.run(said.run_id).state == "queued"
            assert world.advance(said.run_id) is Progress.ENDED

    def test_waits_as_long_as_a_limited_provider_asks(self, world: World) -> None:
        said = world.say("Hello")
        limited = Reply(fails=ModelFailed("rate_limited", "Slow down.", retry_after_s=3600))
        with world.answering(limited):
            assert world.advance(said.run_id) is Progress.WAITS
        run = world.run(said.run_id)
        assert (run.state, run.lease_until) == ("waiting_timer", None)
        assert commands.wake_due(actor=world.cast.system) == 0

        with in_tenant(world.tenant_id):
            Run.objects.filter(pk=said.run_id).update(due_at=run.created_at)
        assert commands.wake_due(actor=world.cast.system) == 1
        with world.answering(says("Hello.")):
            assert world.advance(said.run_id) is Progress.ENDED

    def test_keeps_no_part_of_an_answer_that_was_cut(self, world: World) -> None:
        said = world.say("Hello")
        cut = Reply(text=("Half an ans",), fails=ModelFailed("cut", "It broke off."))
        with world.answering(cut):
            assert world.advance(said.run_id) is Progress.WAITS
        assert world.kinds(said.conversation_id) == ["text"]

    def test_answers_what_was_written_meanwhile(self, world: World) -> None:
        said = world.say("Hello")
        started, go = threading.Event(), threading.Event()
        slow = Reply(text=("Good day.",), started=started, wait_for=go)
        with world.answering(slow, says("And that too.")) as model:
            worker = in_background(lambda: world.advance(said.run_id))
            assert started.wait(20)
            world.say("One more thing", conversation_id=said.conversation_id)
            go.set()
            worker.join()
        assert model.asked[-1].turns[-2].text == "One more thing"
        assert [f.text for f in world.frames(said.conversation_id)] == [
            "Hello", "One more thing", "Good day.", "And that too.",
        ]  # fmt: skip
        assert world.run(said.run_id).state == "completed"


class TestFence:
    def test_lets_one_of_two_workers_in(self, world: World) -> None:
        said = world.say("Hello")
        gate = threading.Barrier(2)
        seen: list[Progress] = []

        def work() -> None:
            gate.wait()
            seen.append(world.advance(said.run_id))

        with world.answering(says("Once."), says("Twice.")) as model:
            workers = [in_background(work) for _ in range(2)]
            for worker in workers:
                worker.join()
        assert sorted(seen) == [Progress.ENDED, Progress.NOT_MINE]
        assert len(model.asked) == 1
        assert world.kinds(said.conversation_id) == ["text", "text"]

    def test_a_second_delivery_writes_nothing(self, world: World) -> None:
        said = world.say("Hello")
        with world.answering(says("Once.")):
            world.advance(said.run_id)
        before = world.run(said.run_id)
        assert world.advance(said.run_id) is Progress.NOT_MINE
        after = world.run(said.run_id)
        assert (after.epoch, after.head_seq, after.state_at) == (
            before.epoch, before.head_seq, before.state_at,
        )  # fmt: skip

    def test_a_worker_without_its_lease_stores_no_answer(self, world: World) -> None:
        said = world.say("Hello")
        started, go = threading.Event(), threading.Event()
        slow = Reply(text=("Late.",), started=started, wait_for=go)
        seen: list[Progress] = []
        with world.answering(slow, says("In time.")):
            late = in_background(lambda: seen.append(world.advance(said.run_id)))
            assert started.wait(20)
            _let_the_lease_lapse(world, said.run_id)
            assert world.advance(said.run_id) is Progress.ENDED
            go.set()
            late.join()
        assert seen == [Progress.FENCED]
        assert [f.text for f in world.frames(said.conversation_id)] == ["Hello", "In time."]

    def test_names_both_epochs(self, world: World) -> None:
        said = world.say("Hello")
        held = _claimed(world, said.run_id)
        _let_the_lease_lapse(world, said.run_id)
        newer = _claimed(world, said.run_id)
        with pytest.raises(Fenced) as lost, in_tenant(world.tenant_id):
            timeline.pass_fence(held)
        assert (lost.value.mine, lost.value.theirs) == (1, newer.epoch)

    def test_stores_a_step_once(self, world: World) -> None:
        said = world.say("Hello")
        held = _claimed(world, said.run_id)
        prepared = transcript.prepared(actor=held.actor, about=held.about)
        with in_tenant(world.tenant_id):
            timeline.step(held, timeline.Note(type="call.planned"), seen=prepared.head_seq)
        with pytest.raises(Fenced), in_tenant(world.tenant_id):
            timeline.step(held, timeline.Note(type="call.planned"), seen=prepared.head_seq)

    def test_renews_only_its_own_lease(self, world: World) -> None:
        said = world.say("Hello")
        held = _claimed(world, said.run_id)
        me = world.cast.system
        assert fence.renew(actor=me, run_id=said.run_id, epoch=held.epoch)
        assert not fence.renew(actor=me, run_id=said.run_id, epoch=held.epoch + 1)

    def test_fails_a_run_that_broke_three_workers(self, world: World) -> None:
        said = world.say("Hello")
        for _ in range(3):
            _claimed(world, said.run_id)
            _let_the_lease_lapse(world, said.run_id)
        assert world.advance(said.run_id) is Progress.NOT_MINE
        run = world.run(said.run_id)
        assert (run.state, run.stop_reason) == ("failed", "poison")

    def test_keeps_the_last_traceback_of_poison(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = world.say("Hello")

        def broken(*_args: object) -> None:
            raise RuntimeError("kaputt")

        monkeypatch.setattr(stepping, "model_call", broken)
        for _ in range(3):
            assert world.advance(said.run_id) is Progress.FAILED
        assert world.advance(said.run_id) is Progress.NOT_MINE
        run = world.run(said.run_id)
        assert run.stop_reason == "poison"
        assert "kaputt" in run.error

    def test_numbers_events_without_gaps(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel()), says("Done.")):
            world.advance(said.run_id)
            world.vote(world.calls(said.run_id)[0].proposal_id)
            world.relay()
            world.advance(said.run_id)
        seqs = [e.seq for e in queries.events(actor=world.cast.system, run_id=said.run_id)]
        assert seqs == list(range(1, len(seqs) + 1))


class TestPark:
    def test_goes_on_if_people_decided_before_the_run_waited(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            held = _claimed(world, said.run_id)
            engine._step(held)
            waits = settling.settle(held)
            (call,) = world.calls(said.run_id)
            world.vote(call.proposal_id)
            world.relay()
            assert world.run(said.run_id).state == "running"
            engine.park(actor=held.actor, held=held, waits=waits)
        assert world.run(said.run_id).state == "queued"
        card = world.card(call)
        assert card.state == "approved"


def _claimed(world: World, run_id: UUID) -> Held:
    me = world.cast.system
    about = fence.about(actor=me, run_id=run_id)
    held = fence.claim(actor=me, about=about, worker="test")
    assert held is not None
    return held


def _let_the_lease_lapse(world: World, run_id: UUID) -> None:
    with in_tenant(world.tenant_id):
        run = Run.objects.get(pk=run_id)
        Run.objects.filter(pk=run_id).update(lease_until=run.created_at)
