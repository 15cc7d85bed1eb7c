"""What the workshop of policies shows: who agreed, what the shadow says, coverage, replays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from approvals.states import ReplaySays, ReplayState, Says


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The people who agreed to a version, and when the last of them did."""

    proposal_id: UUID
    names: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLine:
    """How often a version in the shadow said something, where the active ones said `said`."""

    said: Says
    says: Says
    rules: tuple[str, ...]  # of the version in the shadow
    calls: int

    @property
    def differs(self) -> bool:
        return self.said is not self.says


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowDay:
    """What was said about the calls of one day in UTC: by what counted, and by the shadow."""

    day: date
    held: int
    released: int  # they ran without people
    denied: int
    shadow_held: int
    shadow_released: int
    shadow_denied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowTally:
    """What a version in the shadow said, beside what counted."""

    calls: int
    differing: int
    lines: tuple[ShadowLine, ...]  # those that differ, the most frequent first
    days: tuple[ShadowDay, ...]  # from the first one with calls to today, none left out
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFacts:
    """A tool as its room describes it: what rules can say about it without any call."""

    name: str
    tier: int
    writes: bool
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What becomes of calls of a tool under rules, as far as it is known without a call."""

    tool: ToolFacts
    says: Says  # where no rule with conditions speaks
    settled_by: tuple[str, ...]  # "policy/rule"; empty: the floor of the tier
    perhaps: tuple[tuple[str, str], ...]  # (effect, "policy/rule") of rules with conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCard:
    """A version asked about past calls."""

    id: UUID
    version_id: UUID
    days: int
    state: ReplayState
    until: datetime  # only calls before it
    total: int
    done: int
    counts: Mapping[str, int]  # by ReplaySays
    held_before: int
    held_after: int
    started_by: str
    created_at: datetime
    moved_at: datetime

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 100

    @property
    def left_s(self) -> float | None:
        """Return how long the rest takes at the pace so far, or None before there is one."""
        if not self.done:
            return None
        took = (self.moved_at - self.created_at).total_seconds()
        return took / self.done * (self.total - self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCall:
    """A past call that would have gone another way."""

    no: int  # its place among all that were looked at, the oldest is 1
    proposal_id: UUID
    tool: str
    difference: ReplaySays
    was: Says
    was_people: int
    says: Says | None  # None: not replayable
    people: int
    rules: tuple[str, ...]  # "policy/rule" of those that settle it now
