"""What is said about a proposal, and how one revision reads to somebody who follows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from approvals.cards.content import Content, Subject
from approvals.states import CommentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCard:
    """One thing said; its text may come from an agent."""

    id: UUID
    proposal_id: UUID
    revision_no: int
    kind: CommentKind
    text: str
    author_kind: str  # console.kernel.actors.ActorKind
    author_id: str
    author: str
    answers: UUID | None
    at: datetime
    event_uid: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLine:
    """One thing said, with what answered it."""

    comment: CommentCard
    answer: CommentCard | None
    waits: bool  # for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCard:
    """A question as the one who has to answer it needs it."""

    comment: CommentCard
    subject: Subject
    title: str
    tier: int
    revision_no: int  # the current one
    digest: str  # SHA-256 of the current revision, 64 hex characters
    content: Content
    live: bool
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionCard:
    """The revision that counts now."""

    no: int
    digest: str  # SHA-256, 64 hex characters
    cause: str  # opened, drift, edited, revised
    author: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPreview:
    """What an edit would make of a proposal; nothing of it is stored."""

    old: Content
    new: Content
    arguments: tuple[tuple[str, Any, Any], ...]  # (JSON pointer, before, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditBase:
    """What an edit starts from."""

    proposal_id: UUID
    title: str
    tool: str
    tier: int
    agent: str
    subject_kind: str
    live: bool
    now: RevisionCard
    first: RevisionCard  # what the agent had proposed
