"""How people decide: how fast, how much, how often they say no. By name, never in order of it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from approvals.cards.checking import CheckSettingCard
from console.kernel.spans import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRow:
    """What one person did in a range; None is unknown, because there is too little to tell."""

    person_id: UUID
    name: str
    decisions: int
    approvals: int
    rejections: int
    timed: int  # approvals of which it is known how long they took
    too_fast: int  # of these, how many came sooner than the change can be read
    median_s: float | None  # from when all of it was shown to the vote
    too_fast_share: float | None  # of the timed ones
    approval_share: float | None
    reject_share: float | None
    per_hour: float | None  # decisions in an hour in which there was one
    busiest: int  # decisions in the busiest hour of the clock
    checks: int  # planted ones that were answered
    checks_caught: int  # of these


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionDay:
    """Decisions of one day in UTC."""

    day: date
    in_time: int
    too_fast: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCard:
    """The whole page."""

    span: Span
    people: tuple[AttentionRow, ...]  # by name
    only_mine: bool  # the reader may see no other person's figures
    enough: int  # fewer of what a figure counts, and it is unknown
    last_hour: int  # decisions of the reader
    days: tuple[AttentionDay, ...]
    planting: CheckSettingCard
    may_switch: bool  # whether checks are planted
    as_of: datetime
