"""The entries of one log with their events, in order, as verification walks over them.

An entry names the place of its event in the one index of events: epoch, transaction, id. A flip of
any of the three hides the event from that look-up, so it is sought again by what was left alone.
That reads whole tables; it happens once for a log, and only when something is wrong.
"""

from collections.abc import Iterator
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit.verifier import tree

NO_END: Final = 2**63 - 1
MOST_SOUGHT: Final = 1_000  # events of a log that are looked for elsewhere; more are not reported

# A superuser can write times that no number of microseconds stands for: a fault, not an error.
_RECEIVED_US: Final[LiteralString] = """
    CASE WHEN e.received_at BETWEEN '1970-01-01' AND '9999-12-31'
         THEN (extract(epoch FROM e.received_at) * 1000000)::bigint ELSE 0 END
"""
_COLUMNS: Final[LiteralString] = f"""
    n.index, n.tenant_id AS n_tenant, n.leaf_hash AS n_hash, n.round_no, n.received_us AS n_us,
    n.event_epoch AS n_epoch, n.event_xid AS n_xid, n.event_id AS n_id,
    e.id, e.epoch, e.xid, e.tenant_id, e.event_uid, {_RECEIVED_US} AS received_us, e.keep,
    e.envelope, r.epoch AS r_epoch, r.snapshot::text = '3:3:' AS r_blind,
    pg_visible_in_snapshot(e.xid, r.snapshot) AS seen,
    pg_visible_in_snapshot(e.xid, p.snapshot) AS seen_before,
    pg_visible_in_snapshot(n.event_xid, r.snapshot) AS n_seen,
    pg_visible_in_snapshot(n.event_xid, p.snapshot) AS n_seen_before
"""
_ROUNDS: Final[LiteralString] = """
    LEFT JOIN audit_round r ON r.round_no = n.round_no
    LEFT JOIN audit_round p ON p.round_no = n.round_no - 1
"""
_ENTRIES: Final[LiteralString] = f"""
    SELECT {_COLUMNS} FROM audit_entry n
      LEFT JOIN audit_event e ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
      {_ROUNDS} WHERE n.log_id = %(log)s AND n.index >= %(first)s AND n.index < %(end)s
     ORDER BY n.index
"""  # noqa: S608 - constants of this file
_MOVED: Final[LiteralString] = f"""
    SELECT {_COLUMNS} FROM audit_entry n
      JOIN audit_event e ON e.id = n.event_id AND (e.epoch, e.xid) <> (n.event_epoch, n.event_xid)
      {_ROUNDS} WHERE n.log_id = %(log)s AND n.index >= %(first)s AND n.index < %(end)s
     ORDER BY n.index LIMIT {MOST_SOUGHT}
"""  # noqa: S608 - as above
_RENUMBERED: Final[LiteralString] = f"""
    SELECT {_COLUMNS} FROM audit_entry n
      JOIN audit_event e ON (e.epoch, e.xid) = (n.event_epoch, n.event_xid)
      {_ROUNDS} WHERE n.log_id = %(log)s AND n.index = %(index)s
       AND NOT EXISTS (SELECT 1 FROM audit_entry o WHERE o.event_id = e.id)
"""  # noqa: S608 - as above

Row = dict[str, Any]


class Walk:
    """Yields a row per entry; its `id` is None when the event is nowhere to be found."""

    def __init__(
        self, db: "psycopg.Connection[Any]", log_id: UUID, *, first: int = 0, end: int = NO_END
    ) -> None:
        self.db, self.log_id = db, log_id
        self._part = {"log": log_id, "first": first, "end": end}
        self._moved: dict[int, Row] | None = None
        self._sought = 0

    def __iter__(self) -> Iterator[Row]:
        last = -1
        with self.db.cursor(name="entries", row_factory=psycopg.rows.dict_row) as cursor:
            cursor.itersize = 2_000
            cursor.execute(_ENTRIES, self._part)
            for row in cursor:
                # Two events in one place are two rows of one entry; they are named as doubled.
                if row["index"] != last:
                    yield row if row["id"] is not None else self._elsewhere(row)
                last = row["index"]

    def _elsewhere(self, row: Row) -> Row:
        self._sought += 1
        if self._sought > MOST_SOUGHT:
            return row
        if self._moved is None:
            found = self._rows(_MOVED, self._part)
            self._moved = {one["index"]: one for one in found}
        return self._moved.get(row["index"]) or self._renumbered(row)

    def _renumbered(self, row: Row) -> Row:
        """Return the event of the same transaction whose bytes are those that were sealed."""
        for one in self._rows(_RENUMBERED, {"log": self.log_id, "index": row["index"]}):
            if rebuilt_leaf(one) == bytes(row["n_hash"]):
                return one
        return row

    def _rows(self, query: LiteralString, values: dict[str, Any]) -> list[Row]:
        with self.db.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query, values).fetchall()


def rebuilt_leaf(row: Row) -> bytes:
    """Return the leaf hash that the stored bytes of a row's event have."""
    return tree.rebuilt_leaf(row["event_uid"].bytes, row["received_us"], bytes(row["envelope"]))


def place_faults(row: Row) -> Iterator[tuple[str, str]]:
    """Say where an entry and its event name two places; the round tells which side was changed."""
    if row["epoch"] != row["n_epoch"]:
        event_fits = row["epoch"] == row["r_epoch"] and not row["r_blind"]
        name = "audit_entry.event_epoch" if event_fits else "audit_event.epoch"
        yield name, "The event and its entry name two epochs."
    if row["xid"] != row["n_xid"]:
        event_fits = row["seen"] and not row["seen_before"]
        entry_fits = row["n_seen"] and not row["n_seen_before"]
        name = "audit_event.xid" if entry_fits or not event_fits else "audit_entry.event_xid"
        yield name, "The event and its entry name two transactions."
    if row["id"] != row["n_id"]:
        # Neither stands anywhere else.
        for name in ("audit_event.id", "audit_entry.event_id"):
            yield name, "The event and its entry name two ids."
