"""Orders of lists, and cursors that go on behind a row without a gap or a repeat."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from approvals.models import Proposal
from console.kernel.errors import BadInput

MOST_CURSOR: Final = 400
_WHOLE_MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of proposals; every field is never null, and the last one is unique."""

    name: str
    fields: tuple[str, ...]  # of the table, "-" in front for descending

    def key(self, row: Proposal) -> tuple[Any, ...]:
        """Return what sorts rows in this order, for lists that were read apart."""
        return tuple(_rank(_value(row, field), down=field[0] == "-") for field in self.fields)

    def values(self, row: Proposal) -> tuple[Any, ...]:
        return tuple(_value(row, field) for field in self.fields)

    def reversed(self) -> "Order":
        """Return the same order from its end."""
        turned = (field[1:] if field[0] == "-" else f"-{field}" for field in self.fields)
        return Order(self.name, tuple(turned))

    def behind(self, values: Sequence[Any]) -> Q:
        """Select what comes after the row with these values."""
        found, same = Q(), Q()
        for field, value in zip(self.fields, values, strict=True):
            found |= same & _beyond(field, value)
            same &= Q(**{field.lstrip("-"): value})
        # Said apart, the index is entered at the first field instead of read from its start.
        return found & (_beyond(self.fields[0], values[0]) | _equal(self.fields[0], values[0]))

    def cursor(self, row: Proposal, segment: int) -> str:
        """Return where the page after this row begins."""
        values = [_as_json(value) for value in self.values(row)]
        text = json.dumps([self.name, segment, *values])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str, *, segments: int) -> tuple[int, tuple[Any, ...]]:
        """Return segment and values of a cursor.

        Raises:
            BadInput: it was not made here, or for another order.
        """
        name, segment, *values = _parts(cursor, len(self.fields) + 2)
        if name != self.name or type(segment) is not int or not 0 <= segment < segments:
            raise unknown_cursor()
        read = [_READERS[field.lstrip("-")] for field in self.fields]
        try:
            return segment, tuple(each(value) for each, value in zip(read, values, strict=True))
        except (ValueError, OverflowError) as error:
            raise unknown_cursor() from error


def unknown_cursor() -> BadInput:
    return BadInput(
        "This page cannot be continued from there; start at the first page.",
        fields={"after": ["Take the cursor from the page before."]},
    )


def _parts(cursor: str, count: int) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor[:MOST_CURSOR].encode() + b"=" * (-len(cursor) % 4))
        parts = json.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise unknown_cursor() from error
    if not isinstance(parts, list) or len(parts) != count:
        raise unknown_cursor()
    return parts


def _beyond(field: str, value: object) -> Q:
    down = field.startswith("-")
    return Q(**{f"{field.lstrip('-')}__{'lt' if down else 'gt'}": value})


def _equal(field: str, value: object) -> Q:
    return Q(**{field.lstrip("-"): value})


def _value(row: Proposal, field: str) -> Any:
    return getattr(row, field.lstrip("-"))


def _rank(value: Any, *, down: bool) -> Any:
    number = value.timestamp() if isinstance(value, datetime) else int(value)
    return -number if down else number


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read_time(value: object) -> datetime:
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError(value)
    return at


def _read_whole(value: object) -> int:
    if type(value) is not int or abs(value) > _WHOLE_MOST:
        raise ValueError(value)
    return value


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "decide_by": _read_time,
    "created_at": _read_time,
    "moved_at": _read_time,
    "tier": _read_whole,
    "id": lambda value: UUID(str(value)),
}
