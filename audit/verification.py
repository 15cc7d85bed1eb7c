"""Verification of the stored trail: every leaf anew from its bytes, every derived row against it.

It uses the verifiers' arithmetic and never the sealer's. A mismatch names tenant, index and field.
"""

from collections.abc import Callable
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from audit import notes
from audit.cards import Mismatch, VerificationReport
from audit.envelope import stamp
from audit.logwalk import Found, Log, LogWalk, body_of
from audit.verifier import tree

KeyOf = Callable[[str], list[notes.VerifierKey]]
KeptOf = Callable[[str], list[notes.Checkpoint]]

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


class Verification:
    """One walk over the trail, in one snapshot.

    `keys` gives the keys to trust for an origin, `kept` checkpoints that lie outside the database.
    """

    def __init__(
        self,
        connection: "psycopg.Connection[Any]",
        *,
        keys: KeyOf,
        tenant_id: UUID | None = None,
        kept: KeptOf = lambda _origin: [],
    ) -> None:
        self.db = connection
        self.keys = keys
        self.kept = kept
        self.tenant_id = tenant_id
        self.found = Found()

    def run(self) -> VerificationReport:
        """Walk over everything; the caller's session decides the isolation."""
        with self.db.transaction():
            if self.tenant_id is None:
                self._check_round_order()
            for log in self._logs():
                self.found.count("logs")
                kept = self.kept(log.origin)
                LogWalk(self.db, log, self.keys(log.origin), self.found, kept=kept).run()
            self._check_across()
        counts = self.found.counts
        names = ("logs", "entries", "unsealed", "heads", "tiles", "checkpoints", "meta_leaves")
        return VerificationReport(
            **{name: counts.get(name, 0) for name in names},
            mismatches=tuple(self.found.mismatches),
        )

    def run_across(self) -> tuple[Mismatch, ...]:
        """Look only at what no single log shows: rounds, meta leaves, events without an entry."""
        with self.db.transaction():
            self._check_round_order()
            self._check_across()
        return tuple(self.found.mismatches)

    def _check_across(self) -> None:
        self._check_meta_leaves()
        self._check_lost()
        self._check_doubled()

    def _check_round_order(self) -> None:
        for number, why in self.db.execute(_BAD_ROUNDS).fetchall():
            sentence = f"Round {number} does not follow from the one before it."
            self.found.wrong(None, None, f"audit_round.{why}", sentence)

    def _logs(self) -> list[Log]:
        rows = self.db.execute(
            """SELECT id, tenant_id, origin FROM audit_log
                WHERE %(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s ORDER BY kind DESC, id""",
            {"tenant": self.tenant_id},
        )
        return [Log(*row) for row in rows.fetchall()]

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
            log, body = Log(log_id, tenant_id, origin or ""), body_of(bytes(raw))
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
            log = Log(UUID(int=0), tenant_id, "")
            sentence = f"Event {event_id} was committed before the last round and has no entry."
            self.found.wrong(log, None, "audit_event.id", sentence)
        row = self.db.execute(_UNSEALED, values).fetchone()
        self.found.count("unsealed", row[0] if row else 0)

    def _check_doubled(self) -> None:
        rows = self.db.execute(_DOUBLED, {"tenant": self.tenant_id}).fetchall()
        for event_id, tenant_id in rows:
            log = Log(UUID(int=0), tenant_id, "")
            self.found.wrong(log, None, "audit_event.id", f"Two events have the id {event_id}.")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
