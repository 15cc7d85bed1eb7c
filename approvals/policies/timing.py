"""Until when: a window that stands still while it is held, and the moments of its ladder."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from approvals.errors import (
    ProposalExpired,
)

QUESTION: Final = "question"  # the cause of a freeze that waits for an answer, not for a release

QUESTION_S: Final = 1800  # questions hold the clock of one window no longer than this in all

MOST_EXTENSIONS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which the decide clock stands still.

    `until` is None while only the release of a stop ends it. A question says from the start when it
    ends at the latest, so that nobody has to come by and end it.
    """

    cause: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time to decide: it runs from `opened_at`, except while frozen."""

    opened_at: datetime
    length_s: int
    freezes: tuple[Freeze, ...] = ()

    def frozen_for(self, *, at: datetime) -> timedelta:
        """Return the union of all freezes between the opening of the window and `at`."""
        return sum(
            (
                min(end or at, at) - start
                for start, end in self._held()
                if min(end or at, at) > start
            ),
            timedelta(),
        )

    def deadline(self, *, at: datetime) -> datetime:
        """Return the decide-by time as far as it is known at `at`."""
        return self.opened_at + timedelta(seconds=self.length_s) + self.frozen_for(at=at)

    def is_over(self, *, at: datetime) -> bool:
        return at >= self.deadline(at=at)

    def moment(self, share: Decimal = Decimal(1)) -> datetime | None:
        """Return when this share of the window has run, or None while a stop holds it back."""
        due = self.opened_at + timedelta(seconds=float(self.length_s * share))
        for start, end in self._held():
            if start >= due:
                break
            if end is None:
                return None
            due += end - start
        return due

    @property
    def causes(self) -> tuple[str, ...]:
        """Return which stops hold it now: it can be rejected, not approved."""
        return tuple(freeze.cause for freeze in self.freezes if freeze.until is None)

    def still_until(self, *, at: datetime) -> datetime | None:
        """Return until when a question makes the clock stand still, or None if none does."""
        ends = [freeze.until for freeze in self.freezes if freeze.since <= at]
        return max((end for end in ends if end is not None and end > at), default=None)

    def question_left_s(self) -> int:
        """Return for how long a further question may hold the clock of this window."""
        used = sum(
            (freeze.until - freeze.since).total_seconds()
            for freeze in self.freezes
            if freeze.cause == QUESTION and freeze.until and freeze.since >= self.opened_at
        )
        return max(0, QUESTION_S - int(used))

    def _held(self) -> Iterator[tuple[datetime, datetime | None]]:
        """Yield the union of the freezes as (start, end), oldest first; one without end is last."""
        covered = self.opened_at
        for freeze in sorted(self.freezes, key=lambda freeze: freeze.since):
            start = max(freeze.since, covered)
            if freeze.until is None:
                yield start, None
                return
            if freeze.until > start:
                yield start, freeze.until
                covered = freeze.until


def require_in_time(window: Window, *, at: datetime) -> None:
    if window.is_over(at=at):
        raise ProposalExpired(
            "The time to decide is over and nothing ran; ask for a new proposal.",
            decide_by=window.deadline(at=at).isoformat(),
        )
