"""One seal round: what is visible now and was not in the previous snapshot becomes entries.

Writers never wait for this and never know of it. The reasoning is in README.md; the traps are here.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from psycopg import IsolationLevel

from audit import direct, signer
from audit.errors import CannotSeal, RollbackDetected
from audit.growing import Logs

log = structlog.get_logger(__name__)

LOCK: Final = 0x5EA1  # advisory lock of whoever seals; one per database
CHUNK: Final = 10_000
SEES_NOTHING: Final = "3:3:"
EVENT_ONCE: Final = "audit_entry_event_once"
_Row = tuple[int, str, int, UUID, bytes, int]  # epoch, xid, id; tenant, leaf hash, received

# `extract` gives a numeric with six places, so no microsecond is rounded.
_RECEIVED_US: Final[LiteralString] = "(extract(epoch FROM e.received_at) * 1000000)::bigint"
# The leaf as `envelope.leaf` writes it, with RFC 6962's first byte, over the bytes that are stored.
_LEAF_HASH: Final[LiteralString] = f"""
    sha256('\\x0053420001'::bytea || uuid_send(e.event_uid) || int8send({_RECEIVED_US})
           || e.envelope)
"""
# "Not visible in prev" is "xid at or above its xmax, or among those that ran". Written so, a round
# costs what is new plus one probe per transaction that ran, and never the whole time of the oldest
# one.
_BATCH: Final[LiteralString] = f"""
    SELECT e.epoch, e.xid, e.id, e.tenant_id, {_LEAF_HASH}, {_RECEIVED_US} FROM (
      SELECT * FROM audit_event
       WHERE epoch = %(epoch)s AND xid >= pg_snapshot_xmax(%(prev)s::pg_snapshot)
      UNION ALL
      SELECT * FROM audit_event
       WHERE epoch = %(epoch)s AND xid = ANY (ARRAY(SELECT pg_snapshot_xip(%(prev)s::pg_snapshot)))
    ) e WHERE pg_visible_in_snapshot(e.xid, %(cur)s::pg_snapshot) ORDER BY e.id
"""  # noqa: S608 - constants of this file
# After a logical restore transaction ids start low and snapshots of the old life mean nothing.
_BATCH_OF_OLD_EPOCHS: Final[LiteralString] = f"""
    SELECT e.epoch, e.xid, e.id, e.tenant_id, {_LEAF_HASH}, {_RECEIVED_US} FROM audit_event e
     WHERE e.epoch < %(epoch)s AND NOT EXISTS (
       SELECT 1 FROM audit_entry n
        WHERE (n.event_epoch, n.event_xid, n.event_id) = (e.epoch, e.xid, e.id))
     ORDER BY e.id
"""  # noqa: S608 - as above
_SITUATION: Final[LiteralString] = """
    SELECT r.round_no, r.epoch, r.snapshot::text, r.sealed_us,
           pg_is_in_recovery(), pg_visible_in_snapshot(r.own_xid, %(cur)s::pg_snapshot),
           pg_snapshot_xmin(%(cur)s::pg_snapshot) >= pg_snapshot_xmin(r.snapshot)
             AND pg_snapshot_xmax(%(cur)s::pg_snapshot) >= pg_snapshot_xmax(r.snapshot),
           p.epoch, p.system_identifier = (SELECT system_identifier FROM pg_control_system()),
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
      FROM (SELECT * FROM audit_round ORDER BY round_no DESC LIMIT 1) r,
           (SELECT * FROM audit_epoch ORDER BY epoch DESC LIMIT 1) p
