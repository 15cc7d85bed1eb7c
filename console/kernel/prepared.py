"""Statements that a session parses and plans once, for the few that run all day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends import utils
from typing_extensions import override

M = TypeVar("M", bound=models.Model)


class _Logged(utils.CursorDebugWrapper):
    """Logs a statement as it was given; what was sent last is not known of a prepared one."""

    @override
    def execute(self, sql: Any, params: Any = None) -> Any:
        with self.debug_sql(sql, params):
            return utils.CursorWrapper.execute(self, sql, params)


def cursor() -> utils.CursorWrapper:
    """Return a cursor whose statements the server prepares at their first use in a session.

    Django's own cursors write values into the text, so every statement is planned anew. For a
    table with policies, constraints and triggers that costs more than the work.
    """
    own = connections[DEFAULT_DB_ALIAS]  # looked up once: the proxy does that for each attribute
    own.ensure_connection()
    session = own.connection
    session.prepare_threshold = 0
    wrapper = _Logged if own.queries_logged else utils.CursorWrapper
    raw: Any = psycopg.Cursor(session)
    return wrapper(raw, own)


def rows(model: type[M], rest: str, values: Mapping[str, Any]) -> list[M]:
    """Return rows of one table as the ORM does; writing the statement costs it more than reading.

    Args:
        rest: what follows the columns and the table: WHERE, ORDER BY, FOR UPDATE. Always a text of
            our own; values go by name.
    """
    columns = _columns_of(model)
    with cursor() as its:
        its.execute(f"SELECT {columns.sql} {rest}", values)
        found = its.fetchall()
    return [model.from_db(DEFAULT_DB_ALIAS, columns.names, columns.read(row)) for row in found]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table, and which of them are stored as something else than they are."""

    sql: str
    names: tuple[str, ...]
    readers: tuple[tuple[int, Callable[..., Any]], ...]

    def read(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, reader in self.readers:
            values[place] = reader(values[place], None, connections[DEFAULT_DB_ALIAS])
        return values


@cache
def _columns_of(model: type[models.Model]) -> _Columns:
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's own way
    quoted = ", ".join(f'"{field.column}"' for field in fields)
    readers = [(no, getattr(field, "from_db_value", None)) for no, field in enumerate(fields)]
    return _Columns(
        sql=f'{quoted} FROM "{model._meta.db_table}"',  # noqa: SLF001 - as above
        names=tuple(field.attname for field in fields),
        readers=tuple((no, reader) for no, reader in readers if reader is not None),
    )
