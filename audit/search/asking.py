"""A question with the page of its answer that is asked for; all of it stands in an address."""

from dataclasses import dataclass, field
from typing import Final, Self

from typing_extensions import override

from audit.search.reading import parse
from audit.search.words import Query

# What the explorer shows unless something is asked: everything but that somebody looked.
USUAL: Final = "-kind:read"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands in every list: by the time it was received, then by its number."""

    received_us: int
    index: int

    @override
    def __str__(self) -> str:
        return f"{self.received_us}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a place as an address has it.

        Raises:
            ValueError: it is none.
        """
        received_us, _dot, index = text.partition(".")
        return cls(int(received_us), int(index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A question, and which page of the answer.

    Attributes:
        at: tree size that the answer is pinned to; None pins the first page to the newest head.
        root: how the root at that size began when the link was made; "" asks nothing.
        before: what stands behind this place (the next, older page).
        after: what stands before this place (the previous, newer page).
    """

    query: Query = field(default_factory=Query)
    at: int | None = None
    root: str = ""
    before: Place | None = None
    after: Place | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(query=parse(text))

    def canonical(self) -> str:
        """Return the same text for the same question, without the page that is shown."""
        return str(self.query)