"""

_INSERT_ENTRIES: Final[LiteralString] = """
    INSERT INTO audit_entry (log_id, index, event_epoch, event_xid, event_id, tenant_id, leaf_hash,
                             round_no, received_us)
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::integer[], %b::text[]::xid8[], %b::bigint[],
                         %b::uuid[], %b::bytea[], %b::bigint[], %b::bigint[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a round starts from."""

    prev_no: int
    prev_epoch: int
    prev: str
    cur: str
    epoch: int
    sealed_us: int

    @property
    def is_new_epoch(self) -> bool:
        return self.epoch > self.prev_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCard:
    """What a round wrote."""

    round_no: int
    entry_count: int
    log_count: int
    meta_leaf_count: int


class Sealer:
    """Seals round after round over one session; a given one must be at REPEATABLE READ."""

    def __init__(self, connection: "psycopg.Connection[Any] | None" = None) -> None:
        self._given = connection
        self._connection: psycopg.Connection[Any] | None = connection
        self._checked_for_rollback = False

    def run_round(self) -> RoundCard | None:
        """Do one round; None when there was nothing to write.

        Raises:
            CannotSeal: the database is not the one that the last round saw.
            RollbackDetected: the log is not what was signed.
        """
        connection = self._session()
        # Inside the transaction the lock statement itself would fix the snapshot, and the round
        # would start from what was true before the other sealer's round.
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            with connection.transaction() as transaction:
                card = _Round(connection).run(check_rollback=not self._checked_for_rollback)
                self._checked_for_rollback = True
                if card is None:
                    raise psycopg.Rollback(transaction)
        finally:
            if not connection.closed and not connection.broken:
                connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        return card

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = direct.connect("sealer")
            self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
            self._checked_for_rollback = False
        return self._connection

    def close(self) -> None:
        if self._connection is not None and self._connection is not self._given:
            self._connection.close()
            self._connection = None


class _Round:
    """One transaction of the sealer."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.db = connection
        self.round_no = 0
        self.sealed_us = 0

    def run(self, *, check_rollback: bool) -> RoundCard | None:
        now = self._situation()
        self.round_no, self.sealed_us = now.prev_no + 1, now.sealed_us
        if check_rollback:
            self._require_no_rollback()
        logs = Logs(self.db, round_no=self.round_no, sealed_us=self.sealed_us)
        with closing(self._batch(now)) as batch:
            count = sum(self._append(chunk, logs) for chunk in batch)
        logs.write_heads()
        metas = logs.append_meta()
        if not count and not metas and not now.is_new_epoch:
            return None
        self._write_round(now, count)
        return RoundCard(
            round_no=self.round_no,
            entry_count=count,
            log_count=len(logs.grown),
            meta_leaf_count=metas,
        )

    def _situation(self) -> Situation:
        (cur,) = self._one("SELECT pg_current_snapshot()::text")
        row = self._one(_SITUATION, {"cur": cur})
        prev_no, prev_epoch, prev, prev_sealed, standby, own, forward, epoch, same, clock = row
        if standby:
            raise CannotSeal(
                "A standby reports running transactions as finished; seal on the primary."
            )
        if not same:
            raise CannotSeal("This is another cluster than before; open a new epoch first.")
        if epoch == prev_epoch and not (own and forward):
            raise CannotSeal("Transaction ids went backwards; open a new epoch after a restore.")
        # A clock that was set back must not make sealed time run backwards within a log.
        sealed_us = max(clock, prev_sealed + 1)
        return Situation(
            prev_no=prev_no,
            prev_epoch=prev_epoch,
            prev=prev,
            cur=cur,
            epoch=epoch,
            sealed_us=sealed_us,
        )

    def _require_no_rollback(self) -> None:
        """Compare every log with what was signed, in the database and in the signer's own file."""
        gone = self._one(
            """SELECT l.origin FROM audit_log l
                JOIN LATERAL (SELECT size, root FROM audit_checkpoint c WHERE c.log_id = l.id
                              ORDER BY size DESC LIMIT 1) c ON true
                LEFT JOIN audit_head h ON h.log_id = l.id AND h.size = c.size
               WHERE h.root IS DISTINCT FROM c.root LIMIT 1"""
        )
        meta_id, origin = self._one("SELECT id, origin FROM audit_log WHERE kind = 'meta'")
        if gone is None:
            signed = signer.signed_state(origin)
            query = "SELECT root FROM audit_head WHERE log_id = %s AND size = %s"
            kept = self._one(query, [meta_id, signed.size]) if signed else None
            if signed and (kept is None or bytes(kept[0]) != signed.root):
                gone = (origin,)
        if gone is not None:
            raise RollbackDetected(
                f"The log {gone[0]} is not what was signed: rollback detected. Restore the newer "
                "data, or open a new origin; nothing is sealed until then.",
                origin=gone[0],
            )

    def _batch(self, now: Situation) -> Generator[list[_Row], None, None]:
        """Yield all of the batch, in chunks. It is never limited: the snapshot claims all of it."""
        query = _BATCH_OF_OLD_EPOCHS if now.is_new_epoch else _BATCH
        values = {"epoch": now.epoch, "prev": now.prev, "cur": now.cur}
        with self.db.cursor(name="batch") as cursor:
            cursor.itersize = CHUNK
            cursor.execute(query, values)
            while rows := cursor.fetchmany(CHUNK):
                yield rows

    def _append(self, rows: list[_Row], logs: Logs) -> int:
        entries = []
        for *place, tenant_id, leaf_hash, received_us in rows:
            growing = logs.of(tenant_id)
            index, leaf = growing.edge.size, bytes(leaf_hash)
            logs.grow(growing, leaf)
            entries.append((growing.id, index, *place, tenant_id, leaf, self.round_no, received_us))
        self._insert([list(column) for column in zip(*entries, strict=True)])
        return len(entries)

    def _insert(self, columns: list[list[Any]]) -> None:
        try:
            # COPY is not allowed with row-level security; arrays are nearly as fast.
            self.db.execute(_INSERT_ENTRIES, columns)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name != EVENT_ONCE:
                raise
            raise CannotSeal(
                f"Two events have one id: {error.diag.message_detail} The application cannot "
                "choose it, so somebody else wrote here; run manage.py verify_audit."
            ) from error

    def _write_round(self, now: Situation, count: int) -> None:
        snapshot = SEES_NOTHING if now.is_new_epoch else now.cur
        self.db.execute(
            """INSERT INTO audit_round (round_no, epoch, snapshot, sealed_us, entry_count)
               VALUES (%s, %s, %s::pg_snapshot, %s, %s)""",
            [self.round_no, now.epoch, snapshot, self.sealed_us, count],
        )

    def _one(self, query: LiteralString, values: Any = None) -> Any:
        return self.db.execute(query, values).fetchone()
