"""Compares the search table with the entries it was made of, block by block, and repairs it.

A search that misses an entry proves nothing wrong and still misleads, so this looks for rows that
were taken away, added or changed. The trail itself is `verify_audit`'s business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit.envelope import moment_of
from audit.projection.columns import columns_of
from audit.projection.projector import ENTRIES, INSERT, LOCK, row_of

BLOCK: Final = 4_096
PER_RUN: Final = 2  # blocks of one log besides its newest: 10 million entries in ten hours
Row = tuple[Any, ...]
Session = psycopg.Connection[Any]

_LOGS: Final[LiteralString] = """
    SELECT log_id, tenant_id, next_index, parity_next, repairs FROM audit_search_state
     WHERE %(only)s::uuid IS NULL OR tenant_id = %(only)s ORDER BY log_id
"""
_STORED: Final[LiteralString] = """
    SELECT log_id, tenant_id, index, event_id, received_us, action, kind, actor_kind, actor_id,
           actor_label, target_type, target_id, agent, agent_label, run, version, tool, trace,
           proposal, digest, outcome, claimed_us, ids, tokens, words::text
      FROM audit_search WHERE log_id = %s AND index >= %s AND index < %s ORDER BY index
"""
_WORDS: Final[LiteralString] = """
    SELECT to_tsvector('simple', text)::text FROM unnest(%s::text[]) WITH ORDINALITY t (text, n)
     ORDER BY n
"""
_DAYS_DIFFER: Final[LiteralString] = """
    SELECT d.day FROM unnest(%(days)s::date[]) d (day)
     WHERE (SELECT COALESCE(sum(count), 0) FROM audit_facet_day f
             WHERE f.tenant_id = %(tenant)s AND f.facet = 'kind' AND f.day = d.day)
        <> (SELECT count(*) FROM audit_search s WHERE s.tenant_id = %(tenant)s
             AND s.received_us >= (extract(epoch FROM d.day) * 1000000)::bigint
             AND s.received_us < (extract(epoch FROM d.day + 1) * 1000000)::bigint)
"""
_RECOUNT: Final[LiteralString] = """
    INSERT INTO audit_facet_day (tenant_id, facet, day, kind, value, label, count)
    SELECT s.tenant_id, v.facet, %(day)s, s.kind, v.value, max(v.label), count(*)
      FROM audit_search s CROSS JOIN LATERAL (VALUES
        ('kind', s.kind, ''), ('action', s.action, ''), ('actor', s.actor_id, s.actor_label),
        ('agent', s.agent, s.agent_label), ('outcome', s.outcome, '')) v (facet, value, label)
     WHERE s.tenant_id = %(tenant)s AND v.value > ''
       AND s.received_us >= (extract(epoch FROM %(day)s::date) * 1000000)::bigint
       AND s.received_us < (extract(epoch FROM %(day)s::date + 1) * 1000000)::bigint
     GROUP BY s.tenant_id, v.facet, s.kind, v.value
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What did not agree in one block, and does now."""

    tenant_id: UUID
    first: int  # of the block
    last: int
    missing: int  # entries that a search would not have found
    altered: int  # rows that said something else than their entry
    added: int  # rows of no entry
    days: int  # whose facets were counted anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one run found, and whose whole table it found in order since it last began there."""

    repairs: tuple[Repair, ...]
    in_order: tuple[UUID, ...]  # tenants


