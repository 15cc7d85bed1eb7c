"""The canonical bytes of an event: built once, hashed as stored, never serialised again.

Pure: no database, no clock of its own. The database adds the receive time and computes the leaf
hash.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from audit.errors import EventTooLarge
from audit.events import Change, Event
from console.kernel import canonical
from console.kernel.actors import Actor

VERSION: Final = 1
MAGIC: Final = b"SB\x00\x01"
MAX_LEAF: Final = 16 * 1024
MAX_ENVELOPE: Final = MAX_LEAF - len(MAGIC) - 16 - 8
MAX_CHANGE: Final = 4 * 1024
MAX_LABEL: Final = 200  # characters of a fact that stays beside its digest
JSON: Final = "application/json"
_AS_IT_IS: Final = frozenset({str, int, bool})  # most values, so they are asked for first
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A part that is kept beside the envelope, which holds its digest."""

    name: str
    media_type: str
    body: bytes

    def reference(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "digest": sha256(self.body).hexdigest(),
            "length": len(self.body),
            "type": self.media_type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealable:
    """An envelope ready to be inserted, with the parts that did not fit into it."""

    envelope: bytes
    blobs: tuple[Blob, ...]


def stamp(microseconds: int) -> str:
    """Return a time as `2026-11-20T14:07:31.123456Z`, always with microseconds."""
    return moment_of(microseconds).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def leaf(uid: UUID, received_us: int, envelope: bytes) -> bytes:
    """Return the leaf's bytes; the receive time is signed, eight bytes, big-endian."""
    return MAGIC + uid.bytes + received_us.to_bytes(8, "big", signed=True) + envelope


def plain(value: object) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line per type
    """Return a value as JSON; ids, times and decimals become text, floats are refused later."""
    if value is None or type(value) in _AS_IT_IS:
        return value
    match value:
        case Enum():
            return plain(value.value)
        case UUID():
            return str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return stamp(microseconds_of(value))
        case bytes() | memoryview():
            return bytes(value).hex()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case frozenset() | set():
            return sorted(plain(item) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
        case _:
            return value


def build(event: Event, *, actor: Actor, uid: UUID, claimed_us: int) -> Sealable:
    """Return the canonical envelope of an event; large parts move into blobs, largest kind first.

    Raises:
        NotCanonical: a field holds something that the profile leaves out.
        EventTooLarge: even the bare facts do not fit into a leaf.
    """
    facts = {**event.bind, **event.own_fields()}
    body: dict[str, Any] = {
        "v": VERSION,
        "uid": str(uid),
        "tenant": str(actor.tenant_id),
        "action": event.name,
        "kind": str(event.kind),
        "keep": str(event.keep),
        "claimed_at": stamp(claimed_us),
        "actor": _actor(actor),
        "target": _without_blanks(
            {"type": event.target_type, "id": event.subject_id, "version": event.version}
        ),
        "via": [_without_blanks(asdict(link)) for link in actor.via] if actor.via else None,
        "change": [_change(change) for change in event.changes] if event.changes else None,
        "bind": {key: plain(value) for key, value in facts.items()},
        "intent": plain(event.intent),
        "result": event.result,
        "reason": event.reason,
        "request": _without_blanks({"id": actor.request, "address": actor.address}),
    }
    return _fitted(_without_blanks(body))


def _actor(actor: Actor) -> dict[str, Any]:
    values = {
        "kind": actor.kind.value,
        "id": actor.id,
        "label": actor.label,
        "strength": actor.strength,
        "session": actor.session,
    }
    return _without_blanks(values)


def _change(change: Change) -> dict[str, Any]:
    return {"path": change.path, "before": plain(change.before), "after": plain(change.after)}


def _without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value or value == 0}


def _fitted(body: dict[str, Any]) -> Sealable:
    blobs: list[Blob] = []
    if "change" in body:
        change = canonical.dumps(body["change"])
        if len(change) > MAX_CHANGE:
            del body["change"]
            _move(body, blobs, Blob(name="change", media_type=JSON, body=change))
    raw = canonical.dumps(body)
    if len(raw) > MAX_ENVELOPE:
        bind = canonical.dumps(body.get("bind", {}))
        body["bind"] = _labels(body.get("bind", {}))
        _move(body, blobs, Blob(name="bind", media_type=JSON, body=bind))
        raw = canonical.dumps(body)
    if len(raw) > MAX_ENVELOPE:
        raise EventTooLarge(
            f"The event {body['action']} needs {len(raw)} bytes and a leaf holds {MAX_ENVELOPE}; "
            "shorten its reason."
        )
    return Sealable(envelope=raw, blobs=tuple(blobs))


def _move(body: dict[str, Any], blobs: list[Blob], blob: Blob) -> None:
    blobs.append(blob)
    body["blobs"] = [*body.get("blobs", []), blob.reference()]


def _labels(bind: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what identifies, so that a search finds the event without its blob."""
    kept: dict[str, Any] = {}
    for key, value in bind.items():
        short = isinstance(value, str) and len(value) <= MAX_LABEL
        if (short or isinstance(value, bool | int | None)) and len(kept) < 30:  # noqa: PLR2004
            kept[key] = value
    return kept
