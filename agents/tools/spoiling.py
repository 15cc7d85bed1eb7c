"""Making a real call bad, for the checks that are planted among reviews; domains say how.

Pure functions over images: they ask no table and no rule, and what they make never runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from agents.tools.contracts import Args, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as people saw it: its arguments, and its records before and after."""

    args: Args
    before: Image
    after: Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A call made bad, and what is wrong with it as a sentence."""

    template: str
    call: Call
    wrong: str


# Of a call and other calls of the same tool, every way to make it bad that fits.
Spoil: TypeAlias = Callable[[Call, Sequence[Call]], Sequence[Spoiled]]
_SPOILERS: Final[dict[str, Spoil]] = {}


def register(domain: str, spoil: Spoil) -> None:
    """Make known how calls of a domain are made bad, when its app is ready."""
    _SPOILERS[domain] = spoil


def spoiled(domain: str, call: Call, others: Sequence[Call]) -> Sequence[Spoiled]:
    """Return every way to make a call bad that its domain knows; none for a domain without."""
    spoil = _SPOILERS.get(domain)
    return spoil(call, others) if spoil else ()
