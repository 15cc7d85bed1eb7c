"""Rows and pages of the queue."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.content import Subject
from approvals.cards.desk import ClaimCard, SavedViewCard, Term, Turn
from approvals.states import (
    SETTLED,
    ProposalState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalCard:
    """A row of the queue, and the answer to most commands."""

    id: UUID
    subject: Subject
    state: ProposalState
    title: str
    tool: str
    tier: int
    agent_id: str
    agent_label: str
    run_id: UUID | None
    conversation_id: UUID | None
    revision_no: int
    digest: str  # hex
    needs: int  # different people
    opened_at: datetime
    decide_by: datetime
    execute_by: datetime | None
    moved_at: datetime  # when it came into its state
    frozen: bool
    plan_id: UUID | None = None  # of one change of a plan
    plan_pos: int | None = None  # its place there, from 1
    steps: int = 0  # of a plan: how many changes it holds

    @property
    def settled(self) -> bool:
        return self.state in SETTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A proposal in a list, as one reader sees it."""

    card: ProposalCard
    note: str  # why it is not this reader's turn, whose word settled it, or ""
    turn: Turn | None  # why it is
    claims: tuple[ClaimCard, ...]  # who is at work on it, the reader too
    snoozed_until: datetime | None  # put off by this reader
    in_place_of: str = ""  # in whose place alone the reader can decide it
    group: UUID | None = None  # the first of the identical ones of a run, if it is one of several


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A page of a list; a count of 1000 stands for any more."""

    rows: tuple[QueueRow, ...]
    next: str  # cursor of the page after this one, or ""
    mine: int  # how many wait for this reader
    team: int  # how many are undecided
    waiting: int  # how many of them concern this reader and wait for others
    snoozed: int  # how many this reader put off; asked with their own turn only
    matched: int  # how many of this list fit its filter
    fresh: int  # arrived after the list was opened, and held back
    as_of: datetime
    pace: int  # this reader's votes in the last hour
    terms: tuple[Term, ...]  # of the filter
    saved: tuple[SavedViewCard, ...]  # that this reader keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlace:
    """Where one proposal stands in a list."""

    no: int | None  # counted from 1; None where it is not on the first page
    count: int  # how many of the list fit its filter; 1000 stands for any more
    before: UUID | None
    after: UUID | None
