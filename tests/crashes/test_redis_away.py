"""Redis loses all it has in the middle of a run: tasks, live text, hints; the run still ends."""

import threading
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.db import connection

from agents import duties
from agents.llm.scripted import Reply
from console.kernel.transactions import in_tenant
from tests.agents.world import PENDING, SOFIA, World, calls, cancel, in_background, make_world, says
from tests.cast import Cast


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def flush() -> None:
    """Empty the database of Redis that the tests have to themselves."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


def is_queued(run_id: UUID) -> bool:
    """Say whether a message for this run lies in the broker."""
    queue = redis.Redis.from_url(settings.REDIS_URL)
    messages = queue.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
    return any(str(run_id).encode() in message for message in messages)


def a_minute_passes(world: World, run_id: UUID) -> None:
    """Let the run have waited, on the database's clock, longer than any worker would take."""
    with in_tenant(world.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_run SET state_at = state_at - interval '1 minute' WHERE id = %s",
            [run_id],
        )


class TestFlushed:
    def test_while_a_worker_streams_the_answer_is_stored_whole(self, world: World) -> None:
        said = world.say("Hello")
        started, go = threading.Event(), threading.Event()
        slow = Reply(text=("Good ", "day."), started=started, wait_for=go)
        with world.answering(slow):
            worker = in_background(lambda: world.advance(said.run_id))
            try:
                assert started.wait(20)
                flush()
            finally:
                go.set()
                worker.join()

        assert world.run(said.run_id).state == "completed"
        assert [frame.text for frame in world.frames(said.conversation_id)] == [
            "Hello",
            "Good day.",
        ]

    def test_before_a_worker_took_the_task_pulse_advances_the_run(self, world: World) -> None:
        said = world.say("Hello")
        world.relay()
        assert is_queued(said.run_id)

        flush()
        assert not is_queued(said.run_id)
        a_minute_passes(world, said.run_id)
        with world.answering(says("Good day.")):
            assert duties._reap(world.tenant_id) == 1

        assert world.run(said.run_id).state == "completed"

    def test_after_people_agreed_the_write_happens_once(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        flush()
        world.vote(world.calls(said.run_id)[0].proposal_id)
        world.relay()
        world.relay()  # the run was woken by the first, and its task left with the second
        assert is_queued(said.run_id)

        flush()
        a_minute_passes(world, said.run_id)
        with world.answering(says("It is cancelled.")):
            assert duties._reap(world.tenant_id) == 1

        assert world.run(said.run_id).state == "completed"
        order = world.order(PENDING, SOFIA)
        assert order["status"] == "cancelled"
        kinds = [entry["transaction_type"] for entry in order["payment_history"]]
        assert kinds.count("refund") == 1

    def test_a_task_that_came_back_twice_after_it_finds_nothing_to_do(self, world: World) -> None:
        """Celery gives what was not acknowledged to somebody else; pulse was quicker."""
        said = world.say("Hello")
        flush()
        a_minute_passes(world, said.run_id)
        with world.answering(says("Good day.")):
            duties._reap(world.tenant_id)
            ended = world.run(said.run_id)
            assert world.advance(said.run_id) == "not_mine"

        assert world.run(said.run_id).epoch == ended.epoch
