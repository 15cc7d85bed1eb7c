"""Names that show as what they are; everything else of a person is free text, shown escaped."""

import unicodedata

from console.kernel.errors import BadInput


def is_plain_line(text: str) -> bool:
    """Say whether a name shows as what it is: one line, nothing invisible or reordering."""
    return bool(text.strip()) and all(
        unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        for char in text
    )


def require_plain_line(field: str, text: str) -> None:
    if not is_plain_line(text):
        sentence = (
            "Use one line of visible characters; control and direction marks are not allowed."
        )
        raise BadInput(f"{field.capitalize()}: {sentence}", fields={field: [sentence]})
