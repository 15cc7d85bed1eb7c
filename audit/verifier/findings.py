"""What a check finds: what does not hold, what is missing, and what can be said."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable

from audit.verifier.files import Missing
from audit.verifier.signed import Wrong

# Whatever a hostile file makes of a reader that expects an honest one.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class Findings:
    """A list that grows while a check goes on; one wrong thing does not hide the next."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.missing: list[str] = []
        self.facts: list[str] = []

    def wrong(self, field: str, why: str, index: int | None = None) -> None:
        place = "" if index is None else f"#{index} "
        said = f"{place}{field}: {why}"
        if said not in self.problems[-100:]:
            self.problems.append(said)

    def step(self, field: str, act: Callable[[], None], index: int | None = None) -> None:
        """Take a step of the check; what stops it becomes a finding."""
        try:
            act()
        except Missing as missing:
            if str(missing) not in self.missing:
                self.missing.append(str(missing))
        except Wrong as wrong:
            self.wrong(field, str(wrong), index)
        except UNREADABLE:
            self.wrong(field, "has a shape that cannot be read", index)
