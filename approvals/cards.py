"""Frozen values that enter and leave approvals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeAlias
from uuid import UUID

from approvals.states import (
    Basis,
    Choice,
    DispatchState,
    Outcome,
    PrincipalRole,
    ProposalState,
    RejectCode,
)
from console.kernel import canonical

DIGEST_TYPE: Final = "signalbox/proposal/1"

# {kind of record: {id: {field: value}}}; a missing field and null are the same thing.
Image: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a proposal is about; opaque to this room."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who had a part in the request and so may not decide it."""

    role: PrincipalRole
    actor_kind: str
    actor_id: str
    label: str
    person_id: UUID | None = None  # for a key: the person it was issued to


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Exactly what would run, and what it would change."""

    tool: str
    contract_hash: str  # SHA-256, 64 hex characters
    args: Mapping[str, Any]
    before: Image
    after: Image

    @property
    def args_bytes(self) -> bytes:
        return canonical.dumps(self.args)

    @property
    def before_bytes(self) -> bytes:
        return canonical.dumps(self.before)

    @property
    def after_bytes(self) -> bytes:
        return canonical.dumps(self.after)

    @property
    def before_digest(self) -> bytes:
        return sha256(self.before_bytes).digest()

    @property
    def digest(self) -> bytes:
        """Return the 32 bytes that a vote binds to.

        The after-image is left out: it follows from the rest, and what runs is the call.
        """
        return canonical.digest(
            {
                "type": DIGEST_TYPE,
                "tool": self.tool,
                "contract": self.contract_hash,
                "args": self.args,
                "before": self.before_digest.hex(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFacts:
    """What the page says about a proposal besides its content; nothing here is bound by a vote."""

    title: str  # verb and object, ours
    tier: int
    agent_id: str
    agent_label: str
    run_id: UUID | None = None
    conversation_id: UUID | None = None
    undo: str = ""  # what undoes it, in words; "" when nothing does
    why: str = ""  # the agent's claim, not verified
    tool_summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`n` places for people of one of the groups; "*" means any reviewer."""

    groups: tuple[str, ...]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Places that must all be filled by different people.

    Either listed as slots, or `spread` people who can be told apart by group as well.
    """

    slots: tuple[Slot, ...] = ()
    spread: int = 0

    @property
    def people(self) -> int:
        return self.spread or sum(slot.n for slot in self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Who must agree and how long that may take; frozen when the proposal opens."""

    blocks: tuple[Block, ...]
    blind: bool
    decide_s: int
    execute_s: int
    explanation: str
    on_expiry: str = "refuse"

    @property
    def people(self) -> int:
        """Return how many different people are needed at least."""
        return max(block.people for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """A person as the rules see them at one moment."""

    person_id: UUID
    name: str
    groups: frozenset[str]
    active: bool
    may_vote: bool  # holds the right, for the tenant or for this tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One filled place of an assignment."""

    block: int
    person_id: UUID
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One side of a changed field."""

    text: str
    type: str  # text, number, boolean, list, record
    hidden: int  # characters that a reader would not see


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a text: same, removed or added."""

    mark: str  # "same", "del", "add"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One leaf that differs between two images."""

    kind: str
    record: str
    path: str
    mark: str  # "add", "del", "change"
    before: Shown | None
    after: Shown | None
    note: str = ""  # absolute and relative change of a number
    alarm: bool = False  # at least ten times as much, or a tenth
    pieces: tuple[Piece, ...] = ()  # word marks, for two short texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The difference of two images, leaf by leaf."""

    changes: tuple[FieldChange, ...]
    unchanged: tuple[tuple[str, str], ...]  # (path, value) of the leaves that stay
    hidden: int  # invisible or reordering characters in all of it
    matched: tuple[str, ...] = ()  # how the members of lists were paired, where there were any


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLine:
    """One leaf of a stale proposal: as proposed upon, as proposed, as found now."""

    path: str
    then: str | None
    proposed: str | None
    now: str | None
    mark: str  # "same", "drifted", "conflict"


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

    @property
    def settled(self) -> bool:
        return self.state not in {ProposalState.OPEN, ProposalState.STALE}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A proposal in a list, as one reader sees it."""

    card: ProposalCard
    note: str  # why it is not this reader's turn, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A page of a list."""

    rows: tuple[QueueRow, ...]
    next: str  # cursor of the page after this one, or ""
    mine: int  # how many wait for this reader
    fresh: int  # arrived after the list was opened, and held back
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """An event of a proposal; `index` is its place in the trail once it is sealed."""

    action: str
    actor_id: str
    who: str
    at: datetime
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteReceipt:
    """Proof that a vote was recorded."""

    event_uid: UUID
    state: ProposalState
    needed: int
    given: int
    repeated: bool = False  # the same vote was on record already


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCard:
    """What was settled, on whose word, and when."""

    outcome: Outcome
    basis: Basis
    revision_no: int
    decided_at: datetime
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCard:
    """What is known about the execution."""

    id: UUID
    state: DispatchState
    claimed_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerLine:
    """One line of the people panel."""

    person_id: UUID
    name: str
    groups: tuple[str, ...]
    refusal: str  # why they may not vote, or ""
    vote: VoteCard | None  # None as well while votes are hidden from the reader


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The one permission to execute; `args` were decoded from the stored bytes."""

    dispatch_id: UUID
    args: Mapping[str, Any]
    repeated: bool = False  # the same call key had claimed it before


@dataclass(frozen=True, slots=True, kw_only=True)
class NotClaimed:
    """Nothing may run; what was noticed is kept."""

    state: ProposalState
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
