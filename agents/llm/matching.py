"""Finds words and patterns in what a person wrote. Pure text, no grammar beyond this."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

MOST_CHARACTERS: Final = 4000  # of one message that is searched
_ENDINGS: Final = r"(?:s|es|d|ed|led|ing|ling)?"
_BREAKS: Final = re.compile(
    r"(?<=[.!?;])\s+|\n+|,?\s+(?:and then|then|also|and also)\s+", re.IGNORECASE
)
_DATA: Final = re.compile(r"\{[^{}]*\}|\"[^\"]*\"|“[^”]*”")
_WORD: Final = re.compile(r"[a-z0-9']+")


@lru_cache(maxsize=2048)
def _phrase(phrase: str) -> re.Pattern[str]:
    """Return a pattern for a phrase whose words may carry a common ending."""
    words = [re.escape(_stem(word)) for word in phrase.split()]
    ends = [rf"{word}e?{_ENDINGS}" for word in words]
    return re.compile(r"(?<!\w)" + r"[\s_-]+".join(ends) + r"(?!\w)", re.IGNORECASE)


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("e") and len(word) > 4 else word  # noqa: PLR2004


def place_of(text: str, phrase: str) -> int:
    """Return where a phrase begins in a text, or -1."""
    found = _phrase(phrase).search(text[:MOST_CHARACTERS]) if phrase.strip() else None
    return found.start() if found else -1


def says(text: str, phrase: str) -> bool:
    return place_of(text, phrase) >= 0


def without_quotes(text: str) -> str:
    """Return a text without what stands in braces or quotation marks: that is data, no request."""
    return _DATA.sub(" ", text)


def longest(text: str, phrases: Iterable[str]) -> int:
    """Return the number of words of the longest of these phrases that is in the text."""
    return max((len(phrase.split()) for phrase in phrases if says(text, phrase)), default=0)


def parts(text: str) -> list[str]:
    """Cut a message where one request may end and the next begin."""
    return [part for part in _BREAKS.split(text[:MOST_CHARACTERS]) if part and part.strip()]


def choice(text: str, choices: Mapping[str, Iterable[str]]) -> str | None:
    """Return the value whose wording stands in the text; the longest wording wins."""
    best: tuple[int, str] | None = None
    for value, ways in choices.items():
        for way in (*ways, value):
            if says(text, way) and (best is None or len(way) > best[0]):
                best = (len(way), value)
    return best[1] if best else None


def matches(text: str, pattern: str) -> list[str]:
    """Return what a slot's pattern finds, in order, each once."""
    found = [match.group(0) for match in re.finditer(pattern, text[:MOST_CHARACTERS])]
    return list(dict.fromkeys(found))


def after_cue(text: str, cues: Iterable[str]) -> str:
    """Return the capitalised words that follow the first cue that has any, or ""."""
    for cue in cues:
        at = _phrase(cue).search(text)
        rest = text[at.end() :].lstrip(" :") if at else ""
        found = re.match(r"[A-Z][\w'-]+(?: [A-Z][\w'-]+){0,3}", rest)
        if found:
            return found.group(0)
    return ""


def labelled(text: str, name: str) -> str:
    """Return the value of a form's line in a text, as in "City: Austin", or ""."""
    found = re.search(
        rf"\b{re.escape(name)}['\"]?\s*[:=]\s*['\"]?([^,;'\"\n{{}}]+)", text, re.IGNORECASE
    )
    return found.group(1).strip() if found else ""


def words_of(value: Any) -> list[str]:
    """Return the words by which an entry may be called: a name, or the values of its options."""
    match value:
        case str():
            return [value.replace("_", " ")]
        case Mapping():
            return [str(item) for item in value.values()]
        case _:
            return [str(value)]


def shared(text: str, labels: Iterable[str]) -> int:
    """Return how many words of these labels the text contains, whole labels first."""
    score = 0
    for label in labels:
        if says(text, label):
            score += 10 * len(label.split())
    return score


def tokens(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
