"""A copy of the beginning of a log, in a schema of its own inside a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import notes

SCHEMA: Final = "audit_drill"  # never committed, so it can be there for two drills at once

# What belongs to the first %(size)s entries of the log %(log)s.
_PARTS: Final[dict[LiteralString, LiteralString]] = {
    "audit_log": "SELECT * FROM audit_log WHERE id = %(log)s",
    "audit_entry": "SELECT * FROM audit_entry WHERE log_id = %(log)s AND index < %(size)s",
    "audit_event": """
        SELECT e.* FROM audit_entry n
          JOIN audit_event e ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
         WHERE n.log_id = %(log)s AND n.index < %(size)s""",
    "audit_blob": """
        SELECT b.* FROM audit_entry n
          JOIN audit_event e ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
          JOIN audit_blob b ON (b.tenant_id, b.event_uid) = (e.tenant_id, e.event_uid)
         WHERE n.log_id = %(log)s AND n.index < %(size)s""",
    "audit_head": "SELECT * FROM audit_head WHERE log_id = %(log)s AND size <= %(size)s",
    "audit_checkpoint": """
        SELECT * FROM audit_checkpoint WHERE log_id = %(log)s AND size <= %(size)s""",
    "audit_tile": """
        SELECT * FROM audit_tile
         WHERE log_id = %(log)s AND (number + 1) << (8 * (level + 1)) <= %(size)s""",
    "audit_meta_leaf": """
        SELECT m.* FROM audit_meta_leaf m JOIN audit_head h ON h.log_id = m.log_id
         WHERE m.log_id = %(log)s AND h.size <= %(size)s
           AND convert_from(m.leaf, 'UTF8')::jsonb ->> 'size' = h.size::text""",
    "audit_round": """
        SELECT * FROM audit_round WHERE round_no IN (
          SELECT n.round_no - k FROM audit_entry n, (VALUES (0), (1)) k(k)
           WHERE n.log_id = %(log)s AND n.index < %(size)s
          UNION SELECT round_no FROM audit_head WHERE log_id = %(log)s AND size <= %(size)s)""",
}
_SIGNED: Final[LiteralString] = """
    SELECT l.id, l.tenant_id, l.origin, c.size, c.note, c.vkey
      FROM audit_log l JOIN audit_checkpoint c ON c.log_id = l.id
     WHERE l.tenant_id IS NOT NULL AND (%(tenant)s::uuid IS NULL OR l.tenant_id = %(tenant)s)
       AND c.size BETWEEN %(least)s AND %(most)s
     ORDER BY c.size DESC, l.id LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first `size` entries of a log, up to a checkpoint that is kept aside."""

    log_id: UUID
    tenant_id: UUID
    origin: str
    size: int
    kept: notes.Checkpoint
    vkey: str


def chosen(
    reader: "psycopg.Connection[Any]", *, tenant_id: UUID | None, least: int, most: int
) -> Sample | None:
    """Return the longest beginning of a log that a checkpoint was signed over; None without one."""
    values = {"tenant": tenant_id, "least": least, "most": most}
    row = reader.execute(_SIGNED, values).fetchone()
    if row is None:
        return None
    log_id, tenant, origin, size, note, vkey = row
    kept = notes.Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    return Sample(log_id=log_id, tenant_id=tenant, origin=origin, size=size, kept=kept, vkey=vkey)


@contextmanager
def copied(
    sample: Sample, *, reader: "psycopg.Connection[Any]", owner: "psycopg.Connection[Any]"
) -> Iterator[None]:
    """Let the owner's session find the copy instead of the trail, until it is rolled back.

    The owner makes the tables, but row-level security binds it as well, so the signer reads.
    """
    values = {"log": sample.log_id, "size": sample.size}
    with owner.transaction(force_rollback=True):
        owner.execute(f"CREATE SCHEMA {SCHEMA}")
        for table, query in _PARTS.items():
            owner.execute(
                f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING DEFAULTS "
                "INCLUDING INDEXES)"
            )
            _stream(reader, query, values, owner, f"{SCHEMA}.{table}")
        owner.execute(f"SET LOCAL search_path = {SCHEMA}, public")
        yield


def _stream(
    reader: "psycopg.Connection[Any]",
    query: LiteralString,
    values: dict[str, Any],
    owner: "psycopg.Connection[Any]",
    table: str,
) -> None:
    read = f"COPY ({query}) TO STDOUT (FORMAT binary)"
    write = f"COPY {table} FROM STDIN (FORMAT binary)"
    with (
        reader.cursor() as source,
        owner.cursor() as target,
        source.copy(read, values) as rows,
        target.copy(write) as copy,
    ):
        for data in rows:
            copy.write(data)
