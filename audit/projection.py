"""Fills the search table from sealed entries, in index order, and never from events.

The table is disposable: it proves nothing, `manage.py rebuild_audit_search` makes it anew, and what
is not in it yet is said on the page ("complete to #N of #M").
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import direct

LOCK: Final = 0x5EA2
CHUNK: Final = 2_000
MAX_IDS: Final = 100
MAX_DEPTH: Final = 4
MAX_TEXT: Final = 500  # characters of a column; a B-tree holds 2,700 bytes
_ID: Final = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9_.:-]{2,79}")

_BEHIND: Final[LiteralString] = """
    SELECT l.id, l.tenant_id, COALESCE(s.next_index, 0), h.size
      FROM audit_log l
      JOIN LATERAL (SELECT size FROM audit_head WHERE log_id = l.id
                    ORDER BY size DESC LIMIT 1) h ON true
      LEFT JOIN audit_search_state s ON s.log_id = l.id
     WHERE l.kind = 'tenant' AND COALESCE(s.next_index, 0) < h.size ORDER BY l.id
"""
# Limited before the join, which the planner takes to leave one row: it would join all that is left.
_ENTRIES: Final[LiteralString] = """
    SELECT n.index, n.event_id, n.received_us, v.envelope
      FROM (SELECT * FROM audit_entry
             WHERE log_id = %s AND index >= %s ORDER BY index LIMIT %s) n
      LEFT JOIN audit_event v
        ON (v.epoch, v.xid, v.id) = (n.event_epoch, n.event_xid, n.event_id)
     ORDER BY n.index
"""
_INSERT: Final[LiteralString] = """
    INSERT INTO audit_search (log_id, tenant_id, index, event_id, received_us, action, kind,
      actor_kind, actor_id, actor_label, target_type, target_id, agent, agent_label, run, ids)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
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

    def rebuild(self) -> int:
        """Empty the table and fill it again; searches meanwhile say how far it has come."""
        session = self._session()
        with session.transaction():
            session.execute("DELETE FROM audit_search")
            session.execute("DELETE FROM audit_search_state")
        total = 0
        while count := self.catch_up():
            total += count
        return total

    def _project(self, log_id: UUID, tenant_id: UUID, first: int, size: int) -> int:
        session = self._session()
        with session.transaction(), session.cursor() as cursor:
            rows = cursor.execute(_ENTRIES, [log_id, first, CHUNK]).fetchall()
            wanted = rows[: size - first]
            cursor.executemany(
                _INSERT,
                [
                    (log_id, tenant_id, index, event_id, received_us, *columns_of(bytes(raw)))
                    for index, event_id, received_us, raw in wanted
                    if raw is not None  # its event is gone; verify_audit names it
                ],
            )
            if wanted:
                cursor.execute(_MOVE_ON, [log_id, tenant_id, wanted[-1][0] + 1])
        return len(wanted)

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = direct.connect("sealer")
        return self._connection

    def close(self) -> None:
        if self._connection is not None and self._connection is not self._given:
            self._connection.close()
            self._connection = None


def columns_of(raw: bytes) -> tuple[Any, ...]:
    """Return the search columns of an envelope; one that cannot be read is listed as such."""
    try:
        *texts, ids = _columns(json.loads(raw))
        columns = (*(text[:MAX_TEXT] for text in texts), ids)
        _require_storable(columns)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return ("unreadable", "system", "", "", "", "", "", "", "", "", [])
    return columns


def _require_storable(columns: tuple[Any, ...]) -> None:
    """Refuse what PostgreSQL cannot hold as text: NUL, and half characters (UnicodeEncodeError)."""
    if "\x00" in "".join(columns[:-1]).encode().decode():
        raise ValueError("NUL")


def _columns(body: Mapping[str, Any]) -> tuple[Any, ...]:
    actor, target, bind = body["actor"], body["target"], body.get("bind", {})
    via = body.get("via", [])
    return (
        str(body["action"]),
        str(body["kind"]),
        str(actor["kind"]),
        str(actor["id"]),
        str(actor.get("label", "")),
        str(target["type"]),
        str(target.get("id", "")),
        *_agent_of(actor, via, bind),
        _run_of(target, via, bind),
        ids_of([actor, target, via, bind, body.get("intent"), body["uid"], body.get("request")]),
    )


def _agent_of(
    actor: Mapping[str, Any], via: list[Mapping[str, Any]], bind: Mapping[str, Any]
) -> tuple[str, str]:
    """Return slug and title of the agent that acted or that this is about; innermost of a chain."""
    links = [*via, actor]
    acting = [link for link in links if link.get("kind") == "agent"]
    if acting:
        return str(acting[-1]["id"]), str(acting[-1].get("label") or acting[-1]["id"])
    for name in ("agent_slug", "agent"):
        if isinstance(bind.get(name), str):
            return str(bind[name]), str(bind.get("agent_title") or bind[name])
    return "", ""


def _run_of(
    target: Mapping[str, Any], via: list[Mapping[str, Any]], bind: Mapping[str, Any]
) -> str:
    runs = [str(link["run"]) for link in via if link.get("run")]
    if runs:
        return runs[-1]
    if target["type"] == "run":
        return str(target.get("id", ""))
    return str(bind.get("run_id") or "")


def ids_of(value: Any) -> list[str]:
    """Return every text that looks like an id or a digest, for exact search; never an address."""
    found: dict[str, None] = {}
    for text in _texts(value, depth=0):
        if len(found) >= MAX_IDS:
            break
        if _ID.fullmatch(text):
            found[text] = None
    return list(found)


def _texts(value: Any, *, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < MAX_DEPTH and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item, depth=depth + 1)
    elif depth < MAX_DEPTH and isinstance(value, list):
        for item in value:
            yield from _texts(item, depth=depth + 1)
