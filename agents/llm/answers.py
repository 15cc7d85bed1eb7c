"""Reads a short answer to a question that can only be answered with yes or no. Pure."""

import re
from typing import Final

YES: Final = frozenset(
    {
        "yes",
        "y",
        "yes please",
        "yep",
        "yeah",
        "sure",
        "ok",
        "okay",
        "correct",
        "confirm",
        "confirmed",
    }
    | {"go ahead", "please do", "do it", "yes go ahead", "yes do it", "yes please do", "i confirm"}
    | {"yes i confirm", "please go ahead", "that is correct", "yes that is correct", "proceed"}
)
NO: Final = frozenset(
    {
        "no",
        "n",
        "nope",
        "no thanks",
        "no thank you",
        "stop",
        "cancel that",
        "do not",
        "dont",
        "don't",
    }
    | {"no do not", "no don't", "never mind", "nevermind", "please do not", "please don't"}
)


def agreement(text: str) -> bool | None:
    """Return whether a message says yes or no; None if it says anything else, or both."""
    words = re.sub(r"[^a-z' ]+", " ", text.casefold()).split()
    said = " ".join(words)
    if said in YES:
        return True
    if said in NO:
        return False
    return None
