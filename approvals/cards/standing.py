"""Standing approvals as pages and programs see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from approvals.cards.content import Content
from approvals.cards.may import May
from approvals.states import ProposalState, StandingState


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingTerms:
    """What a person says about the calls that they approve in advance."""

    conditions: tuple[Mapping[str, Any], ...]  # {path, op, value}, as in a policy; all must hold
    free: tuple[str, ...]  # paths of arguments that may be anything
    uses: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingUseCard:
    """A proposal that a standing approval spoke for."""

    proposal_id: UUID
    title: str
    state: ProposalState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCard:
    """A person's word on calls that are still to come."""

    id: UUID
    proposal_id: UUID  # that they approved when they gave it
    tool: str
    contract_hash: str
    agent_id: str
    agent_label: str
    maker_id: UUID
    maker: str
    conditions: tuple[Mapping[str, Any], ...]
    free: tuple[str, ...]
    uses: int
    uses_left: int
    made_at: datetime
    ends_at: datetime
    reason: str
    revoked_at: datetime | None
    revoked_by: str
    revoke_reason: str
    state: StandingState
    last_uses: tuple[StandingUseCard, ...] = ()  # newest first
    may_revoke: May | None = None  # whether the reader may end it; None: somebody has


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingWord:
    """Whose standing approval spoke for a proposal."""

    id: UUID
    maker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingBase:
    """What a standing approval can be made of."""

    proposal_id: UUID
    title: str
    tool: str
    tier: int
    agent_label: str
    revision_no: int
    digest: str  # 64 hex characters
    content: Content
    target: Mapping[str, Any]  # what the call is about, as the gate named it
    stepup_s: int
    refusal: str  # why this reader cannot make one, or ""
    made: UUID | None  # the one that this reader's vote carries already
