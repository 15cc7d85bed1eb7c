"""How deciding goes: what was held, how it ended, and how long that took."""

from dataclasses import dataclass
from datetime import date, datetime

from console.kernel.spans import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of the proposals that were opened in a range, how many went which way."""

    automatic: int  # a rule or a standing approval agreed; nobody was asked
    blocked: int  # a rule refused; nobody was asked
    held: int  # waited for people; the next six are parts of it, and what is left still waits
    approved: int
    rejected: int
    expired: int
    withdrawn: int  # taken back, or replaced by a newer one
    stale: int  # found its target changed at least once; also counted as it ended
    edited: int  # somebody changed its arguments; also counted as it ended
    median_s: float | None  # from opening to decision, of those that people decided
    p95_s: float | None

    @property
    def waiting(self) -> int:
        return self.held - self.approved - self.rejected - self.expired - self.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyRow:
    """The tally of one tool, agent or rule."""

    key: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerRow:
    """What one person did in a range. Listed by name: this is no ranking."""

    name: str
    votes: int
    approvals: int
    rejections: int
    edits: int
    median_s: float | None  # from when it was first shown to them to their vote
    p95_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTally:
    """Decisions of one day in UTC."""

    day: date
    approved: int
    rejected: int
    expired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsCard:
    """The whole page."""

    span: Span
    total: Tally
    rows: tuple[TallyRow, ...]
    groups: int  # how many rows there are, shown or not
    reviewers: tuple[ReviewerRow, ...]
    only_mine: bool  # the reader may see no other person's figures
    days: tuple[DayTally, ...]
    as_of: datetime
