"""Celery hands a task out at least once; the second delivery finds nothing to do."""

import threading

import pytest

from agents import tasks
from agents.llm.scripted import Reply
from approvals.models import Dispatch
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    PENDING,
    SOFIA,
    Said,
    World,
    calls,
    cancel,
    in_background,
    make_world,
    says,
)
from tests.architecture.watch import Watch
from tests.cast import Cast

AT_ONCE = 4


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def deliver(world: World, said: Said) -> None:
    """Run the task as a worker does that has taken it from the queue."""
    tasks.advance_run(run_id=str(said.run_id), tenant_id=str(world.tenant_id))


def approved(world: World) -> Said:
    """Return a queued run whose one write people have agreed to."""
    said = world.say("Cancel it", customer=SOFIA)
    with world.answering(calls(cancel())):
        deliver(world, said)
    world.vote(world.calls(said.run_id)[0].proposal_id)
    world.relay()
    assert world.run(said.run_id).state == "queued"
    return said


def refunds(world: World) -> int:
    history = world.order(PENDING, SOFIA)["payment_history"]
    return sum(entry["transaction_type"] == "refund" for entry in history)


class TestSecondDelivery:
    def test_while_the_first_works_writes_nothing(self, world: World) -> None:
        said = world.say("Hello")
        started, go = threading.Event(), threading.Event()
        slow = Reply(text=("Good day.",), started=started, wait_for=go)
        with world.answering(slow) as model:
            first = in_background(lambda: deliver(world, said))
            try:
                assert started.wait(20)
                before = Watch(world.cast).rows(all_of_it=True)
                deliver(world, said)
                after = Watch(world.cast).rows(all_of_it=True)
            finally:
                go.set()
                first.join()

        assert after == before
        assert len(model.asked) == 1
        assert world.run(said.run_id).state == "completed"
        assert world.kinds(said.conversation_id) == ["text", "text"]

    @pytest.mark.parametrize("state", ["completed", "waiting_approval"])
    def test_after_the_first_has_left_writes_nothing(self, world: World, state: str) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        answer = says("Good day.") if state == "completed" else calls(cancel())
        with world.answering(answer):
            deliver(world, said)
        assert world.run(said.run_id).state == state

        before = Watch(world.cast).rows(all_of_it=True)
        deliver(world, said)

        assert Watch(world.cast).rows(all_of_it=True) == before

    def test_at_the_same_moment_has_one_effect(self, world: World) -> None:
        said = approved(world)
        barrier = threading.Barrier(AT_ONCE)

        def work() -> None:
            barrier.wait()
            deliver(world, said)

        with world.answering(says("It is done."), says("It is done again.")) as model:
            workers = [in_background(work) for _ in range(AT_ONCE)]
            for worker in workers:
                worker.join()

        assert refunds(world) == 1
        (call,) = world.calls(said.run_id)
        assert (call.state, call.attempt) == ("succeeded", 1)
        with in_tenant(world.tenant_id, read_only=True):
            assert Dispatch.objects.count() == 1
        assert len(model.asked) == 1
        assert world.kinds(said.conversation_id).count("executed") == 1
