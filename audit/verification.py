"""Verification of the stored trail: every leaf anew from its bytes, every derived row against it.

It uses the verifiers' arithmetic and never the sealer's. A mismatch names tenant, index and field.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import notes, walk
from audit.cards import Mismatch, VerificationReport
from audit.envelope import stamp
from audit.verifier import tree

MOST_REPORTED: Final = 1_000
KeyOf = Callable[[str], list[notes.VerifierKey]]

_HAS_NO_ENTRY: Final[LiteralString] = """
    NOT EXISTS (SELECT 1 FROM audit_entry n
                 WHERE (n.event_epoch, n.event_xid, n.event_id) = (e.epoch, e.xid, e.id))
"""
# Committed and visible to the last round, and yet no entry: the sealer will never come back to
# these.
_LOST: Final[LiteralString] = f"""
    SELECT e.id, e.tenant_id FROM audit_event e,
      (SELECT * FROM audit_round ORDER BY round_no DESC LIMIT 1) r
     WHERE (e.epoch < r.epoch OR (e.epoch = r.epoch AND pg_visible_in_snapshot(e.xid, r.snapshot)))
       AND (%(tenant)s::uuid IS NULL OR e.tenant_id = %(tenant)s)
       AND {_HAS_NO_ENTRY} LIMIT 1000
"""  # noqa: S608 - constants of this file
# No constraint says that an id is there once; see README.md.
_DOUBLED: Final[LiteralString] = """
    SELECT DISTINCT e.id, e.tenant_id FROM audit_event e
      JOIN (SELECT id FROM audit_event GROUP BY id HAVING count(*) > 1 LIMIT 1000) d USING (id)
     WHERE %(tenant)s::uuid IS NULL OR e.tenant_id = %(tenant)s
"""
_UNSEALED: Final[LiteralString] = f"""
    SELECT count(*) FROM audit_event e
     WHERE (%(tenant)s::uuid IS NULL OR e.tenant_id = %(tenant)s)
       AND {_HAS_NO_ENTRY}
"""  # noqa: S608 - as above
_BAD_ROUNDS: Final[LiteralString] = """
    WITH counted AS (SELECT round_no, count(*) AS n FROM audit_entry GROUP BY round_no)
    SELECT round_no, why FROM (
      SELECT r.round_no, CASE
        WHEN r.round_no > 0 AND lag(r.round_no) OVER w IS DISTINCT FROM r.round_no - 1
          THEN 'round_no'
        WHEN r.sealed_us <= lag(r.sealed_us) OVER w THEN 'sealed_us'
        WHEN r.epoch < lag(r.epoch) OVER w THEN 'epoch'
        WHEN r.epoch = lag(r.epoch) OVER w
          AND pg_snapshot_xmax(r.snapshot) < pg_snapshot_xmax(lag(r.snapshot) OVER w)
          THEN 'snapshot'
        WHEN r.entry_count <> COALESCE(c.n, 0) THEN 'entry_count'
        END AS why
        FROM audit_round r LEFT JOIN counted c USING (round_no) WINDOW w AS (ORDER BY r.round_no)
    ) rounds WHERE why IS NOT NULL LIMIT 1000
