"""The right to break glass, its uses, and what is looked at once more."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.changes import Diff
from approvals.cards.content import Content
from approvals.states import Basis, Outcome, ReviewKind, ReviewVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCard:
    """The right to break glass, lent to one person for a while."""

    id: UUID
    person_id: UUID
    person: str
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    live: bool
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassCard:
    """What the page of a proposal offers to somebody who holds the right now."""

    expires_at: datetime
    skips: int  # people who could fill a place and would be told
    refusal: str  # why not on this proposal, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassUse:
    """Somebody decided in place of the people who were asked."""

    person: str
    at: datetime
    reason: str
    ticket: str
    told: int  # people who were skipped
    revision_no: int
    task_id: UUID
    reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassReceipt:
    """What somebody who broke glass gets for it."""

    event_uid: UUID
    execute_by: datetime
    told: int  # people who were skipped
    task_id: UUID
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRule:
    """What people said about the automatic approvals of one rule of one version."""

    rule: str
    rate: str  # of what is drawn, as a decimal
    drawn: int
    answered: int
    disagreed: int
    low: float  # of the share that disagrees: 95 % confidence (Wilson)
    high: float
    turned_at: datetime | None  # it asks people since then


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPolicy:
    """The rules of one active version that allow, with what people said about them."""

    version_id: UUID
    policy: str
    no: int
    rules: tuple[SampledRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTaskCard:
    """A decision that somebody looks at once more."""

    id: UUID
    kind: ReviewKind
    proposal_id: UUID
    title: str
    tool: str
    tier: int
    agent: str
    about: str  # who broke glass; "" of a sample
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    verdict: ReviewVerdict | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTaskDetail:
    """The same with the exact change, as it was decided."""

    card: ReviewTaskCard
    revision_no: int
    digest: str
    content: Content
    diff: Diff
    outcome: Outcome
    basis: Basis
    decided_at: datetime
    voided_at: datetime | None  # the decision counts no more since then
    ran: str  # approvals.states.DispatchState, or "" while nothing ran
    use: GlassUse | None
    rules: tuple[tuple[str, UUID], ...]  # "policy/rule" with its version, of a sample
    refusal: str  # why this reader cannot answer, or ""
