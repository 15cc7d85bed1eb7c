"""What can be asked for by name, and what each field takes."""

import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from audit.events import Kind
from audit.search.words import Between, Compare, Exact, Prefix, Value

HAS: Final = ("reason", "change", "chain", "blob", "intent", "skew", "mismatch", "trace")
NUMBER_MOST: Final = 2**62


class Takes(Enum):
    TEXT = "a text, or the beginning of one with * behind it"
    WHOLE = "a whole text"
    TIME = "a month, a day or a time in UTC, or a range of them"
    NUMBER = "a number, or a range of them"
    KIND = "one of " + ", ".join(kind.value for kind in Kind)
    HAS = "one of " + ", ".join(HAS)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the query box."""

    takes: Takes
    means: str  # for the list of fields on the page
    example: str


FIELDS: Final[Mapping[str, Field]] = {
    "action": Field(Takes.TEXT, "what happened", "action:proposal.*"),
    "actor": Field(Takes.TEXT, "who did it, by name or id", 'actor:"Noor Haddad"'),
    "agent": Field(Takes.TEXT, "the agent that acted, or that it is about", "agent:refund-desk"),
    "approver": Field(Takes.WHOLE, "who voted to approve, by name or id", "approver:ruth"),
    "claimed": Field(Takes.TIME, "when the caller says it happened", "claimed:2026-11-20"),
    "created": Field(Takes.TIME, "when it was received", "created:2026-11-01..2026-11-20"),
    "digest": Field(Takes.TEXT, "the content that it is about, by SHA-256", "digest:9f3c*"),
    "has": Field(Takes.HAS, "entries that hold such a part", "has:reason"),
    "id": Field(Takes.WHOLE, "any id or digest in the entry", "id:CUS-20931"),
    "index": Field(Takes.NUMBER, "number of the entry", "index:>=88190"),
    "kind": Field(Takes.KIND, "what sort of entry", "-kind:read"),
    "outcome": Field(Takes.TEXT, "how it ended", "outcome:refused"),
    "policy": Field(Takes.WHOLE, "a policy version or rule that spoke", "policy:refunds/large"),
    "proposal": Field(Takes.TEXT, "the proposal that it belongs to", "proposal:0198f2*"),
    "run": Field(Takes.TEXT, "the agent's run", "run:0198f2*"),
    "subject": Field(Takes.WHOLE, "the customer or thing a change is about", "subject:CUS-20931"),
    "target": Field(Takes.TEXT, "what was acted on: id, type, or type:id", "target:proposal"),
    "tool": Field(Takes.TEXT, "the tool that was called", "tool:refund.*"),
    "trace": Field(Takes.TEXT, "the trace or request that it belongs to", "trace:4bf92f*"),
    "version": Field(Takes.TEXT, "version of the agent", "version:3"),
    "via": Field(Takes.WHOLE, "anyone it was done for, or through", "via:ruth"),
}

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?(\.\d{1,6})?Z?")
Span = tuple[int | None, int | None]  # from, and up to but without; None: open


def refusal_of(name: str, value: Value) -> str:
    """Return why a field does not take a value, or ""."""
    field = FIELDS[name]
    match field.takes, value:
        case Takes.TIME | Takes.NUMBER, Prefix():
            fits = False
        case Takes.TIME | Takes.NUMBER, _:
            fits = _reads(name, value)
        case _, Compare() | Between():
            fits = False
        case Takes.TEXT, _:
            fits = True
        case Takes.WHOLE, Exact(text):
            fits = bool(text)
        case Takes.KIND, Exact(text):
            fits = text in set(Kind)
        case Takes.HAS, Exact(text):
            fits = text in HAS
        case _:
            fits = False
    return "" if fits else f"{name} takes {field.takes.value}, for instance {field.example}."


def _reads(name: str, value: Value) -> bool:
    try:
        low, high = span_of(name, value)
    except (ValueError, OverflowError):
        return False
    return low is None or high is None or low < high


def span_of(name: str, value: Value) -> Span:
    """Return the numbers or the microseconds that a value stands for.

    Raises:
        ValueError, OverflowError: it stands for none.
    """
    read = _number if FIELDS[name].takes is Takes.NUMBER else _moment
    match value:
        case Exact(text):
            return read(text)
        case Between(low, high):
            return read(low)[0], read(high)[1]
        case Compare(">=", bound):
            return read(bound)[0], None
        case Compare(">", bound):
            return read(bound)[1], None
        case Compare("<=", bound):
            return None, read(bound)[1]
        case Compare(_, bound):
            return None, read(bound)[0]
        case Prefix():
            raise ValueError(str(value))


def _number(text: str) -> tuple[int, int]:
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(NUMBER_MOST))):
        raise ValueError(text)
    return int(text), int(text) + 1


def _moment(text: str) -> tuple[int, int]:
    """Return a month, a day, a minute, a second or a microsecond as a half-open range."""
    if month := _MONTH.fullmatch(text):
        first = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
        return _from_to(first, (first + timedelta(days=31)).replace(day=1))
    if _DAY.fullmatch(text):
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return _from_to(day, day + timedelta(days=1))
    if time := _TIME.fullmatch(text):
        if time[3] and not time[2]:
            raise ValueError(text)
        fraction = (time[3] or ".0")[1:].ljust(6, "0")
        at = datetime.fromisoformat(f"{time[1]}{time[2] or ':00'}.{fraction}").replace(tzinfo=UTC)
        unit = {True: "microseconds", False: "seconds" if time[2] else "minutes"}[bool(time[3])]
        return _from_to(at, at + timedelta(**{unit: 1}))
    raise ValueError(text)


def _from_to(low: datetime, high: datetime) -> tuple[int, int]:
    return _microseconds(low), _microseconds(high)


def _microseconds(at: datetime) -> int:
    return timegm(at.utctimetuple()) * 1_000_000 + at.microsecond
