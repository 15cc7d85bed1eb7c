"""What a person asks of the trail: filters with a canonical text. Pure.

Every list is an address: the filters stand in it under these names, and an unknown name is an
error.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from audit.events import Kind
from console.kernel import canonical

ALL_KINDS: Final = "all"
NO_READS: Final = "-read"
KINDS: Final = (NO_READS, ALL_KINDS, *(kind.value for kind in Kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Filters, all joined by *and*; an empty one asks nothing.

    Attributes:
        action: exact, or a prefix that ends in `*`; several are separated by commas.
        at: tree size that the answer is pinned to; None pins the first page to the newest.
        before: entries with a smaller index (the next, older page).
        after: entries with a larger index (the previous, newer page).
    """

    actor: str = ""
    action: str = ""
    target: str = ""
    agent: str = ""
    run: str = ""
    id: str = ""
    kind: str = NO_READS
    since: datetime | None = None
    until: datetime | None = None
    at: int | None = None
    before: int | None = None
    after: int | None = None

    def canonical(self) -> str:
        """Return the same text for the same question, without the page that is shown."""
        paging = {"at", "before", "after"}
        asked = {
            field.name: _text(getattr(self, field.name))
            for field in fields(self)
            if field.name not in paging and getattr(self, field.name)
        }
        return canonical.dumps(asked).decode()

    def actions(self) -> tuple[tuple[str, bool], ...]:
        """Return (text, whether it is a prefix) for every asked action."""
        parts = [part.strip() for part in self.action.split(",") if part.strip()]
        return tuple((part.removesuffix("*"), part.endswith("*")) for part in parts)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
