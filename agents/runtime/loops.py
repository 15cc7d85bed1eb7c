"""Finds an agent that goes round in circles: pure rules over what its calls were and gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Final

NOTE_AT: Final = 3  # equal triples in a row
STOP_AT: Final = 5
PING_PONG: Final = 4  # A-B-A-B


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One finished call, reduced to what a repetition is made of."""

    tool: str
    args: bytes
    result: bytes
    error: str = ""


class Verdict(StrEnum):
    FINE = "fine"
    NOTE = "note"
    STOP = "stop"


def look(calls: Sequence[Seen]) -> Verdict:
    """Judge the finished calls of a run tree, oldest first. Different arguments never count."""
    if not calls:
        return Verdict.FINE
    equal = _tail(calls, calls[-1])
    if equal >= STOP_AT or _ping_pong(calls):
        return Verdict.STOP
    return Verdict.NOTE if equal >= NOTE_AT else Verdict.FINE


def contract_errors(calls: Sequence[Seen]) -> int:
    """Return how many of the newest calls in a row did not fit their contract."""
    return sum(1 for _ in takewhile(lambda one: one.error.startswith("contract."), reversed(calls)))


def _tail(calls: Sequence[Seen], last: Seen) -> int:
    return sum(1 for _ in takewhile(lambda one: one == last, reversed(calls)))


def _ping_pong(calls: Sequence[Seen]) -> bool:
    """Tell whether the last eight calls are A-B-A-B twice."""
    if len(calls) < 2 * PING_PONG:
        return False
    tail = calls[-2 * PING_PONG :]
    first, second = tail[0], tail[1]
    return first != second and all(
        one == (first if place % 2 == 0 else second) for place, one in enumerate(tail)
    )
