"""How many pages are open on this process, and how far apart these fetch the truth anew.

A hint reaches all of them at once. What each then fetches is made for that person alone, so it
costs the same for the five-hundredth as for the first; all together they would keep votes, pages
and the next hint waiting for as long as that takes.
"""

from collections import Counter
from typing import Final
from uuid import UUID
from zlib import crc32

Followed = tuple[UUID, str]  # a tenant, and a topic of it

FEW: Final = 10  # answers that may be wanted together
EACH_MS: Final = 50  # for one more; a list takes about as much processor time, of two cores
MOST_MS: Final = 60_000
# Pages of one person ask in the same moment: the first gets an answer, and the others one together.
ANSWERS_EACH: Final = 2


class Crowd:
    """Who follows each topic, with how many pages."""

    def __init__(self) -> None:
        self._pages: dict[Followed, Counter[str]] = {}
        self._answers: Counter[Followed] = Counter()

    def join(self, followed: Followed, person: str) -> None:
        pages = self._pages.setdefault(followed, Counter())
        pages[person] += 1
        self._answers[followed] += pages[person] <= ANSWERS_EACH

    def leave(self, followed: Followed, person: str) -> None:
        pages = self._pages[followed]
        self._answers[followed] -= pages[person] <= ANSWERS_EACH
        pages[person] -= 1
        if not pages[person]:
            del pages[person]
        if not pages:
            del self._pages[followed], self._answers[followed]

    def turn_ms(self, followed: Followed, person: str, seq: int) -> int:
        """Return how long one person's pages wait with what the hint of this number tells of.

        Mostly not at all. All pages of a person wait as long, and at the next hint another time.
        """
        return self.spread_ms(followed) * crc32(f"{seq} {person}".encode()) // 2**32

    def spread_ms(self, followed: Followed) -> int:
        """Return over what time the pages that follow it share their refetches out."""
        more = self._answers[followed] - FEW if followed in self._answers else 0
        return min(max(0, more) * EACH_MS, MOST_MS)


here: Final = Crowd()
