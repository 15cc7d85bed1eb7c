"""Raw SQL for tests, as the application's role and as the owner, whom grants do not bind."""

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