class Parity:
    """Looks at the newest block of every log and at the next ones of a walk over all of it."""

    def run(self, session: Session, *, only: UUID | None = None) -> Pass:
        logs = session.execute(_LOGS, {"only": only}).fetchall()
        repairs: list[Repair] = []
        in_order: list[UUID] = []
        for log_id, tenant_id, size, at, before in logs:
            newest = max(0, size - 1) // BLOCK * BLOCK
            walked = range(at, min(at + PER_RUN * BLOCK, size), BLOCK)
            found = [
                repair
                for first in sorted({*walked, newest})
                if (repair := self._check(session, log_id, tenant_id, first, size))
            ]
            ended = at + PER_RUN * BLOCK >= size
            if ended and not before and not found:
                in_order.append(tenant_id)
            session.execute(
                "UPDATE audit_search_state SET parity_next = %s, repairs = %s WHERE log_id = %s",
                [0 if ended else at + PER_RUN * BLOCK, 0 if ended else before + len(found), log_id],
            )
            repairs += found
        return Pass(repairs=tuple(repairs), in_order=tuple(in_order))

    def _check(
        self,
        session: Session,
        log_id: UUID,
        tenant_id: UUID,
        first: int,
        size: int,
    ) -> Repair | None:
        end = min(first + BLOCK, size)
        with session.transaction():
            wanted, stored, days = _both(session, log_id, tenant_id, first, end)
            differ = _digest(wanted.values()) != _digest(stored.values())
            if not differ and not _days_differ(session, tenant_id, days):
                return None
            # Nobody fills the table meanwhile; what was read before is read again.
            session.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            wanted, stored, days = _both(session, log_id, tenant_id, first, end)
            return _repair(session, tenant_id, (first, end), wanted, stored, days)


def _both(
    session: Session, log_id: UUID, tenant_id: UUID, first: int, end: int
) -> tuple[dict[int, Row], dict[int, Row], list[date]]:
    """Return the rows that should be there and those that are, by index, and their days."""
    entries = session.execute(ENTRIES, [log_id, first, end - first]).fetchall()
    wanted = {
        index: row_of(log_id, tenant_id, index, event_id, us, columns_of(bytes(raw), us))
        for index, event_id, us, raw in entries
        if raw is not None
    }
    words = session.execute(_WORDS, [[row[-1] for row in wanted.values()]]).fetchall()
    wanted = {
        index: (*row[:-1], text)
        for (index, row), (text,) in zip(wanted.items(), words, strict=True)
    }
    stored = {row[2]: row for row in session.execute(_STORED, [log_id, first, end]).fetchall()}
    times = {row[4] for row in (*wanted.values(), *stored.values())}
    return wanted, stored, sorted({moment_of(us).date() for us in times})


def _digest(rows: Iterable[Row]) -> tuple[int, bytes]:
    """Return how many rows there are, and a hash that rolls over them in order."""
    rolling, count = sha256(), 0
    for row in rows:
        rolling.update(repr(row).encode())
        count += 1
    return count, rolling.digest()


def _days_differ(session: Session, tenant_id: UUID, days: list[date]) -> list[date]:
    rows = session.execute(_DAYS_DIFFER, {"tenant": tenant_id, "days": days}).fetchall()
    return [day for (day,) in rows]


def _repair(
    session: Session,
    tenant_id: UUID,
    block: tuple[int, int],
    wanted: Mapping[int, Row],
    stored: Mapping[int, Row],
    days: list[date],
) -> Repair | None:
    missing = wanted.keys() - stored.keys()
    added = stored.keys() - wanted.keys()
    altered = {index for index in wanted.keys() & stored.keys() if wanted[index] != stored[index]}
    with session.cursor() as cursor:
        for index in sorted(added | altered):
            cursor.execute("DELETE FROM audit_search WHERE log_id = %s AND index = %s",
                           [stored[index][0], index])  # fmt: skip
        # The text of a tsvector is its own literal.
        rows = [wanted[index] for index in sorted(missing | altered)]
        cursor.executemany(INSERT.replace("to_tsvector('simple', %s)", "%s::tsvector"), rows)
        recount = days if missing or added or altered else _days_differ(session, tenant_id, days)
        for day in recount:
            cursor.execute("DELETE FROM audit_facet_day WHERE tenant_id = %s AND day = %s",
                           [tenant_id, day])  # fmt: skip
            cursor.execute(_RECOUNT, {"tenant": tenant_id, "day": day})
    if not (missing or added or altered or recount):
        return None
    return Repair(
        tenant_id=tenant_id,
        first=block[0],
        last=block[1] - 1,
        missing=len(missing),
        altered=len(altered),
        added=len(added),
        days=len(recount),
    )
