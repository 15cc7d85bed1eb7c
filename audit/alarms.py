"""Raising and clearing alarms about the trail: each is an event and waits for a person."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from django.db import connection

from audit.cards import Drift, DrillCard
from audit.commands import record
from audit.envelope import stamp
from audit.events import (
    Event,
    GuardsDrifted,
    GuardsRestored,
    SearchInOrder,
    SearchRepaired,
    SignerCaughtUp,
    SignerFellBehind,
    TamperDrilled,
)
from audit.projection import Repair
from console.kernel import clock, tenancy
from console.kernel.actors import Actor, system
from console.kernel.transactions import command

log = structlog.get_logger(__name__)

GUARDS: Final = "guards"
LOG: Final = "log"  # something in this tenant's log
META: Final = "meta"  # something above the logs: rounds, meta log, events without an entry
SIGNER: Final = "signer"
DRILL: Final = "drill"
SEARCH: Final = "search"
UNSIGNED_FOR_S: Final = 60
MOST_KEPT: Final = 50  # sentences of one alarm; the count is of all

_RAISE: Final = """
    INSERT INTO audit_alarm AS a (tenant_id, code, sentences, raised_at)
    VALUES (%s, %s, %s, clock_timestamp())
    ON CONFLICT (tenant_id, code) DO UPDATE
       SET sentences = excluded.sentences, raised_at = excluded.raised_at, cleared_at = NULL
     WHERE a.cleared_at IS NOT NULL OR a.sentences <> excluded.sentences
"""
_STANDING: Final = """
    SELECT sentences FROM audit_alarm
     WHERE tenant_id = %s AND code = %s AND cleared_at IS NULL FOR UPDATE
"""
_CLEAR: Final = """
    UPDATE audit_alarm SET cleared_at = clock_timestamp()
     WHERE tenant_id = %s AND code = %s AND cleared_at IS NULL
"""
_SAW: Final = """
    INSERT INTO audit_watch (name, at, body) VALUES (%s, clock_timestamp(), %s)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body
"""
_UNSIGNED: Final = """
    SELECT l.tenant_id, h.sealed_us FROM audit_log l
      CROSS JOIN LATERAL (SELECT COALESCE(max(size), 0) AS size FROM audit_checkpoint
                           WHERE log_id = l.id) c
      CROSS JOIN LATERAL (SELECT sealed_us FROM audit_head
                           WHERE log_id = l.id AND size > c.size ORDER BY size LIMIT 1) h
     WHERE l.tenant_id IS NOT NULL
       AND h.sealed_us < (extract(epoch FROM clock_timestamp()) - %s) * 1000000
"""


@command
def raise_alarm(*, actor: Actor, code: str, sentences: Sequence[str], event: Event) -> bool:
    """Keep what is wrong and record it; False when exactly this stands already."""
    return _moved(_RAISE, actor, code, json.dumps(list(sentences[:MOST_KEPT])), event=event)


@command
def add_to_alarm(*, actor: Actor, code: str, sentences: Sequence[str], event: Event) -> bool:
    """Keep this beside what stands already; False when nothing of it is new."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [actor.tenant_id, code])
        row = cursor.fetchone()
    known = list(json.loads(row[0])) if row else []
    joined = list(dict.fromkeys([*known, *sentences]))[:MOST_KEPT]
    return raise_alarm(actor=actor, code=code, sentences=joined, event=event)


@command
def clear_alarm(*, actor: Actor, code: str, event: Event) -> bool:
    """Take an alarm back and record it; False when none stands."""
    return _moved(_CLEAR, actor, code, event=event)


def _moved(query: str, actor: Actor, *values: Any, event: Event) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [actor.tenant_id, *values])
        if not cursor.rowcount:
            return False
    record(event, actor=actor)
    return True


def tell_of_guards(drifts: Sequence[Drift]) -> int:
    """Let every tenant know what the self-check saw; returns for how many that was news."""
    sentences = [drift.sentence for drift in drifts]
    for drift in drifts:
        log.error("guards.drifted", place=drift.place, why=drift.sentence, remedy=drift.remedy)
    keep_seen(GUARDS, {"drifts": [_values(drift) for drift in drifts]})
    tenants = tenancy.every_tenant(reason="a guard of the database guards every tenant's trail")
    return sum(_tell(system("audit.guards", tenant_id), sentences) for tenant_id in tenants)


