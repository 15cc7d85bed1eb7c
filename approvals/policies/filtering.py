"""The filter box of a list: words like `tier:1,2 -agent:sandbox refund`, read strictly."""

import re
from collections.abc import Mapping
from typing import Final

from approvals.cards import Filter, Term
from approvals.states import ProposalState
from console.kernel.errors import BadInput

FILTER_LENGTH: Final = 300
MOST_TERMS: Final = 20
MOST_STARS: Final = 4  # in one value; each costs the database a search
HELD, CLAIMED, SNOOZED = "held", "claimed", "snoozed"

_WORDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "is": frozenset({*(state.value for state in ProposalState), HELD, CLAIMED, SNOOZED}),
    "tier": frozenset({"1", "2"}),
    "mine": frozenset({"yes", "no"}),
    "needs": frozenset(str(n) for n in range(1, 100)),
}
_FREE: Final = frozenset({"agent", "tool", "group"})  # any text, with * for anything
FIELDS: Final = (*_WORDS_OF, *sorted(_FREE))

_PIECE: Final = re.compile(r'(?:"[^"]*"|[^\s"])+')  # up to a space that is not in quotes
_FIELD: Final = re.compile(r"(\w+):(.*)", re.DOTALL)
_SHOWN: Final = 40


def parse_filter(text: str) -> Filter:
    """Read what was typed into the filter box.

    `field:a,b` asks for one of the values, `-` in front for none of them; the rest is text. Quotes
    hold a value with spaces together.

    Raises:
        BadInput: a word cannot be read; the sentence for the field `q` points at it.
    """
    if len(text) > FILTER_LENGTH:
        raise _refused(f"The filter is too long; use at most {FILTER_LENGTH} characters.")
    if not "".join(text.split()).isprintable():
        raise _refused("The filter holds characters that cannot be seen; take them out.")
    if text.count('"') % 2:
        raise _refused("A quotation mark stands alone in the filter; close it or take it out.")
    words = _PIECE.findall(text)
    if len(words) > MOST_TERMS:
        raise _refused(f"The filter has too many words; use at most {MOST_TERMS}.")
    return Filter(terms=tuple(_term(word, place) for place, word in enumerate(words, start=1)))


def filter_text(terms: tuple[Term, ...]) -> str:
    """Return the terms as one types them."""
    return " ".join(term.word for term in terms)


def _term(word: str, place: int) -> Term:
    negated = word.startswith("-") and len(word) > 1
    body = word[1:] if negated else word
    found = _FIELD.fullmatch(body)
    if found is None:
        return Term(word=word, field="", values=(_unquoted(body, word, place),), negated=negated)
    field = found[1].lower()
    if field not in FIELDS:
        raise _refused(
            f'Word {place} of the filter, {_shown(word)}: there is no field "{_shown(found[1])}"; '
            f"use {', '.join(FIELDS[:-1])} or {FIELDS[-1]}, or put the word in quotes as text."
        )
    values = tuple(_unquoted(value, word, place) for value in found[2].split(","))
    _require_known(field, values, word, place)
    return Term(word=word, field=field, values=values, negated=negated)


def _require_known(field: str, values: tuple[str, ...], word: str, place: int) -> None:
    known = _WORDS_OF.get(field)
    for value in values:
        if known is not None and value not in known:
            said = "a whole number from 1" if field == "needs" else ", ".join(sorted(known))
            raise _refused(f"Word {place} of the filter, {_shown(word)}: {field} takes {said}.")
        if value.count("*") > MOST_STARS:
            raise _refused(
                f"Word {place} of the filter, {_shown(word)}: use at most {MOST_STARS} asterisks."
            )


def _unquoted(value: str, word: str, place: int) -> str:
    bare = value.replace('"', "").strip()
    if not bare:
        raise _refused(
            f"Word {place} of the filter, {_shown(word)}: a value is missing; add it or take the "
            "word out."
        )
    return bare


def _shown(text: str) -> str:
    """Return a word so that it hides nothing and is not long."""
    bare = ascii(text)[1:-1]
    return bare if len(bare) <= _SHOWN else f"{bare[:_SHOWN]}..."


def _refused(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"q": [sentence]})
