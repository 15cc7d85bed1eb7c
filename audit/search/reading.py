"""Reads what was typed into the query box, strictly: each refusal says where it stands."""

import re
from typing import Final, Never

from audit.errors import BadQuery, BadSearch, UnknownField
from audit.search.fields import FIELDS, refusal_of
from audit.search.words import Between, Compare, Exact, Prefix, Query, Term, Value

MOST_CHARACTERS: Final = 2_000
MOST_TERMS: Final = 40  # counted with every alternative

_SPACE: Final = re.compile(r"\s*")
_FIELD: Final = re.compile(r"([A-Za-z_]+):")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^\s",]+')
_SIGN: Final = re.compile(r">=|<=|>|<")
_BOUND: Final = re.compile(r"[0-9A-Za-z:+-]+(?:\.[0-9]+[A-Za-z]?)?")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_SHOWN: Final = 40


def parse(text: str) -> Query:
    """Return what a text asks.

    Raises:
        UnknownField: it names a field that entries do not have.
        BadSearch: a field does not take such a value.
        BadQuery: it cannot be read. All three say where, in `details["start"]` and `["end"]`.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadQuery(
            f"The query is too long; use at most {MOST_CHARACTERS} characters.",
            start=MOST_CHARACTERS,
            end=len(text),
        )
    for place, sign in enumerate(text):
        if not (sign.isprintable() or sign.isspace()):
            raise BadQuery(
                f"Sign {place + 1} of the query cannot be seen; take it out.",
                start=place,
                end=place + 1,
            )
    return _Reader(text).query()


class _Reader:
    """Goes through a text once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._begun = 0  # where the term at hand begins
        self._valued = 0  # where its value at hand does
        self._left = MOST_TERMS

    def query(self) -> Query:
        terms = []
        self._skip(_SPACE)
        while self._at < len(self._text):
            terms.append(self._term())
            self._skip(_SPACE)
        return Query(tuple(terms))

    def _term(self) -> Term:
        self._begun = self._at
        negated = self._text.startswith("-", self._at) and not self._ends(self._at + 1)
        self._at += negated
        field = self._field()
        values = [self._value(field)]
        while self._text.startswith(",", self._at):
            self._at += 1
            values.append(self._value(field))
        if not self._ends(self._at):
            self._refuse("put a space behind the closing quotation mark", self._at)
        return Term(field=field, values=tuple(values), negated=negated)

    def _field(self) -> str:
        found = _FIELD.match(self._text, self._at)
        if found is None:
            return ""
        name = found[1].lower()
        if name not in FIELDS:
            raise UnknownField(
                f"{self._word(self._begun)}: entries have no field {_shown(found[1])}; use one of "
                f"{', '.join(FIELDS)}, or put the word in quotes to look for the text.",
                start=self._at,
                end=found.end() - 1,
                field=_shown(found[1]),
            )
        self._at = found.end()
        return name

    def _value(self, field: str) -> Value:
        begun = self._valued = self._at
        self._left -= 1
        if self._left < 0:
            self._refuse(f"use at most {MOST_TERMS} words and values", begun)
        value = self._quoted() or (self._ranged() if field else None) or self._bare()
        if field and (refusal := refusal_of(field, value)):
            raise BadSearch(
                f"{self._word(self._begun)}: {refusal}", start=begun, end=self._at, field=field
            )
        if not field and value in {Exact(""), Prefix("")}:
            self._refuse("a text is missing", begun)
        return value

    def _quoted(self) -> Value | None:
        if not self._text.startswith('"', self._at):
            return None
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            said = "the quotation mark is never closed; close it or take it out"
            self._refuse(said, self._at, len(self._text))
        self._at = found.end()
        text = _ESCAPE.sub(r"\1", found[1])
        if self._text.startswith("*", self._at):
            self._at += 1
            return Prefix(text)
        return Exact(text)

    def _ranged(self) -> Value | None:
        """Read `>=x`, `x..y`, `x..` or `..y`; what only looks like a range is none."""
        if sign := _SIGN.match(self._text, self._at):
            self._at = sign.end()
            return Compare(sign[0], self._bound(self._taken()))
        found = _BARE.match(self._text, self._at)
        if found is None or ".." not in found[0]:
            return None
        self._at = found.end()
        low, _dots, high = found[0].partition("..")
        if low and high:
            return Between(self._bound(low), self._bound(high))
        return Compare(">=" if low else "<=", self._bound(low or high))

    def _bound(self, text: str) -> str:
        if not _BOUND.fullmatch(text):
            self._refuse("a range has a number or a time at its ends", self._valued)
        return text

    def _bare(self) -> Value:
        begun = self._at
        text = self._taken()
        if not text:
            self._refuse("a value is missing; add it or take the word out", begun)
        stem = text.removesuffix("*")
        if "*" in stem:
            self._refuse("an asterisk stands at the end of a value only", begun + stem.index("*"))
        return Exact(text) if stem == text else Prefix(stem)

    def _taken(self) -> str:
        found = _BARE.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _skip(self, what: re.Pattern[str]) -> None:
        if found := what.match(self._text, self._at):
            self._at = found.end()

    def _ends(self, place: int) -> bool:
        return place >= len(self._text) or self._text[place].isspace()

    def _word(self, begun: int) -> str:
        """Return the word that begins here, for the sentence that refuses it."""
        found = re.compile(r"\S*").match(self._text, begun)
        return f"At {_shown(found[0])}" if found and found[0] else "At the end"

    def _refuse(self, what: str, place: int, end: int = 0) -> Never:
        end = max(place + 1, self._at, end)
        raise BadQuery(f"{self._word(self._begun)}: {what}.", start=place, end=end)


def _shown(text: str) -> str:
    """Return a word so that it hides nothing and is not long."""
    bare = ascii(text)[1:-1]
    return bare if len(bare) <= _SHOWN else f"{bare[:_SHOWN]}..."
