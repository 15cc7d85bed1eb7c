"""The doors to the database: one transaction per command, one tenant per transaction."""

from uuid import UUID, uuid4

import pytest
from django.db import DataError, InternalError, connection
from django.test.utils import CaptureQueriesContext

from console.kernel import clock, outbox, tenancy
from console.kernel.actors import Actor, system
from console.kernel.errors import BadInput, NotFound
from console.kernel.models import OutboxRow
from console.kernel.transactions import command, query


@pytest.fixture
def actor() -> Actor:
    return system("tests", uuid4())


def rows_of(tenant_id: UUID) -> list[str]:
    rows = OutboxRow.objects.filter(tenant_id=tenant_id).order_by("id")
    return list(rows.values_list("target", flat=True))


@command
def send(*, actor: Actor, name: str) -> str:
    outbox.enqueue_task(name)
    return name


@command
def send_each(*, actor: Actor, names: list[str]) -> None:
    for name in names:
        outbox.enqueue_task(name)


@command
def send_and_fail(*, actor: Actor) -> None:
    send(actor=actor, name="inner")
    raise NotFound("There is no such thing.")


@command
def notice_and_refuse(*, actor: Actor) -> BadInput:
    outbox.enqueue_task("noticed")
    return BadInput("This is refused, and what was noticed is kept.")


@query
def write_in_a_query(*, actor: Actor) -> None:
    outbox.enqueue_task("never")


class TestCommand:
    def test_commits_with_its_tenant_in_scope(self, actor: Actor) -> None:
        assert send(actor=actor, name="one") == "one"

        assert rows_of(actor.tenant_id) == ["one"]
        assert tenancy.current() is None

    def test_undoes_all_of_it_when_it_raises(self, actor: Actor) -> None:
        with pytest.raises(NotFound):
            send_and_fail(actor=actor)

        assert rows_of(actor.tenant_id) == []
        assert tenancy.current() is None

    def test_keeps_what_it_noticed_when_it_returns_a_refusal(self, actor: Actor) -> None:
        with pytest.raises(BadInput):
            notice_and_refuse(actor=actor)

        assert rows_of(actor.tenant_id) == ["noticed"]

    def test_does_not_cross_tenants(self, actor: Actor) -> None:
        with tenancy.scope(uuid4()), pytest.raises(RuntimeError, match="one tenant"):
            send(actor=actor, name="two")

        assert rows_of(actor.tenant_id) == []


class TestQuery:
    def test_cannot_write(self, actor: Actor) -> None:
        with pytest.raises(InternalError, match="read-only"):
            write_in_a_query(actor=actor)

        assert rows_of(actor.tenant_id) == []


class TestClock:
    def test_goes_on_inside_a_transaction(self, actor: Actor) -> None:
        with tenancy.scope(actor.tenant_id):
            first, second = clock.now(), clock.now()

        assert second > first

    def test_can_be_frozen(self) -> None:
        at = clock.now()
        with clock.frozen(at):
            assert clock.now() == at
        assert clock.now() > at


class TestAtTheEnd:
    def test_writes_all_rows_at_once_and_in_order(self, actor: Actor) -> None:
        with CaptureQueriesContext(connection) as asked:
            send_each(actor=actor, names=["first", "second", "third"])

        assert rows_of(actor.tenant_id) == ["first", "second", "third"]
        assert sum("kernel_outbox" in one["sql"] for one in asked.captured_queries) == 1

    def test_commits_nothing_without_its_rows(self, actor: Actor) -> None:
        with pytest.raises(DataError):
            send_each(actor=actor, names=["one", "x" * 201])

        assert rows_of(actor.tenant_id) == []

    def test_leaves_nothing_for_the_next_transaction(self, actor: Actor) -> None:
        with pytest.raises(NotFound):
            send_and_fail(actor=actor)
        send(actor=actor, name="next")

        assert rows_of(actor.tenant_id) == ["next"]


class TestOutbox:
    def test_refuses_to_send_outside_of_a_command(self) -> None:
        with pytest.raises(RuntimeError, match="Only a command"):
            outbox.hint("reviews.queue")
