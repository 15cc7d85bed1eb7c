"""What agents that run elsewhere send, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from approvals.cards.content import Image
from approvals.cards.detail import DispatchCard
from approvals.states import CommentKind, ProposalState, RejectCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCall:
    """One change as an external agent asks for it; all of it is the agent's word."""

    subject: UUID  # the agent's own name for what this is about
    tool: str
    tier: int
    title: str
    args: Mapping[str, Any]
    before: Image
    after: Image
    contract: str  # a SHA-256, or the text that is hashed
    why: str = ""
    undo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedCall:
    """Another content for the same call, by the agent that asked for it."""

    revision_no: int  # the one that it replaces
    seen_digest: str  # of that one, 64 hex characters
    args: Mapping[str, Any]
    before: Image
    after: Image
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalToolCard:
    """A tool that external agents may name."""

    id: UUID
    name: str
    tier: int
    summary: str
    args_schema: Mapping[str, Any] | None  # what a person edits the arguments by
    added_by: str
    added_at: datetime
    agreed_by: UUID | None  # the proposal in which people agreed to it
    retired_at: datetime | None
    end_agreed_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """What a reviewer asks, for the program that answers; who asks does not show in it."""

    id: UUID
    kind: CommentKind
    text: str
    revision_no: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a proposal has come, for the program that waits for it; no vote shows in it."""

    id: UUID
    state: ProposalState
    settled: bool  # nobody has to decide any more
    row_version: int
    revision_no: int
    digest: str
    args: Mapping[str, Any]  # that count now; of a plan none, its changes have them
    changed: tuple[str, ...]  # JSON pointers of arguments that people changed
    tier: int
    needs: int
    decide_by: datetime
    execute_by: datetime | None
    frozen: bool
    told: str
    reason_code: RejectCode | None
    agent_message: str
    questions: tuple[OpenQuestion, ...]  # that wait for an answer, oldest first
    dispatch: DispatchCard | None
