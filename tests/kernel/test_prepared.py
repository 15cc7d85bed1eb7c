"""Statements that run all day are planned once in a session; rare ones are not kept."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Model

from console.kernel import outbox, prepared
from console.kernel.models import OutboxRow
from console.kernel.transactions import in_tenant

KEPT = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"


@pytest.fixture
def tenant_id() -> UUID:
    connection.close()  # a new session has prepared nothing
    return uuid4()


class TestCursor:
    def test_prepares_a_statement_once(self, tenant_id: UUID) -> None:
        for _ in range(3):
            hint(tenant_id, 2)
        assert kept("INSERT INTO kernel_outbox%") == 1

    def test_is_not_used_for_many_rows(self, tenant_id: UUID) -> None:
        hint(tenant_id, outbox.MOST_PREPARED + 1)
        assert kept("INSERT INTO kernel_outbox%") == 0


class TestRows:
    def test_are_those_of_the_orm_and_prepared_once(self, tenant_id: UUID) -> None:
        hint(tenant_id, 3)
        with in_tenant(tenant_id):
            theirs = list(OutboxRow.objects.filter(tenant_id=tenant_id).order_by("-id"))
            rest = "WHERE tenant_id = %(tenant)s ORDER BY id DESC"
            once, ours = (prepared.rows(OutboxRow, rest, {"tenant": tenant_id}) for _ in range(2))
        assert once == ours == theirs
        assert [values(row) for row in ours] == [values(row) for row in theirs]
        assert [row.payload for row in ours] == [{"id": "", "rev": 0}] * 3
        assert kept('%FROM "kernel_outbox" WHERE%') == 1


def values(row: Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def hint(tenant_id: UUID, count: int) -> None:
    with in_tenant(tenant_id):
        for number in range(count):
            outbox.hint(f"test.{number}")


def kept(like: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [like])
        (count,) = cursor.fetchone()
    return int(count)