"""


@dataclass(slots=True)
class _Found:
    """Counts and mismatches, gathered over all logs."""

    counts: dict[str, int] = field(default_factory=dict)
    mismatches: list[Mismatch] = field(default_factory=list)

    def count(self, what: str, more: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + more

    def wrong(self, log: "_Log | None", index: int | None, name: str, sentence: str) -> None:
        if len(self.mismatches) < MOST_REPORTED:
            self.mismatches.append(
                Mismatch(
                    log=log.origin if log else "",
                    tenant_id=str(log.tenant_id or "") if log else "",
                    index=index,
                    field=name,
                    sentence=sentence,
                )
            )


@dataclass(frozen=True, slots=True)
class _Log:
    id: UUID
    tenant_id: UUID | None
    origin: str


class Verification:
    """One walk over the trail, in one snapshot; `keys` gives the keys to trust for an origin."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", *, keys: KeyOf, tenant_id: UUID | None = None
    ) -> None:
        self.db = connection
        self.keys = keys
        self.tenant_id = tenant_id
        self.found = _Found()

    def run(self) -> VerificationReport:
        """Walk over everything; the caller's session decides the isolation."""
        with self.db.transaction():
            if self.tenant_id is None:
                self._check_round_order()
            for log in self._logs():
                self.found.count("logs")
                _LogWalk(self.db, log, self.keys(log.origin), self.found).run()
            self._check_meta_leaves()
            self._check_lost()
            self._check_doubled()
        counts = self.found.counts
        names = ("logs", "entries", "unsealed", "heads", "tiles", "checkpoints", "meta_leaves")
        return VerificationReport(
            **{name: counts.get(name, 0) for name in names},
            mismatches=tuple(self.found.mismatches),
        )

    def _check_round_order(self) -> None:
        for number, why in self.db.execute(_BAD_ROUNDS).fetchall():
            sentence = f"Round {number} does not follow from the one before it."
            self.found.wrong(None, None, f"audit_round.{why}", sentence)

    def _logs(self) -> list[_Log]:
        rows = self.db.execute(
            """SELECT id, tenant_id, origin FROM audit_log
                WHERE %(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s ORDER BY kind DESC, id""",
            {"tenant": self.tenant_id},
        )
        return [_Log(*row) for row in rows.fetchall()]

    def _check_meta_leaves(self) -> None:
        """Every meta leaf must say what the head of its log says, in growing order."""
        rows = self.db.execute(
            """SELECT m.index, m.leaf, m.leaf_hash, m.tenant_id, m.log_id, l.tenant_id, l.origin
                 FROM audit_meta_leaf m LEFT JOIN audit_log l ON l.id = m.log_id
                WHERE %(tenant)s::uuid IS NULL OR m.tenant_id = %(tenant)s ORDER BY m.index""",
            {"tenant": self.tenant_id},
        ).fetchall()
        sizes: dict[UUID, int] = {}
        for index, raw, leaf_hash, named, log_id, tenant_id, origin in rows:
            self.found.count("meta_leaves")
            log, body = _Log(log_id, tenant_id, origin or ""), _body(bytes(raw))
            size = _whole(body.get("size"))
            told = (tree.hashed_leaf(bytes(raw)), body.get("log"), *self._told_head(log_id, size))
            said = (bytes(leaf_hash), origin, body.get("root"), body.get("sealed_at"))
            if told != said or named != tenant_id:
                sentence = f"Meta leaf {index} says something else than the head of its log."
                self.found.wrong(log, index, "audit_meta_leaf.leaf", sentence)
            if size <= sizes.get(log_id, 0):
                sentence = f"Meta leaf {index} does not go on from the one before it."
                self.found.wrong(log, index, "audit_meta_leaf.size", sentence)
            sizes[log_id] = size

    def _told_head(self, log_id: UUID, size: int) -> tuple[str, str] | tuple[None, None]:
        query: LiteralString = (
            "SELECT root, sealed_us FROM audit_head WHERE log_id = %s AND size = %s"
        )
        row = self.db.execute(query, [log_id, size]).fetchone()
        return (bytes(row[0]).hex(), stamp(row[1])) if row else (None, None)

    def _check_lost(self) -> None:
        values = {"tenant": self.tenant_id}
        for event_id, tenant_id in self.db.execute(_LOST, values).fetchall():
            log = _Log(UUID(int=0), tenant_id, "")
            sentence = f"Event {event_id} was committed before the last round and has no entry."
            self.found.wrong(log, None, "audit_event.id", sentence)
        row = self.db.execute(_UNSEALED, values).fetchone()
        self.found.count("unsealed", row[0] if row else 0)

    def _check_doubled(self) -> None:
        rows = self.db.execute(_DOUBLED, {"tenant": self.tenant_id}).fetchall()
        for event_id, tenant_id in rows:
            log = _Log(UUID(int=0), tenant_id, "")
            self.found.wrong(log, None, "audit_event.id", f"Two events have the id {event_id}.")


