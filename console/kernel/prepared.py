"""Statements that a session parses and plans once, for the few that run all day."""

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends import utils
from typing_extensions import override


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
