"""Saying that something happened: the only way to do it, in the transaction in which it happens."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection

from audit import envelope, merkle, queries
from audit.cards import EntryDetail, ExecutedCard, ProofCard, SearchPage
from audit.events import (
    AuditSearched,
    AuditViewed,
    Event,
    Repeatable,
    RequestRefused,
    catalogue,
)
from audit.search import Place, Search
from console.kernel import outbox, prepared, tenancy
from console.kernel.actors import Actor
from console.kernel.errors import Refusal
from console.kernel.ids import uuid7
from console.kernel.transactions import command

REPEAT_WINDOW_US = 60_000_000
MAX_PATH = 300
EXECUTED = "approved = executed"  # what is recorded of a look at that page
SEALED = "audit.sealed"  # topic of open lists

_INSERT = """
    INSERT INTO audit_event (tenant_id, event_uid, keep, envelope) VALUES (%s, %s, %s, %s)
    RETURNING received_at
"""
_INSERT_BLOB = """
    INSERT INTO audit_blob (tenant_id, event_uid, name, media_type, body)
    VALUES (%s, %s, %s, %s, %s)
"""
# The row lock is per actor and question, so it is only ever waited for by the same person's other
# tab.
_COUNT_REPEAT = """
    INSERT INTO audit_repeat AS r (tenant_id, actor, what, act, recorded_us)
    VALUES (%(tenant)s, %(actor)s, %(what)s, %(act)s,
            (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
    ON CONFLICT (tenant_id, actor, what) DO UPDATE SET
      act = excluded.act,
      repeats = CASE WHEN excluded.recorded_us - r.recorded_us < %(window)s
                     THEN r.repeats + 1 ELSE 0 END,
      recorded_us = CASE WHEN excluded.recorded_us - r.recorded_us < %(window)s
                         THEN r.recorded_us ELSE excluded.recorded_us END
    RETURNING repeats, (SELECT o.repeats FROM audit_repeat o
                        WHERE o.tenant_id = r.tenant_id AND o.actor = r.actor AND o.what = r.what)
"""


# Rows that nobody counts on any more: what was counted is recorded, what was not is forgotten.
_COUNTED = """
    UPDATE audit_repeat r SET repeats = 0
      FROM (SELECT actor, what, repeats, act FROM audit_repeat
             WHERE tenant_id = %(tenant)s AND repeats > 0 AND act > ''
               AND recorded_us < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                                 - %(window)s
             ORDER BY actor, what LIMIT 500 FOR UPDATE SKIP LOCKED) o
     WHERE r.tenant_id = %(tenant)s AND (r.actor, r.what) = (o.actor, o.what)
    RETURNING o.repeats, o.act
"""
_FORGET = """
    DELETE FROM audit_repeat WHERE tenant_id = %(tenant)s AND repeats = 0
       AND recorded_us < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - %(window)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that an event was handed in; its index follows when it is sealed."""

    uid: UUID
    received_us: int  # the database's clock
    envelope: bytes

    @property
    def leaf_hash(self) -> bytes:
        """Return the SHA-256 of the leaf that will be sealed, 32 bytes."""
        return merkle.leaf_hash(envelope.leaf(self.uid, self.received_us, self.envelope))


def record(event: Event, *, actor: Actor) -> Receipt:
    """Write an event into the caller's transaction, **after** the row change that it describes.

    One plain INSERT and no lock: writers never wait for each other because of the trail.
    Subscribers of the event's name get it through the outbox, pages that follow its topics a hint.

    Raises:
        RuntimeError: there is no open command of the actor's tenant.
        EventTooLarge, NotCanonical: the event has no envelope; the caller's change is undone with
        it.
    """
    if tenancy.current() != actor.tenant_id:
        raise RuntimeError(f"{event.name} can only be recorded inside a command of its tenant.")
    uid = uuid7()
    claimed_us = time.time_ns() // 1000  # the caller's own clock: claimed, shown, never decided by
    sealable = envelope.build(event, actor=actor, uid=uid, claimed_us=claimed_us)
    with prepared.cursor() as cursor:
        cursor.execute(_INSERT, [actor.tenant_id, uid, str(event.keep), sealable.envelope])
        (received_at,) = cursor.fetchone()
        for blob in sealable.blobs:
            cursor.execute(
                _INSERT_BLOB, [actor.tenant_id, uid, blob.name, blob.media_type, blob.body]
            )
    _tell(event, uid=uid, actor=actor)
    return Receipt(
        uid=uid,
        received_us=envelope.microseconds_of(received_at),
        envelope=sealable.envelope,
    )


def _tell(event: Event, *, uid: UUID, actor: Actor) -> None:
    """Send the fact up to its subscribers and a hint to the pages that show it."""
    if outbox.has_subscriber(event.name):
        subject = uid  # of events about something that has no id of its own
        with suppress(ValueError):
            subject = UUID(event.subject_id)
        outbox.publish_fact(
            event.name, subject=subject, actor=actor, data=envelope.plain(event.own_fields())
        )
    for topic in event.touched_topics():
        outbox.hint(topic, id=event.subject_id, settled=event.settled_as())


@command
def record_refusal(*, actor: Actor, code: str, kind: Refusal, path: str, method: str = "") -> None:
    """Record that a request was refused, in a transaction of its own after the rollback.

    Neither the query string nor the body is taken: forms hold what must not stand in a trail.
    """
    path = path[:MAX_PATH]
    event = RequestRefused(path=path, method=method, code=code, status=kind.value, repeats=0)
    record_once(event, actor=actor, what=f"refused {code} {method} {path}")


def record_once(event: Repeatable, *, actor: Actor, what: str) -> None:
    """Record an act that may repeat, or count it if an equal one was recorded less than 60 s ago.

    The next equal act says how many were only counted; if none comes, a duty records their number.
    """
    act = {"event": event.name, "fields": envelope.plain(event.own_fields())}
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "actor": f"{actor.kind.value}:{actor.id}"[:200],
        "what": sha256(what.encode("utf-8", "replace")).digest(),
        "act": json.dumps({**act, "actor": actor.as_dict()}),
        "window": REPEAT_WINDOW_US,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_REPEAT, values)
        now, before = cursor.fetchone()
    if not now:
        record(replace(event, repeats=before or 0), actor=actor)


@command
def flush_repeats(*, actor: Actor) -> int:
    """Record how often acts were repeated within their minute, where nobody does any more.

    Each becomes one event in the name of who did it; `only_repeats` says that it is no further act.
    """
    values: dict[str, Any] = {"tenant": actor.tenant_id, "window": REPEAT_WINDOW_US}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, values)
        counted = cursor.fetchall()
        cursor.execute(_FORGET, values)
    events = {event.name: event for event in catalogue() if issubclass(event, Repeatable)}
    for repeats, text in counted:
        act = json.loads(text)
        fields = {**act["fields"], "repeats": repeats, "only_repeats": True}
        record(events[act["event"]](**fields), actor=Actor.from_dict(act["actor"]))
    return len(counted)


@command
def tell_of_entries(*, actor: Actor) -> None:
    """Send a hint to open lists that newer entries can be found."""
    outbox.hint(SEALED, id=str(actor.tenant_id))


@command
def search_trail(
    *, actor: Actor, search: Search, limit: int = queries.PAGE, with_facets: bool = False
) -> SearchPage:
    """Return a page of the trail; that it was read is recorded, or nothing is shown.

    Raises:
        TooSlow: the answer took longer than two seconds.
    """
    page = queries.entries(actor=actor, search=search, limit=limit, with_facets=with_facets)
    asked = search.canonical()
    indexes = [card.index for card in page.entries if card.index is not None]
    event = AuditSearched(
        query_digest=sha256(asked.encode()).hexdigest(),
        query=asked,
        tree_size=page.pinned_size,
        found=len(page.entries),
        first_index=min(indexes, default=None),
        last_index=max(indexes, default=None),
        repeats=0,
    )
    record_once(event, actor=actor, what=f"searched {asked}")
    return page


@command
def list_executed(
    *, actor: Actor, before: Place | None = None, limit: int = queries.PAGE
) -> tuple[ExecutedCard, ...]:
    """Return what ran beside what was approved; that it was read is recorded as a search."""
    cards = queries.executed(actor=actor, before=before, limit=limit)
    indexes = [card.index for card in cards]
    event = AuditSearched(
        query_digest=sha256(EXECUTED.encode()).hexdigest(),
        query=EXECUTED,
        tree_size=queries.completeness(actor=actor).searched,
        found=len(cards),
        first_index=min(indexes, default=None),
        last_index=max(indexes, default=None),
        repeats=0,
    )
    record_once(event, actor=actor, what=f"searched {EXECUTED}")
    return cards


@command
def open_entry(*, actor: Actor, index: int) -> EntryDetail:
    """Return one entry with content and proof; that it was opened is recorded.

    Raises:
        NotFound: this tenant's log has no such entry.
    """
    detail = queries.entry(actor=actor, index=index)
    _note_view(actor=actor, index=index)
    return detail


@command
def open_proof(*, actor: Actor, index: int) -> ProofCard:
    """Return the proof of one entry; that it was opened is recorded.

    Raises:
        NotFound: this tenant's log has no such entry.
    """
    card = queries.proof(actor=actor, index=index)
    _note_view(actor=actor, index=index)
    return card


def _note_view(*, actor: Actor, index: int) -> None:
    event = AuditViewed(entry_index=index, repeats=0)
    record_once(event, actor=actor, what=f"viewed {index}")