def _tell(actor: Actor, sentences: list[str]) -> bool:
    if not sentences:
        now = clock.now().isoformat()
        return clear_alarm(actor=actor, code=GUARDS, event=GuardsRestored(looked_at=now))
    digest = sha256("\n".join(sentences).encode()).hexdigest()
    event = GuardsDrifted(digest=digest, sentences=tuple(sentences[:MOST_KEPT]))
    return raise_alarm(actor=actor, code=GUARDS, sentences=sentences, event=event)


def tell_of_search(repairs: Sequence[Repair], *, in_order: Sequence[UUID]) -> None:
    """Let tenants know of rows that were put right, and when the whole table agrees again."""
    for repair in repairs:
        log.error("search.repaired", **{k: str(v) for k, v in asdict(repair).items()})
        sentence = (
            f"Between #{repair.first} and #{repair.last} the search table missed "
            f"{repair.missing} entries, told {repair.altered} otherwise and held {repair.added} "
            "of no entry. It was repaired; the trail itself is looked at by manage.py verify_audit."
        )
        event = SearchRepaired(
            first_index=repair.first,
            last_index=repair.last,
            missing=repair.missing,
            altered=repair.altered,
            added=repair.added,
            days=repair.days,
        )
        actor = system("audit.parity", repair.tenant_id)
        raise_alarm(actor=actor, code=SEARCH, sentences=[sentence], event=event)
    for tenant_id in in_order:
        actor = system("audit.parity", tenant_id)
        event_of_order = SearchInOrder(looked_at=clock.now().isoformat())
        clear_alarm(actor=actor, code=SEARCH, event=event_of_order)


@command
def tell_of_drill(*, actor: Actor, entry_count: int, cards: Sequence[DrillCard]) -> None:
    """Record that a copy of this tenant's log was tampered with, and what came out."""
    missed = tuple(card.name for card in cards if not card.passed)
    outcome = "missed" if missed else "passed"
    record(TamperDrilled(outcome=outcome, entry_count=entry_count, missed=missed), actor=actor)


def keep_seen(name: str, body: dict[str, Any]) -> None:
    """Keep what a duty saw, for the pages; it belongs to no tenant."""
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute(_SAW, [name, json.dumps(body)])


def _values(drift: Drift) -> dict[str, Any]:
    return {
        "place": drift.place,
        "sentence": drift.sentence,
        "remedy": drift.remedy,
        "reach": drift.reach,
    }


class SignerWatch:
    """Tells a tenant when nobody signs its log any more, and when somebody does again."""

    def __init__(self) -> None:
        self._behind: set[UUID] | None = None  # None: an earlier process may have raised some

    def look(self, db: "psycopg.Connection[Any]", *, after_s: float = UNSIGNED_FOR_S) -> int:
        """Look over a session that sees every log; returns for how many tenants it was news."""
        found = dict(db.execute(_UNSIGNED, [after_s]).fetchall())
        before = self._behind
        if before is None:
            before = set(tenancy.every_tenant(reason="an alarm may stand since an earlier start"))
        news = sum(self._raise(tenant_id, sealed_us) for tenant_id, sealed_us in found.items())
        news += sum(self._clear(tenant_id) for tenant_id in before - set(found))
        self._behind = set(found)
        return news

    def _raise(self, tenant_id: UUID, sealed_us: int) -> bool:
        since = stamp(sealed_us)
        sentence = (
            f"Entries sealed since {since} are not signed: the signer does not run, or it "
            "refuses. Its log says why; manage.py verify_audit looks for the reason."
        )
        actor = system("audit.signer_watch", tenant_id)
        event = SignerFellBehind(sealed_at=since)
        return raise_alarm(actor=actor, code=SIGNER, sentences=[sentence], event=event)

    def _clear(self, tenant_id: UUID) -> bool:
        event = SignerCaughtUp(noticed_at=clock.now().isoformat())
        actor = system("audit.signer_watch", tenant_id)
        return clear_alarm(actor=actor, code=SIGNER, event=event)
