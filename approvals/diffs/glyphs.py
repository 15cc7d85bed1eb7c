"""Characters that deceive: those that a reader would not see, and letters that pass for others."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_BLANK_GLYPHS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc\U0001d159"
)
_HIDDEN_CATEGORIES: Final = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_PLAIN: Final = frozenset(" \n\t")
_LATIN: Final = "A-Za-z\u00c0-\u024f"
# Letters of other scripts of which many look like Latin ones, and Latin ones in disguise.
_ALIKE: Final = (
    "\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff"
)
_MIXED: Final = re.compile(f"(?:[{_LATIN}]\\w*[{_ALIKE}]|[{_ALIKE}]\\w*[{_LATIN}])\\w*")


def hidden_count(text: str) -> int:
    """Count the characters that a reader would not see, or that reorder what is seen."""
    if text.isascii() and text.isprintable():
        return 0
    suspects = {char for char in set(text) if char not in _PLAIN and _may_hide(char)}
    if not suspects:
        return 0
    return sum(
        1
        for index, char in enumerate(text)
        if char in suspects and _is_hidden(char, text[index - 1] if index else "")
    )


def mixed_words(text: str) -> int:
    """Count words that mix Latin letters with letters of another script that look like them."""
    return 0 if text.isascii() else sum(1 for _ in _MIXED.finditer(text))


def hidden_in(texts: Iterable[str]) -> int:
    return sum(hidden_count(text) for text in texts)


def _may_hide(char: str) -> bool:
    return (
        char in _BLANK_GLYPHS
        or _is_selector(char)
        or unicodedata.category(char) in _HIDDEN_CATEGORIES
    )


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_hidden(char: str, before: str) -> bool:
    if _is_selector(char):
        # Emoji are written as symbol + U+FE0F; anywhere else a selector carries hidden bytes.
        return not (char in "\ufe0e\ufe0f" and before and unicodedata.category(before) == "So")
    return True