class _LogWalk:
    """One log, from its first leaf to its head."""

    def __init__(
        self,
        db: "psycopg.Connection[Any]",
        log: _Log,
        keys: list[notes.VerifierKey],
        found: _Found,
    ) -> None:
        self.db, self.log, self.keys, self.found = db, log, keys, found
        self.true = tree.Towers()  # over leaf hashes rebuilt from stored bytes
        self.told = tree.Towers()  # over the leaf hashes that entries hold
        self.tiles = tree.TileCounter()
        self.disputed: list[int] = []  # indexes whose two hashes differ, since the last good head
        self.heads = {
            row[0]: row
            for row in self._rows("audit_head", "size, round_no, tenant_id, root, edge, sealed_us")
        }
        self.notes = {
            row[0]: row
            for row in self._rows("audit_checkpoint", "size, tenant_id, root, note, vkey")
        }

    def _rows(self, table: LiteralString, columns: LiteralString) -> list[Any]:
        query: LiteralString = f"SELECT {columns} FROM {table} WHERE log_id = %s"  # noqa: S608
        return self.db.execute(query, [self.log.id]).fetchall()

    def run(self) -> None:
        previous_end = 0
        for index, told, true, round_no in self._leaves():
            if index != self.true.size:
                self._wrong(self.true.size, "index", f"Entry {self.true.size} is missing.")
                break
            self.true.push(true)
            self.told.push(told)
            if told != true:
                self.disputed.append(index)
            for tile in self.tiles.push(true):
                self._check_tile(*tile)
            head = self.heads.get(self.true.size)
            if head is not None:
                self._check_head(head, previous_end, round_no)
                previous_end = self.true.size
        self.found.count("entries" if self.log.tenant_id else "meta_entries", self.true.size)
        self._check_end()

    def _leaves(self) -> Iterator[tuple[int, bytes, bytes, int]]:
        """Yield (index, hash as stored, hash from stored bytes, round)."""
        if self.log.tenant_id is None:
            query: LiteralString = (
                "SELECT index, leaf, leaf_hash, round_no FROM audit_meta_leaf ORDER BY index"
            )
            for index, leaf, leaf_hash, round_no in self.db.execute(query):
                true = tree.hashed_leaf(bytes(leaf))
                if true != bytes(leaf_hash):
                    self._wrong(
                        index, "audit_meta_leaf.leaf_hash", "A meta leaf does not hash to its hash."
                    )
                yield index, bytes(leaf_hash), true, round_no
            return
        for row in walk.Walk(self.db, self.log.id):
            yield row["index"], bytes(row["n_hash"]), self._event_leaf(row), row["round_no"]

    def _event_leaf(self, row: walk.Row) -> bytes:
        if row["id"] is None:
            self._wrong(row["index"], "audit_entry.event_id", "The entry's event is not there.")
            return b""
        for name, sentence in _column_faults(row, self.log):
            self._wrong(row["index"], name, sentence)
        self._check_blobs(row, bytes(row["envelope"]))
        return walk.rebuilt_leaf(row)

    def _check_blobs(self, row: walk.Row, raw: bytes) -> None:
        if b'"blobs":' not in raw:
            return
        query: LiteralString = """
            SELECT encode(sha256(body), 'hex') FROM audit_blob
             WHERE tenant_id = %s AND event_uid = %s AND name = %s"""
        for blob in _body(raw).get("blobs", []):
            values = [row["tenant_id"], row["event_uid"], blob["name"]]
            stored = self.db.execute(query, values).fetchone()
            if stored is None or stored[0] != blob["digest"]:
                sentence = f"The part {blob['name']} is not the one whose digest was sealed."
                self._wrong(row["index"], "audit_blob.body", sentence)

    def _check_head(self, head: Any, previous_end: int, round_no: int) -> None:
        size, head_round, tenant_id, root, edge, sealed_us = head
        self.found.count("heads")
        self._settle_disputes(bytes(root))
        if bytes(root) not in (self.true.head(), self.told.head()):
            self._wrong(
                size - 1, "audit_head.root", f"The root at size {size} is not that of its leaves."
            )
        if bytes(edge) not in (b"".join(self.true.hashes()), b"".join(self.told.hashes())):
            self._wrong(size - 1, "audit_head.edge", f"The right edge at size {size} is wrong.")
        if tenant_id != self.log.tenant_id:
            self._wrong(size - 1, "audit_head.tenant_id", "The head belongs to another tenant.")
        if head_round != round_no:
            self._wrong(
                size - 1, "audit_head.round_no", "The head and its last entry name two rounds."
            )
        round_time = self.db.execute(
            "SELECT sealed_us FROM audit_round WHERE round_no = %s", [head_round]
        ).fetchone()
        if round_time != (sealed_us,):
            self._wrong(size - 1, "audit_head.sealed_us", "The head and its round name two times.")
        self._check_rounds(previous_end, size, head_round)
        if size in self.notes:
            self._check_note(self.notes[size])

    def _settle_disputes(self, root: bytes) -> None:
        """Say which of two hashes was changed: the root was made when both were still equal."""
        for index in self.disputed:
            if root == self.true.head():
                self._wrong(
                    index, "audit_entry.leaf_hash", "The entry's hash was changed after sealing."
                )
            else:
                sentence = "The event's bytes are not those that were sealed."
                self._wrong(index, "audit_event.envelope", sentence)
        self.disputed.clear()

    def _check_rounds(self, first: int, end: int, round_no: int) -> None:
        table: LiteralString = "audit_entry" if self.log.tenant_id else "audit_meta_leaf"
        query: LiteralString = f"""
            SELECT index FROM {table} WHERE (log_id = %s OR %s::uuid IS NULL)
               AND index >= %s AND index < %s AND round_no <> %s LIMIT 1"""  # noqa: S608
        values = [self.log.id, self.log.tenant_id, first, end, round_no]
        row = self.db.execute(query, values).fetchone()
        if row is not None:
            self._wrong(row[0], f"{table}.round_no", "The entry names another round than its head.")

    def _check_tile(self, level: int, number: int, hashes: bytes) -> None:
        query: LiteralString = """
            SELECT hashes, tenant_id FROM audit_tile
             WHERE log_id = %s AND level = %s AND number = %s"""
        row = self.db.execute(query, [self.log.id, level, number]).fetchone()
        self.found.count("tiles")
        if row is None or bytes(row[0]) != hashes or row[1] != self.log.tenant_id:
            sentence = f"Tile {level}/{number} is missing or holds other hashes."
            self._wrong(number * tree.WIDTH ** (level + 1), "audit_tile.hashes", sentence)

    def _check_note(self, stored: Any) -> None:
        size, tenant_id, root, note, vkey = stored
        self.found.count("checkpoints")
        try:
            body, key = notes.opened(note, keys=self.keys)
            signed = notes.Checkpoint.parse(body)
        except notes.BadNote as problem:
            self._wrong(size - 1, "audit_checkpoint.note", f"Checkpoint at size {size}: {problem}")
            return
        if (signed.origin, signed.size, signed.root) != (self.log.origin, size, self.told.head()):
            sentence = f"The checkpoint at size {size} was signed over another tree."
            self._wrong(size - 1, "audit_checkpoint.note", sentence)
        if bytes(root) != signed.root or vkey != str(key) or tenant_id != self.log.tenant_id:
            sentence = f"The columns of the checkpoint at size {size} are not those of its note."
            self._wrong(size - 1, "audit_checkpoint.root", sentence)

    def _check_end(self) -> None:
        end = max(self.heads, default=0)
        if end != self.true.size:
            sentence = f"The newest head has {end} entries and {self.true.size} can be walked."
            self._wrong(min(end, self.true.size), "audit_head.size", sentence)
        stray = sorted(size for size in self.notes if size not in self.heads)
        for size in stray:
            self._wrong(
                size - 1, "audit_checkpoint.size", f"Size {size} was signed and has no head."
            )
        row = self.db.execute(
            "SELECT count(*) FROM audit_tile WHERE log_id = %s", [self.log.id]
        ).fetchone()
        if row != (sum(self.tiles.counts),) and end == self.true.size:
            self._wrong(None, "audit_tile.number", "There are tiles that no entries fill.")

    def _wrong(self, index: int | None, name: str, sentence: str) -> None:
        self.found.wrong(self.log, index, name, sentence)


