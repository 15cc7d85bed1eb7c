"""The relay: facts once, hints numbered without holes, failures put off and parked."""

import json
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection

from console.kernel import live, outbox, relay, tenancy
from console.kernel.actors import Actor, system
from console.kernel.models import OutboxRow
from console.kernel.transactions import command

handled: list[tuple[UUID, str]] = []


@outbox.on("test.fact")
def remember(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    if data.get("fail"):
        raise ValueError("the handler has a bug")
    handled.append((subject, actor.label))
    outbox.hint("test.topic", id=str(subject))


@pytest.fixture
def actor() -> Actor:
    return system("tests", uuid4())


@command
def publish(*, actor: Actor, subject: UUID, fail: bool = False) -> None:
    outbox.publish_fact("test.fact", subject=subject, actor=actor, data={"fail": fail})


@command
def hint(*, actor: Actor, topic: str) -> None:
    outbox.hint(topic)


def due_now(tenant_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_outbox SET due_at = now() WHERE tenant_id = %s", [tenant_id])


class TestFacts:
    def test_reach_their_subscriber_once(self, actor: Actor) -> None:
        subject = uuid4()
        publish(actor=actor, subject=subject)

        relay.relay_all(tenant_id=actor.tenant_id)
        relay.relay_all(tenant_id=actor.tenant_id)

        assert [one for one in handled if one[0] == subject] == [(subject, "tests")]
        assert live.newest(actor.tenant_id, ["test.topic"]) == {"test.topic": 1}

    def test_reach_it_once_with_eight_relays_at_work(self, actor: Actor) -> None:
        subjects = [uuid4() for _ in range(40)]
        for subject in subjects:
            publish(actor=actor, subject=subject)
        barrier = threading.Barrier(8)

        def work() -> None:
            barrier.wait()
            relay.relay_once(tenant_id=actor.tenant_id)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        relay.relay_all(tenant_id=actor.tenant_id)

        seen = [subject for subject, _ in handled if subject in subjects]
        assert sorted(seen) == sorted(subjects)

    def test_that_fail_are_put_off_and_stop_nobody(self, actor: Actor) -> None:
        good = uuid4()
        publish(actor=actor, subject=uuid4(), fail=True)
        publish(actor=actor, subject=good)

        relay.relay_all(tenant_id=actor.tenant_id)

        row = OutboxRow.objects.get(tenant_id=actor.tenant_id)
        assert row.attempts == 1
        assert row.error == "ValueError: the handler has a bug"
        assert (good, "tests") in handled

    def test_that_keep_failing_are_parked(self, actor: Actor) -> None:
        publish(actor=actor, subject=uuid4(), fail=True)

        for _ in range(relay.PARK_AFTER):
            due_now(actor.tenant_id)
            relay.relay_once(tenant_id=actor.tenant_id)

        assert OutboxRow.objects.get(tenant_id=actor.tenant_id).parked_at is not None


class TestHints:
    def test_are_sent_once_in_a_transaction(self, actor: Actor) -> None:
        with tenancy.scope(actor.tenant_id):
            for topic in ("a", "b", "a"):
                outbox.hint(topic)
        hint(actor=actor, topic="a")

        rows = OutboxRow.objects.filter(tenant_id=actor.tenant_id).order_by("id")
        assert [row.target for row in rows] == ["a", "b", "a"]

    def test_count_up_per_topic(self, actor: Actor) -> None:
        for topic in ("a", "a", "b"):
            hint(actor=actor, topic=topic)

        relay.relay_all(tenant_id=actor.tenant_id)

        assert live.newest(actor.tenant_id, ["a", "b", "c"]) == {"a": 2, "b": 1, "c": 0}

    def test_go_before_the_facts_of_their_batch(self, actor: Actor) -> None:
        publish(actor=actor, subject=uuid4())
        for topic in ("a", "b"):
            hint(actor=actor, topic=topic)

        due = [OutboxRow.objects.get(pk=row) for row, _tenant in relay._due(actor.tenant_id)]

        assert [(row.kind, row.target) for row in due] == [
            ("hint", "a"), ("hint", "b"), ("fact", "test.fact"),
        ]  # fmt: skip

    def test_of_another_tenant_do_not_count(self, actor: Actor) -> None:
        hint(actor=actor, topic="a")
        relay.relay_all(tenant_id=actor.tenant_id)

        assert live.newest(uuid4(), ["a"]) == {"a": 0}


class TestTasks:
    def test_reach_the_queue(self, actor: Actor) -> None:
        run_id = str(uuid4())
        with tenancy.scope(actor.tenant_id):
            outbox.enqueue_task("tests.nothing", run_id=run_id)

        relay.relay_all(tenant_id=actor.tenant_id)

        queue = redis.Redis.from_url(settings.REDIS_URL)
        messages = queue.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
        headers = [json.loads(message)["headers"] for message in messages]
        assert any(run_id in one["kwargsrepr"] for one in headers)
