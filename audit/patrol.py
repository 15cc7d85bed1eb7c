"""Continuous verification: a stretch of a log at a time, at a limited rate, going on where it was.

The newest day of each log is verified every five minutes and all of it once a day, as the sealer,
who sees every log and can alter none. How far it has come lies in PostgreSQL, so any process goes
on with it. What it finds is an event and an alarm of the tenant.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from psycopg import IsolationLevel

from audit import alarms, direct, notes, signer
from audit.cards import Mismatch
from audit.events import LogAgreed, LogMismatched
from audit.logwalk import Found, Log, LogWalk, Stretch
from audit.verification import Verification
from audit.verifier import tree
from console.kernel import clock, tenancy
from console.kernel.actors import system

log = structlog.get_logger(__name__)

MOST: Final = 5_000  # entries of a step; a step goes on to the next head
NEWEST: Final = "newest"
WHOLE: Final = "whole"
NEWEST_EVERY_S: Final = 300
WHOLE_EVERY_S: Final = 20 * 3600  # so that a pass is over within a day
DAY_US: Final = 24 * 3600 * 1_000_000
IDLE_S: Final = 15.0

_DUE: Final[LiteralString] = """
    SELECT s.scope, l.id, l.tenant_id, l.origin,
           CASE WHEN p.finished_at IS NULL THEN p.next_index END,
           CASE WHEN p.finished_at IS NULL THEN p.edge END,
           CASE WHEN p.finished_at IS NULL THEN p.found END
      FROM audit_log l
      CROSS JOIN (VALUES ('newest', %(newest)s), ('whole', %(whole)s)) s(scope, every_s)
      CROSS JOIN LATERAL (SELECT sealed_us FROM audit_head WHERE log_id = l.id
                           ORDER BY size DESC LIMIT 1) h
      LEFT JOIN audit_patrol p ON p.log_id = l.id AND p.scope = s.scope
     WHERE (p.log_id IS NULL OR p.finished_at IS NULL
            OR p.started_at < clock_timestamp() - make_interval(secs => s.every_s))
       AND (s.scope = 'whole'
            OR h.sealed_us > extract(epoch FROM clock_timestamp()) * 1000000 - %(day)s)
       AND (%(only)s::uuid[] IS NULL OR l.id = ANY (%(only)s::uuid[]))
     ORDER BY s.scope = %(first)s DESC, p.finished_at IS NULL AND p.log_id IS NOT NULL DESC,
              p.started_at NULLS FIRST, l.id
     LIMIT 1
"""
_DAY_BEGINS: Final[LiteralString] = """
    SELECT size, edge, root FROM audit_head
     WHERE log_id = %s AND sealed_us < extract(epoch FROM clock_timestamp()) * 1000000 - %s
     ORDER BY size DESC LIMIT 1
"""
_ENDS: Final[LiteralString] = """
    SELECT size, (SELECT max(size) FROM audit_head WHERE log_id = %(log)s) FROM audit_head
     WHERE log_id = %(log)s AND size >= %(size)s ORDER BY size LIMIT 1
"""
_GOOD: Final[LiteralString] = """
    SELECT max(c.size) FROM audit_checkpoint c JOIN audit_log l ON l.id = c.log_id
     WHERE l.origin = %s AND c.size <= %s