def _column_faults(row: walk.Row, log: _Log) -> Iterator[tuple[str, str]]:
    """Compare the columns beside an envelope with the envelope, the entry and the round."""
    body = _body(bytes(row["envelope"]))
    pairs = (
        ("audit_entry.tenant_id", row["n_tenant"], log.tenant_id),
        ("audit_event.tenant_id", row["tenant_id"], log.tenant_id),
        ("audit_event.event_uid", str(row["event_uid"]), body.get("uid")),
        ("audit_event.keep", row["keep"], body.get("keep")),
        ("audit_event.received_at", row["received_us"], row["n_us"]),
        ("audit_event.envelope", body.get("tenant"), str(log.tenant_id)),
    )
    for name, stored, expected in pairs:
        if stored != expected:
            yield name, "The column does not agree with what was sealed."
    yield from _round_faults(row)
    yield from walk.place_faults(row)


def _round_faults(row: walk.Row) -> Iterator[tuple[str, str]]:
    """Check that the entry's round, and no earlier one, saw the event's transaction."""
    if row["r_epoch"] is None:
        yield "audit_entry.round_no", "The entry's round is not there."
    elif row["r_blind"]:
        if row["epoch"] >= row["r_epoch"]:
            yield "audit_event.epoch", "The event is of a later epoch than its round."
    elif row["epoch"] != row["r_epoch"]:
        yield "audit_event.epoch", "The event is of another epoch than its round."
    elif not row["seen"] or row["seen_before"]:
        yield "audit_event.xid", "The event's transaction is not one that its round took."


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
