"""The logs that a round appends to: right edges, full tiles, new heads, and the meta log over them.

Only a round of the sealer writes with this, inside its one transaction.
"""

from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import envelope, merkle
from console.kernel import canonical

META_EVERY_US: Final = 1_000_000


@dataclass(slots=True)
class Growing:
    """A log while a round appends to it."""

    id: UUID
    tenant_id: UUID | None
    origin: str
    edge: merkle.Edge
    started_at: int  # size before this round
    fresh: list[bytes] = field(default_factory=list)  # leaf hashes of this round, for the next tile


class Logs:
    """The logs of one round, opened where a tenant has none yet."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", *, round_no: int, sealed_us: int
    ) -> None:
        self.db = connection
        self.round_no = round_no
        self.sealed_us = sealed_us
        self.grown: dict[UUID, Growing] = {}

    def of(self, tenant_id: UUID) -> Growing:
        found = self.grown.get(tenant_id)
        if found is None:
            query: LiteralString = (
                "SELECT id, tenant_id, origin FROM audit_log WHERE tenant_id = %s"
            )
            row = self._one(query, [tenant_id]) or self._open_log(tenant_id)
            found = self.grown[tenant_id] = self._growing(*row)
        return found

    def _open_log(self, tenant_id: UUID) -> Any:
        """Open a tenant's log at its first event, so that no writer ever looks for one."""
        (meta,) = self._one("SELECT origin FROM audit_log WHERE kind = 'meta'")
        origin = f"{meta.removesuffix('/meta')}/t/{tenant_id.hex}"
        return self._one(
            """INSERT INTO audit_log (tenant_id, kind, origin) VALUES (%s, 'tenant', %s)
               RETURNING id, tenant_id, origin""",
            [tenant_id, origin],
        )

    def _growing(self, log_id: UUID, tenant_id: UUID | None, origin: str) -> Growing:
        head = self._one(
            "SELECT size, edge FROM audit_head WHERE log_id = %s ORDER BY size DESC LIMIT 1",
            [log_id],
        )
        edge = merkle.Edge.unpack(head[0], bytes(head[1])) if head else merkle.Edge()
        return Growing(log_id, tenant_id, origin, edge, edge.size)

    def grow(self, growing: Growing, leaf: bytes) -> None:
        growing.fresh.append(leaf)
        for level, number, _hash in growing.edge.append(leaf):
            tile_level, rest = divmod(level, merkle.TILE_HEIGHT)
            if tile_level and not rest:
                self._write_tile(growing, tile_level - 1, number)

    def _write_tile(self, growing: Growing, level: int, number: int) -> None:
        hashes = self._leaves_of_tile(growing, number) if level == 0 else None
        if hashes is None:
            hashes = b"".join(self._roots_of_tiles(growing, level - 1, number))
        self.db.execute(
            """INSERT INTO audit_tile (log_id, level, number, tenant_id, hashes)
               VALUES (%s, %s, %s, %s, %s)""",
            [growing.id, level, number, growing.tenant_id, hashes],
        )

    def _leaves_of_tile(self, growing: Growing, number: int) -> bytes:
        """Return a tile's 256 leaf hashes: older ones from the table, this round's from memory."""
        fresh = growing.fresh[-merkle.TILE_WIDTH :]
        growing.fresh = []
        older: list[bytes] = []
        if len(fresh) < merkle.TILE_WIDTH:
            older = self._older_leaves(growing, number * merkle.TILE_WIDTH)
        return b"".join([*older, *fresh])

    def _older_leaves(self, growing: Growing, first: int) -> list[bytes]:
        query: LiteralString = """
            SELECT leaf_hash FROM audit_entry
             WHERE log_id = %s AND index >= %s AND index < %s ORDER BY index"""
        values = [growing.id, first, growing.started_at]
        if growing.tenant_id is None:
            query = """
                SELECT leaf_hash FROM audit_meta_leaf
                 WHERE index >= %s AND index < %s ORDER BY index"""
            values = values[1:]
        return [bytes(row[0]) for row in self.db.execute(query, values)]

    def _roots_of_tiles(self, growing: Growing, level: int, number: int) -> list[bytes]:
        first = number * merkle.TILE_WIDTH
        rows = self.db.execute(
            """SELECT hashes FROM audit_tile WHERE log_id = %s AND level = %s
                AND number >= %s AND number < %s ORDER BY number""",
            [growing.id, level, first, first + merkle.TILE_WIDTH],
        )
        return [merkle.root(merkle.split(bytes(row[0]))) for row in rows]

    def write_heads(self) -> None:
        for growing in sorted(self.grown.values(), key=lambda one: one.id):
            self._write_head(growing)

    def _write_head(self, growing: Growing) -> None:
        edge = growing.edge
        self.db.execute(
            """INSERT INTO audit_head (log_id, size, round_no, tenant_id, root, edge, sealed_us)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            [
                growing.id,
                edge.size,
                self.round_no,
                growing.tenant_id,
                edge.root(),
                edge.pack(),
                self.sealed_us,
            ],
        )

    def append_meta(self) -> int:
        """Give the meta log a leaf per log that moved, at most once a second."""
        meta = self._growing(
            *self._one("SELECT id, tenant_id, origin FROM audit_log WHERE kind = 'meta'")
        )
        last = self._one(
            """SELECT round_no, sealed_us FROM audit_head
                WHERE log_id = %s ORDER BY size DESC LIMIT 1""",
            [meta.id],
        ) or (0, 0)
        if self.sealed_us - last[1] < META_EVERY_US:
            return 0
        moved = self.db.execute(
            """SELECT DISTINCT ON (h.log_id)
                      l.id, l.tenant_id, l.origin, h.size, h.root, h.sealed_us
                 FROM audit_head h JOIN audit_log l ON l.id = h.log_id
                WHERE h.round_no > %s AND l.kind = 'tenant' ORDER BY h.log_id, h.size DESC""",
            [last[0]],
        ).fetchall()
        for row in moved:
            self._write_meta_leaf(meta, *row)
        if moved:
            self._write_head(meta)
        return len(moved)

    def _write_meta_leaf(
        self,
        meta: Growing,
        log_id: UUID,
        tenant_id: UUID,
        origin: str,
        size: int,
        root: bytes,
        sealed_us: int,
    ) -> None:
        body = {
            "v": envelope.VERSION,
            "log": origin,
            "size": size,
            "root": bytes(root).hex(),
            "sealed_at": envelope.stamp(sealed_us),
        }
        leaf = canonical.dumps(body)
        leaf_hash = merkle.leaf_hash(leaf)
        self.db.execute(
            """INSERT INTO audit_meta_leaf (index, log_id, tenant_id, leaf, leaf_hash, round_no)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            [meta.edge.size, log_id, tenant_id, leaf, leaf_hash, self.round_no],
        )
        self.grow(meta, leaf_hash)

    def _one(self, query: LiteralString, values: Any = None) -> Any:
        return self.db.execute(query, values).fetchone()
