"""One entry, and the history of one thing."""

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit.cards import ChangeCard, EntryCard, EntryDetail
from audit.envelope import MAGIC, moment_of
from audit.models import AuditBlob, AuditEntry, AuditEvent, AuditRound, AuditSearch
from audit.queries import places
from audit.queries.completeness import tenant_log
from audit.queries.proofs import proof_of
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

HISTORY: Final = 50
NEWEST: Final = ("-received_us", "-index")
SKEW_SHOWN_S: Final = 5.0
_SHOWN_APART: Final = frozenset({"actor", "via", "target", "change", "bind", "claimed_at"})


def cards_of(rows: list[Any]) -> tuple[EntryCard, ...]:
    """Return a card per row; the uid stands beside the event and not in the search table."""
    uids = places.uids_of(rows[0].log_id, [row.index for row in rows]) if rows else {}
    return tuple(_card(row, uids.get(row.index)) for row in rows)


def _card(row: Any, uid: UUID | None) -> EntryCard:
    return EntryCard(
        uid=uid,
        index=row.index,
        received_at=moment_of(row.received_us),
        action=row.action,
        kind=row.kind,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_label=row.actor_label,
        target_type=row.target_type,
        target_id=row.target_id,
        agent=row.agent,
        run=row.run,
        agent_label=row.agent_label,
    )


@query
def entry(*, actor: Actor, index: int) -> EntryDetail:
    """Return one sealed event with its proof, verified now from stored bytes.

    Raises:
        NotFound: this tenant's log has no such entry.
    """
    log = tenant_log(actor)
    row = AuditEntry.objects.filter(log_id=log.id, index=index).first() if log else None
    event = places.event_of(row) if row else None
    if log is None or row is None or event is None:
        raise NotFound(f"There is no entry {index} in this trail; go back to the list.")
    raw = bytes(event.envelope)
    body = json.loads(raw)
    sealed_us = AuditRound.objects.filter(round_no=row.round_no).values_list("sealed_us").get()[0]
    frame = MAGIC + event.event_uid.bytes + event.received_us.to_bytes(8, "big", signed=True)
    parts = _with_blobs(event, body)
    return EntryDetail(
        card=_card_of_body(body, event, index),
        uid=event.event_uid,
        origin=log.origin,
        claimed_at=str(body.get("claimed_at", "")),
        sealed_at=moment_of(sealed_us),
        skew_s=_skew(body, event),
        actor=body.get("actor", {}),
        via=tuple(body.get("via", [])),
        target=body.get("target", {}),
        changes=tuple(_changes(parts.get("change", []))),
        bind=tuple(sorted((key, _shown(value)) for key, value in parts.get("bind", {}).items())),
        facts=tuple((key, _shown(body[key])) for key in body if key not in _SHOWN_APART),
        envelope=raw.decode("utf-8", "replace"),
        leaf_frame=frame.hex(),
        proof=proof_of(log, row, event),
    )


def _with_blobs(event: AuditEvent, body: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope's parts with those that were moved out of it put back, for showing."""
    parts = dict(body)
    if body.get("blobs"):
        blobs = AuditBlob.objects.filter(tenant_id=event.tenant_id, event_uid=event.event_uid)
        for blob in blobs:
            parts[blob.name] = json.loads(bytes(blob.body))
    return parts


def _changes(rows: list[dict[str, Any]]) -> list[ChangeCard]:
    return [
        ChangeCard(
            path=str(row.get("path", "")),
            before=None if row.get("before") is None else _shown(row["before"]),
            after=None if row.get("after") is None else _shown(row["after"]),
        )
        for row in rows
    ]


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=1)


def _skew(body: dict[str, Any], event: AuditEvent) -> float | None:
    """Return how many seconds lie between claimed and received, when it is more than five."""
    try:
        claimed = datetime.fromisoformat(str(body.get("claimed_at", "")))
    except ValueError:
        return None
    seconds = (event.received_at - claimed).total_seconds()
    return seconds if abs(seconds) > SKEW_SHOWN_S else None


def _card_of_body(body: dict[str, Any], event: AuditEvent, index: int | None) -> EntryCard:
    actor, target = body.get("actor", {}), body.get("target", {})
    return EntryCard(
        uid=event.event_uid,
        index=index,
        received_at=event.received_at,
        action=str(body.get("action", "")),
        kind=str(body.get("kind", "")),
        actor_kind=str(actor.get("kind", "")),
        actor_id=str(actor.get("id", "")),
        actor_label=str(actor.get("label", "")),
        target_type=str(target.get("type", "")),
        target_id=str(target.get("id", "")),
        agent="",
        run="",
        reason=str(body.get("reason", "")),
    )


@query
def events_of(
    *, actor: Actor, target_type: str, target_id: str, limit: int = HISTORY
) -> tuple[EntryCard, ...]:
    """Return the newest events about one thing, newest first, for its history panel.

    Events that are not sealed, or not searchable yet, come first and have no index.
    """
    about = {"target_type": target_type, "target_id": target_id}
    fresh = places.not_searchable_yet(actor.tenant_id, naming=target_id)
    rows = AuditSearch.objects.filter(tenant_id=actor.tenant_id, **about).order_by(*NEWEST)
    # Read last: an event that became searchable meanwhile is in both lists, and never in neither.
    known = list(rows[:limit])
    found = dict(zip((row.event_id for row in known), cards_of(known), strict=True))
    cards = [
        _card_of_body(json.loads(bytes(event.envelope)), event, index)
        for event, index in fresh
        if event.id not in found
    ]
    first = [card for card in cards if (card.target_type, card.target_id) == tuple(about.values())]
    return tuple([*first, *found.values()][:limit])
