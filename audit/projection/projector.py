"""Fills the search table from sealed entries, in index order, and never from events.

The table is disposable: it proves nothing, `manage.py rebuild_audit_search` makes it anew, and what
is not in it yet is said on the page ("complete to #N of #M").
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import direct
from audit.envelope import moment_of
from audit.events import Kind
from audit.projection.columns import Columns, columns_of

LOCK: Final = 0x5EA2
CHUNK: Final = 2_000

_BEHIND: Final[LiteralString] = """
    SELECT l.id, l.tenant_id, COALESCE(s.next_index, 0), h.size
      FROM audit_log l
      JOIN LATERAL (SELECT size FROM audit_head WHERE log_id = l.id
                    ORDER BY size DESC LIMIT 1) h ON true
      LEFT JOIN audit_search_state s ON s.log_id = l.id
     WHERE l.kind = 'tenant' AND COALESCE(s.next_index, 0) < h.size ORDER BY l.id
"""
# Limited before the join, which the planner takes to leave one row: it would join all that is left.
ENTRIES: Final[LiteralString] = """
    SELECT n.index, n.event_id, n.received_us, v.envelope
      FROM (SELECT * FROM audit_entry
             WHERE log_id = %s AND index >= %s ORDER BY index LIMIT %s) n
      LEFT JOIN audit_event v
        ON (v.epoch, v.xid, v.id) = (n.event_epoch, n.event_xid, n.event_id)
     ORDER BY n.index
"""
INSERT: Final[LiteralString] = """
    INSERT INTO audit_search (log_id, tenant_id, index, event_id, received_us,
      action, kind, actor_kind, actor_id, actor_label, target_type, target_id, agent, agent_label,
      run, version, tool, trace, proposal, digest, outcome, claimed_us, ids, tokens, words)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
      %s, %s, to_tsvector('simple', %s))
    ON CONFLICT DO NOTHING
"""
_COUNT: Final[LiteralString] = """
    INSERT INTO audit_facet_day AS f (tenant_id, facet, day, kind, value, label, count)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (tenant_id, facet, day, kind, value)
      DO UPDATE SET count = f.count + excluded.count, label = excluded.label
"""
_NAME: Final[LiteralString] = """
    INSERT INTO audit_search_name (tenant_id, field, name, value) VALUES (%s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_MOVE_ON: Final[LiteralString] = """
    INSERT INTO audit_search_state (log_id, tenant_id, next_index) VALUES (%s, %s, %s)
    ON CONFLICT (log_id) DO UPDATE SET next_index = excluded.next_index
"""


class Projector:
    """Brings the search table up to the sealed heads, over one session."""

    def __init__(self, connection: "psycopg.Connection[Any] | None" = None) -> None:
        self._given = connection
        self._connection: psycopg.Connection[Any] | None = connection
        self._news: set[UUID] = set()

    def catch_up(self) -> int:
        """Project what is missing, one chunk per log; returns the number of entries."""
        session = self._session()
        (mine,) = session.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() or (False,)
        if not mine:
            return 0
        try:
            behind = session.execute(_BEHIND).fetchall()
            return sum(self._project(*row) for row in behind)
        finally:
            if not session.closed and not session.broken:
                session.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def news(self) -> set[UUID]:
        """Return whose searches find more since this was asked last, reads left out.

        A live list that is fetched anew is a read; if that were news, it would go on for ever.
        """
        found, self._news = self._news, set()
        return found

    def rebuild(self) -> int:
        """Empty the table and fill it again; searches meanwhile say how far it has come."""
        session = self._session()
        with session.transaction():
            session.execute("DELETE FROM audit_search")
            session.execute("DELETE FROM audit_facet_day")
            session.execute("DELETE FROM audit_search_name")
            session.execute("DELETE FROM audit_search_state")
        total = 0
        while count := self.catch_up():
            total += count
        return total

    def _project(self, log_id: UUID, tenant_id: UUID, first: int, size: int) -> int:
        session = self._session()
        with session.transaction(), session.cursor() as cursor:
            rows = cursor.execute(ENTRIES, [log_id, first, CHUNK]).fetchall()
            wanted = rows[: size - first]
            found = [
                (index, event_id, received_us, columns_of(bytes(raw), received_us))
                for index, event_id, received_us, raw in wanted
                if raw is not None  # its event is gone; verify_audit names it
            ]
            cursor.executemany(INSERT, [row_of(log_id, tenant_id, *one) for one in found])
            cursor.executemany(_COUNT, counts_of(tenant_id, found))
            cursor.executemany(_NAME, names_of(tenant_id, found))
            if wanted:
                cursor.execute(_MOVE_ON, [log_id, tenant_id, wanted[-1][0] + 1])
        if any(columns.kind != Kind.READ for *_place, columns in found):
            self._news.add(tenant_id)
        return len(wanted)

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = direct.connect("sealer")
        return self._connection

    def close(self) -> None:
        if self._connection is not None and self._connection is not self._given:
            self._connection.close()
            self._connection = None


Found = tuple[int, int, int, Columns]  # index, event id, receive time


def row_of(
    log_id: UUID, tenant_id: UUID, index: int, event_id: int, received_us: int, columns: Columns
) -> tuple[Any, ...]:
    """Return a row of the search table, in the order of its columns."""
    lists = columns._replace(ids=[*columns.ids], tokens=[*columns.tokens])
    return (log_id, tenant_id, index, event_id, received_us, *lists)


def counts_of(tenant_id: UUID, found: Iterable[Found]) -> list[tuple[Any, ...]]:
    """Return rows of the facets' table: how many entries of a day have each value."""
    labels: dict[tuple[str, date, str, str], str] = {}
    counts: Counter[tuple[str, date, str, str]] = Counter()
    for _index, _event_id, received_us, one in found:
        day = moment_of(received_us).date()
        values = {
            "kind": (one.kind, ""),
            "action": (one.action, ""),
            "actor": (one.actor_id, one.actor_label),
            "agent": (one.agent, one.agent_label),
            "outcome": (one.outcome, ""),
        }
        for facet, (value, label) in values.items():
            if value:
                key = (facet, day, one.kind, value)
                counts[key] += 1
                labels[key] = label
    # In one order, so that two who count the same values never wait for each other in a circle.
    return [(tenant_id, *key, labels[key], counts[key]) for key in sorted(counts)]


def names_of(tenant_id: UUID, found: Iterable[Found]) -> list[tuple[UUID, str, str, str]]:
    """Return rows of the names' table, in one order."""
    pairs = {
        (field, label.lower(), value)
        for _index, _event_id, _received_us, one in found
        for field, label, value in (
            ("actor", one.actor_label, one.actor_id),
            ("agent", one.agent_label, one.agent),
        )
        if label and value
    }
    return [(tenant_id, *pair) for pair in sorted(pairs)]
