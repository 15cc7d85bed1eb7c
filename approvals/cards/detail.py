"""What the page of one proposal shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.changes import Diff, DriftLine
from approvals.cards.checking import CheckCard
from approvals.cards.clocks import ClockCard
from approvals.cards.content import Content, Principal, ProposalFacts, Subject
from approvals.cards.evidence import Evidence
from approvals.cards.lists import ProposalCard
from approvals.cards.people import Requirement, Voter
from approvals.cards.reviewing import GlassCard, GlassUse
from approvals.cards.standing import StandingWord
from approvals.cards.thread import ThreadLine
from approvals.states import (
    Basis,
    Choice,
    DispatchState,
    Outcome,
    RejectCode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """An event of a proposal; `index` is its place in the trail once it is sealed."""

    action: str
    actor_id: str
    who: str
    at: datetime
    index: int | None
    word: str = ""  # whose word it was, where nobody of those who acted here


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCard:
    """A vote as those may see it who may see votes."""

    person_id: UUID
    person: str
    choice: Choice
    reason_code: RejectCode | None
    note: str
    agent_message: str
    revision_no: int
    cast_at: datetime
    event_uid: UUID
    voided_at: datetime | None
    void_cause: str
    stepup_at: datetime | None = None  # when the session last proved who it is
    served_at: datetime | None = None  # since when it had been shown all that it saw
    signed_with: str = ""  # the name of the passkey that signed it
    expected_s: int | None = None  # how long reading it usually takes
    taken_ms: int | None = None  # from when it was shown to the vote
    in_place_of: str = ""  # whose place it fills, by a delegation


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCard:
    """What was settled, on whose word, and when."""

    outcome: Outcome
    basis: Basis
    revision_no: int
    decided_at: datetime
    people: tuple[str, ...]
    standing: StandingWord | None = None  # that spoke in the place of people


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCard:
    """What is known about the execution."""

    id: UUID
    state: DispatchState
    claimed_at: datetime
    settled_at: datetime | None
    seen_at: datetime | None = None  # when a target outside was looked at last


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerLine:
    """One line of the people panel."""

    person_id: UUID
    name: str
    groups: tuple[str, ...]
    refusal: str  # why they may not vote, or ""
    vote: VoteCard | None  # None as well while votes are hidden from the reader
    in_place_of: str = ""  # whose place they could fill as well, and of which group


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    """One change of a plan, and how far it has come."""

    card: ProposalCard
    content: Content
    diff: Diff
    undo: str
    tool_summary: str
    close_cause: str
    dispatch: DispatchCard | None
    waits_for: int | None  # the place of the change that has to succeed first


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCard:
    """A plan with its changes, for the page of the plan or of one of them."""

    id: UUID
    title: str
    steps: tuple[StepCard, ...]
    done: int  # how many succeeded
    runs: bool  # it was handed over, and changes of it wait to be made


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDetail:
    """All that the page of one proposal shows to one reader."""

    card: ProposalCard
    facts: ProposalFacts
    content: Content
    diff: Diff
    requirement: Requirement
    principals: tuple[Principal, ...]
    reviewers: tuple[ReviewerLine, ...]
    others: tuple[VoteCard, ...]  # votes of people who are no reviewers any more
    blind: bool  # votes are hidden from this reader
    given: int | None  # None while hidden
    my_vote: VoteCard | None
    my_voided: VoteCard | None  # an own vote that does not count any more
    refusal: str  # why this reader may not vote, or ""
    approve_refusal: str  # why approving is refused though rejecting is not, or ""
    decision: DecisionCard | None
    dispatch: DispatchCard | None
    close_cause: str
    frozen_causes: tuple[str, ...]
    unfillable: bool  # all who may vote could not satisfy the requirement
    drift: tuple[DriftLine, ...]
    history: tuple[HistoryLine, ...]
    read_at: datetime
    glass: GlassCard | None  # for who holds the right to break glass, while there is what to decide
    glass_uses: tuple[GlassUse, ...]
    origin: Subject  # to whose background it belongs; of a planted check, its source
    voter: Voter | None = None  # the reader, if they may vote on the tool
    plan: PlanCard | None = None  # that this is, or of which this is one change
    check: CheckCard | None = None  # what it was all along, once it has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalPage:
    """A proposal with all that stands around it on its page, read at one moment."""

    detail: ProposalDetail
    clock: ClockCard
    evidence: Evidence
    thread: tuple[ThreadLine, ...]
