"""Until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.errors import (
    ProposalExpired,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which the decide clock stands still; `until` is None while it still does."""

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
        total = timedelta()
        covered = self.opened_at
        for freeze in sorted(self.freezes, key=lambda freeze: freeze.since):
            start = max(freeze.since, covered)
            end = min(freeze.until or at, at)
            if end > start:
                total += end - start
                covered = end
        return total

    def deadline(self, *, at: datetime) -> datetime:
        """Return the decide-by time as far as it is known at `at`."""
        return self.opened_at + timedelta(seconds=self.length_s) + self.frozen_for(at=at)

    def is_over(self, *, at: datetime) -> bool:
        return at >= self.deadline(at=at)

    @property
    def causes(self) -> tuple[str, ...]:
        """Return why the clock stands still now."""
        return tuple(freeze.cause for freeze in self.freezes if freeze.until is None)


def require_in_time(window: Window, *, at: datetime) -> None:
    if window.is_over(at=at):
        raise ProposalExpired(
            "The time to decide is over and nothing ran; ask for a new proposal.",
            decide_by=window.deadline(at=at).isoformat(),
        )
