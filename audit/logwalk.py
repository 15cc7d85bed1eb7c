"""One log from its first leaf to its head: every leaf anew from its bytes, every row after it.

Like all of verification it uses the verifiers' arithmetic and never the sealer's.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import notes, walk
from audit.cards import Mismatch
from audit.verifier import tree

MOST_REPORTED: Final = 1_000


@dataclass(slots=True)
class Found:
    """Counts and mismatches, gathered over all logs."""

    counts: dict[str, int] = field(default_factory=dict)
    mismatches: list[Mismatch] = field(default_factory=list)

    def count(self, what: str, more: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + more

    def wrong(self, log: "Log | None", index: int | None, name: str, sentence: str) -> None:
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
class Log:
    id: UUID
    tenant_id: UUID | None
    origin: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a log: from where an earlier walk ended, at a head, to another or the newest."""

    size: int = 0
    edge: tuple[bytes, ...] = ()
    end: int | None = None  # the size of a head; None goes to the newest


class LogWalk:
    """One log, from its first leaf to its head, or a stretch of it."""

    def __init__(
        self,
        db: "psycopg.Connection[Any]",
        log: Log,
        keys: list[notes.VerifierKey],
        found: Found,
        *,
        kept: Iterable[notes.Checkpoint] = (),
        stretch: Stretch = Stretch(),
    ) -> None:
        self.db, self.log, self.keys, self.found = db, log, keys, found
        self.stretch = stretch
        self.last = walk.NO_END if stretch.end is None else stretch.end
        self.kept = tuple(kept)  # checkpoints that somebody has outside the database
        # Over leaf hashes rebuilt from stored bytes, and over those that entries hold.
        self.true = tree.Towers(stretch.size, stretch.edge)
        self.told = tree.Towers(stretch.size, stretch.edge)
        self.tiles = self._tiles_at(stretch.size)
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
        query: LiteralString = f"""
            SELECT {columns} FROM {table} WHERE log_id = %s AND size > %s AND size <= %s"""  # noqa: S608
        return self.db.execute(query, [self.log.id, self.stretch.size, self.last]).fetchall()

    def _tiles_at(self, size: int) -> tree.TileCounter:
        """Return a counter as it stands after so many leaves, from what an earlier walk checked."""
        counter = tree.TileCounter()
        counter.rows, counter.counts = [], []
        level = 0
        while not level or size >> (8 * level):
            nodes = size >> (8 * level)
            counter.rows.append(self._nodes(level, nodes - nodes % tree.WIDTH, nodes))
            counter.counts.append(nodes // tree.WIDTH)
            level += 1
        return counter

    def _nodes(self, level: int, first: int, end: int) -> list[bytes]:
        if first == end:
            return []
        if level:
            query: LiteralString = """
                SELECT hashes FROM audit_tile WHERE log_id = %s AND level = %s
                   AND number >= %s AND number < %s ORDER BY number"""
            rows = self.db.execute(query, [self.log.id, level - 1, first, end])
            return [tree.folded(_split(bytes(row[0]))) for row in rows]
        table: LiteralString = "audit_entry" if self.log.tenant_id else "audit_meta_leaf"
        query = f"""
            SELECT leaf_hash FROM {table} WHERE (log_id = %s OR %s::uuid IS NULL)
               AND index >= %s AND index < %s ORDER BY index"""  # noqa: S608
        values = [self.log.id, self.log.tenant_id, first, end]
        return [bytes(row[0]) for row in self.db.execute(query, values)]

    def run(self) -> None:
        previous_end = self.stretch.size
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
        for checkpoint in self.kept:
            self._check_kept(checkpoint)

    def _leaves(self) -> Iterator[tuple[int, bytes, bytes, int]]:
        """Yield (index, hash as stored, hash from stored bytes, round)."""
        if self.log.tenant_id is None:
            query: LiteralString = """
                SELECT index, leaf, leaf_hash, round_no FROM audit_meta_leaf
                 WHERE index >= %s AND index < %s ORDER BY index"""
            part = [self.stretch.size, self.last]
            for index, leaf, leaf_hash, round_no in self.db.execute(query, part):
                true = tree.hashed_leaf(bytes(leaf))
                if true != bytes(leaf_hash):
                    self._wrong(
                        index, "audit_meta_leaf.leaf_hash", "A meta leaf does not hash to its hash."
                    )
                yield index, bytes(leaf_hash), true, round_no
            return
        for row in walk.Walk(self.db, self.log.id, first=self.stretch.size, end=self.last):
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
        for blob in body_of(raw).get("blobs", []):
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
        end = self.stretch.end or max(self.heads, default=self.stretch.size)
        if end != self.true.size:
            sentence = f"The newest head has {end} entries and {self.true.size} can be walked."
            self._wrong(min(end, self.true.size), "audit_head.size", sentence)
        stray = sorted(size for size in self.notes if size not in self.heads)
        for size in stray:
            self._wrong(
                size - 1, "audit_checkpoint.size", f"Size {size} was signed and has no head."
            )
        if self.stretch.end is not None:
            return
        row = self.db.execute(
            "SELECT count(*) FROM audit_tile WHERE log_id = %s", [self.log.id]
        ).fetchone()
        if row != (sum(self.tiles.counts),) and end == self.true.size:
            self._wrong(None, "audit_tile.number", "There are tiles that no entries fill.")

    def _check_kept(self, kept: notes.Checkpoint) -> None:
        head = self.heads.get(kept.size)
        if head is None:
            sentence = f"A checkpoint kept elsewhere has {kept.size} entries; here is no such head."
            self._wrong(min(kept.size, self.true.size), "audit_head.size", sentence)
        elif bytes(head[3]) != kept.root:
            sentence = f"A checkpoint kept elsewhere has another root at size {kept.size}."
            self._wrong(kept.size - 1, "audit_head.root", sentence)

    def _wrong(self, index: int | None, name: str, sentence: str) -> None:
        self.found.wrong(self.log, index, name, sentence)


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def _column_faults(row: walk.Row, log: Log) -> Iterator[tuple[str, str]]:
    """Compare the columns beside an envelope with the envelope, the entry and the round."""
    body = body_of(bytes(row["envelope"]))
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


def body_of(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