"""
_KEEP: Final[LiteralString] = """
    INSERT INTO audit_patrol AS p
      (log_id, scope, tenant_id, started_at, finished_at, next_index, edge, found)
    VALUES (%(log)s, %(scope)s, %(tenant)s, clock_timestamp(),
            CASE WHEN %(over)s THEN clock_timestamp() END, %(next)s, %(edge)s, %(found)s)
    ON CONFLICT (log_id, scope) DO UPDATE
       SET started_at = CASE WHEN %(fresh)s THEN excluded.started_at ELSE p.started_at END,
           finished_at = excluded.finished_at, next_index = excluded.next_index,
           edge = excluded.edge, found = excluded.found
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What a step is about: a log, one of the two scopes, and what the pass has found so far."""

    scope: str
    log: Log
    stretch: Stretch
    fresh: bool  # a new pass begins with it
    found: int = 0


class Patrol:
    """Walks over one session; a given one must be at REPEATABLE READ."""

    def __init__(
        self,
        connection: "psycopg.Connection[Any] | None" = None,
        *,
        only: Sequence[UUID] | None = None,
    ) -> None:
        self._connection = connection
        self._only = None if only is None else list(only)
        self._first = WHOLE
        self._idle_until = 0.0

    def step(self, *, most: int = MOST) -> int:
        """Verify the next stretch that is due; returns how many entries that were."""
        if time.monotonic() < self._idle_until:
            return 0
        # Taking turns, so that a busy newest day leaves time for the rest.
        self._first = NEWEST if self._first == WHOLE else WHOLE
        db = self._session()
        with db.transaction():
            leg = self._next(db, most)
            if leg is None:
                self._idle_until = time.monotonic() + IDLE_S
                return 0
            walked, wrong = self._walk(db, leg)
        over = leg.stretch.end is None
        if over and leg.scope == WHOLE and leg.log.tenant_id is None:
            wrong = [*wrong, *Verification(db, keys=_keys(db)).run_across()]
        total = leg.found + len(wrong)
        db.execute(
            _KEEP,
            {
                "log": leg.log.id,
                "scope": leg.scope,
                "tenant": leg.log.tenant_id,
                "over": over,
                "fresh": leg.fresh,
                "next": walked.true.size,
                "edge": b"".join(_edge(walked)),
                "found": total,
            },
        )
        _tell(db, leg, wrong, clean=over and leg.scope == WHOLE and not total)
        return walked.true.size - leg.stretch.size

    def _next(self, db: "psycopg.Connection[Any]", most: int) -> Leg | None:
        values = {
            "newest": NEWEST_EVERY_S,
            "whole": WHOLE_EVERY_S,
            "day": DAY_US,
            "only": self._only,
            "first": self._first,
        }
        row = db.execute(_DUE, values).fetchone()
        if row is None:
            return None
        scope, log_id, tenant_id, origin, size, edge, found = row
        fresh = size is None
        if fresh:
            size, edge = _beginning(db, scope, log_id)
        ends = db.execute(_ENDS, {"log": log_id, "size": size + most}).fetchone()
        end = ends[0] if ends and ends[0] != ends[1] else None
        stretch = Stretch(size, _hashes(bytes(edge)), end)
        return Leg(
            scope=scope,
            log=Log(log_id, tenant_id, origin),
            stretch=stretch,
            fresh=fresh,
            found=found or 0,
        )

    def _walk(self, db: "psycopg.Connection[Any]", leg: Leg) -> tuple[LogWalk, list[Mismatch]]:
        found = Found()
        keys = _keys(db)(leg.log.origin)
        walked = LogWalk(db, leg.log, keys, found, stretch=leg.stretch)
        walked.run()
        return walked, found.mismatches

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = direct.connect("sealer")
            self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _beginning(db: "psycopg.Connection[Any]", scope: str, log_id: UUID) -> tuple[int, bytes]:
    """Return where a new pass begins: at the first leaf, or at the last head before the day."""
    row = db.execute(_DAY_BEGINS, [log_id, DAY_US]).fetchone() if scope == NEWEST else None
    if row is None:
        return 0, b""
    size, edge, root = row[0], bytes(row[1]), bytes(row[2])
    # An edge that does not lead to its root is named by the pass over the whole log.
    fits = len(edge) == 32 * size.bit_count()
    if fits and tree.Towers(size, _hashes(edge)).head() == root:
        return size, edge
    return 0, b""


def _edge(walked: LogWalk) -> list[bytes]:
    """Return the towers to go on with: those that the heads were made of, if they differ."""
    head = walked.heads.get(walked.true.size)
    if head is not None and bytes(head[3]) == walked.told.head():
        return walked.told.hashes()
    return walked.true.hashes()


def _hashes(edge: bytes) -> tuple[bytes, ...]:
    return tuple(edge[at : at + 32] for at in range(0, len(edge), 32))


def _keys(db: "psycopg.Connection[Any]") -> Any:
    def keys(origin: str) -> list[notes.VerifierKey]:
        """Trust the signer's own key; where its folder is out of reach, the keys of the notes."""
        own = signer.trusted_key(origin)
        if own is not None:
            return [own]
        rows = db.execute(
            """SELECT DISTINCT c.vkey FROM audit_checkpoint c JOIN audit_log l ON l.id = c.log_id
                WHERE l.origin = %s""",
            [origin],
        )
        return [notes.VerifierKey.parse(vkey) for (vkey,) in rows.fetchall()]

    return keys


def _tell(
    db: "psycopg.Connection[Any]", leg: Leg, wrong: Sequence[Mismatch], *, clean: bool
) -> None:
    """Raise what was found with whom it concerns; a clean whole pass takes an alarm back."""
    code = alarms.LOG if leg.log.tenant_id else alarms.META
    told: dict[UUID, list[Mismatch]] = {}
    for one in wrong:
        log.error("log.mismatch", log=one.log, index=one.index, field=one.field, why=one.sentence)
        for tenant_id in _whom(one):
            told.setdefault(tenant_id, []).append(one)
    for tenant_id, found in told.items():
        actor = system("audit.patrol", tenant_id)
        sentences = [_sentence(db, one) for one in found]
        event = _event(db, found)
        alarms.add_to_alarm(actor=actor, code=code, sentences=sentences, event=event)
    if clean:
        event_now = LogAgreed(noticed_at=clock.now().isoformat())
        for tenant_id in [leg.log.tenant_id] if leg.log.tenant_id else _everybody():
            actor = system("audit.patrol", tenant_id)
            alarms.clear_alarm(actor=actor, code=code, event=event_now)


def _whom(one: Mismatch) -> list[UUID]:
    return [UUID(one.tenant_id)] if one.tenant_id else _everybody()


def _everybody() -> list[UUID]:
    return list(tenancy.every_tenant(reason="the meta log stands above every tenant's log"))


def _sentence(db: "psycopg.Connection[Any]", one: Mismatch) -> str:
    place = "" if one.index is None else f"entry #{one.index}, "
    good = _good(db, one)
    known = "" if good is None else f" Last good checkpoint before it: size {good}."
    return f"{one.log or 'The trail'}: {place}{one.field}. {one.sentence}{known}"


def _event(db: "psycopg.Connection[Any]", found: Sequence[Mismatch]) -> LogMismatched:
    first = found[0]
    return LogMismatched(
        log=first.log,
        field=first.field,
        entry_index=first.index,
        sentence=first.sentence,
        last_good_size=_good(db, first),
        mismatches=len(found),
    )


def _good(db: "psycopg.Connection[Any]", one: Mismatch) -> int | None:
    if one.index is None:
        return None
    row = db.execute(_GOOD, [one.log, one.index]).fetchone()
    return row[0] if row else None
