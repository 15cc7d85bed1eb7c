"""Policies and what they said, as pages and commands see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from approvals.cards.people import Block, Requirement
from approvals.states import PolicyState, Purpose, Says


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersionCard:
    """One version of a policy."""

    id: UUID
    policy: str
    no: int
    body: Mapping[str, Any]
    digest: str  # SHA-256 of the canonical body, 64 hex characters
    state: PolicyState
    note: str
    author: str
    author_id: str
    created_at: datetime
    moved_at: datetime
    activated_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCard:
    """What versions said about one revision."""

    id: UUID
    proposal_id: UUID
    revision_no: int
    purpose: Purpose
    versions: tuple[UUID, ...]
    facts: Mapping[str, Any]
    says: Says
    rules: tuple[str, ...]  # "policy/rule" of those that settled it
    people: int
    blocks: tuple[Block, ...]
    trace: tuple[Mapping[str, Any], ...]
    flag: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """Somebody who may vote on a tool, and why they may not on this proposal, if so."""

    person_id: UUID
    name: str
    groups: tuple[str, ...]
    excluded: str  # the reason; "" for whoever may decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why people decide a proposal, and which."""

    evaluation: EvaluationCard | None  # None: it is older than the rules
    later: tuple[EvaluationCard, ...]  # at dispatch, newest first
    requirement: Requirement
    blocks: tuple[str, ...]  # each in words
    people: tuple[Eligible, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is tried on the rules; nothing has to exist of it."""

    tool: str
    tier: int
    agent: str = ""
    environment: str = ""
    channel: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    actor: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    known: bool = True
    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What rules would say about a call."""

    says: Says
    requirement: Requirement | None
    rules: tuple[str, ...]
    trace: tuple[Mapping[str, Any], ...]
    flag: str
