"""What the clock of a proposal shows, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.states import Basis, OnExpiry, ProposalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Where a proposal stands, with what tells apart the ways to get there."""

    state: ProposalState
    cause: str  # of the end: decide_by, execute_by, the code of a rejection, ...
    fallback: OnExpiry | None  # what nobody's decision led to; None unless that ended it
    basis: Basis | None  # on whose word it was decided; None if nobody decided
    repeats: UUID | None = None  # what people rejected before, where the same was asked again
    proposal_id: UUID | None = None  # that was decided: of one change of a plan, the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Somebody gave people more time."""

    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """More people were asked, and why."""

    at: datetime
    escalated: bool  # the whole time was over; else a part of it
    groups: tuple[str, ...]  # slugs of those who were not asked before


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCard:
    """The clock of one proposal as one reader sees it."""

    clock_no: int
    decide_by: datetime
    still_until: datetime | None  # a question holds the clock until then at the latest
    fallback: OnExpiry
    extensions: tuple[Extension, ...]
    extensions_left: int
    extend_refusal: str  # why this reader cannot extend, or ""
    extension_s: int  # what one extension adds
    widenings: tuple[Widening, ...]
    reminders: tuple[datetime, ...]
    next_widening: datetime | None
    unfillable_since: datetime | None
