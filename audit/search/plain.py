"""The plain words of a text, as both sides of a search for words have them."""

import re
from typing import Final

_MACHINE: Final = re.compile(r"#?[0-9a-f-]{16,}", re.IGNORECASE)  # an id or a digest
_NO_WORD: Final = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return words and numbers with blanks between; addresses and ids are left out."""
    kept = (word for word in text.split() if "@" not in word and not _MACHINE.fullmatch(word))
    return _NO_WORD.sub(" ", " ".join(kept)).strip()
