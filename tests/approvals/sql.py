"""Raw SQL for tests, as the application's role and as the owner, whom grants do not bind."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from console.kernel.transactions import in_tenant
from tests.cast import Cast


def run(cast: Cast, sql: str, **values: Any) -> list[Any]:
    """Run SQL as the application, in the tenant, committed."""
    with in_tenant(cast.tenant_id), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def counts(cast: Cast, *more: str) -> Counter[str]:
    """Return how many rows each table of the room has, and how many events there are of a kind.

    Args:
        more: further questions with a name and a number for answer, asked at the same moment.
    """
    names = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'approvals\\_%%' ORDER BY 1"
    tables = [f"SELECT '{name}', count(*) FROM {name}" for (name,) in run(cast, names)]
    events = (
        "SELECT convert_from(envelope, 'UTF8')::jsonb ->> 'action', count(*) FROM audit_event "
        "GROUP BY 1"
    )
    return Counter(dict(run(cast, " UNION ALL ".join([*tables, events, *more]))))


@contextmanager
def refused(name: str) -> Iterator[None]:
    with pytest.raises(DatabaseError) as error:
        yield
    cause = error.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert name in {cause.diag.constraint_name, cause.diag.sqlstate}, cause


@contextmanager
def as_owner() -> Iterator["psycopg.Connection[Any]"]:
    """Return a connection as the owner of the tables, whom grants do not bind."""
    values = settings.DATABASES["owner"]
    with psycopg.connect(
        host=values["HOST"],
        port=values["PORT"],
        user=values["USER"],
        password=values["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
    ) as found:
        yield found
        found.rollback()
