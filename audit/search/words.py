"""A question as it is understood: terms that must all hold, and the one text that each stands for.

`str` of a query is its canonical text: reading it again gives an equal query.
"""

import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

# What needs no quotes. A free word that looks like `field:value` does, and so does one with `..`.
_BARE: Final = re.compile(r"[^\W_][\w.@#:/+-]*")
_LIKE_FIELD: Final = re.compile(r"[A-Za-z_]+:")


@dataclass(frozen=True, slots=True)
class Exact:
    """One text, whole."""

    text: str

    @override
    def __str__(self) -> str:
        return _bare_or_quoted(self.text)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every text that begins so; with an empty one, every text but the empty."""

    text: str

    @override
    def __str__(self) -> str:
        return f"{_bare_or_quoted(self.text)}*" if self.text else "*"


@dataclass(frozen=True, slots=True)
class Compare:
    """Everything on one side of a bound."""

    sign: str  # >=, >, <= or <
    bound: str

    @override
    def __str__(self) -> str:
        return f"{self.sign}{self.bound}"


@dataclass(frozen=True, slots=True)
class Between:
    """Everything from one bound to another, both included."""

    low: str
    high: str

    @override
    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


Value = Exact | Prefix | Compare | Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A field of which one value must fit, or text that an entry must hold; or the opposite."""

    field: str = ""  # "" for text
    values: tuple[Value, ...]
    negated: bool = False

    @override
    def __str__(self) -> str:
        said = ",".join(map(str, self.values))
        if self.field:
            said = f"{self.field}:{said}"
        elif _LIKE_FIELD.match(said):
            said = ",".join(_always_quoted(value) for value in self.values)
        return f"-{said}" if self.negated else said


@dataclass(frozen=True, slots=True)
class Query:
    """A question: all of its terms must hold."""

    terms: tuple[Term, ...] = ()

    @override
    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def without(self, *dropped: Term) -> "Query":
        return Query(tuple(term for term in self.terms if term not in dropped))

    def of(self, field: str) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.field == field)

    def asking(self, field: str, *values: Value, negated: bool = False) -> "Query":
        """Return the question with one more term, and without another one on the same field."""
        same = [term for term in self.of(field) if term.negated == negated]
        one = Term(field=field, values=values, negated=negated)
        return Query((*self.without(*same).terms, one))


def _bare_or_quoted(text: str) -> str:
    if _BARE.fullmatch(text) and ".." not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _always_quoted(value: Value) -> str:
    match value:
        case Exact(text) | Prefix(text) if _BARE.fullmatch(text) and ".." not in text:
            return f'"{value}"' if isinstance(value, Exact) else f'"{text}"*'
        case _:
            return str(value)
