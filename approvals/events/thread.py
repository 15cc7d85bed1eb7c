"""What is said about a proposal. The words of the agent stay in the thread; people's are here."""

from dataclasses import dataclass
from uuid import UUID

from approvals.events.proposals import PROPOSAL
from audit.events import Event

_PAGE = ("proposal:{proposal_id}",)


@dataclass(frozen=True, kw_only=True)
class ProposalAsked(Event):
    """A person asked the agent a question, or for another content; that decides nothing."""

    name = "proposal.asked"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = _PAGE

    proposal_id: UUID
    comment_id: UUID
    comment_kind: str  # approvals.states.CommentKind
    revision_no: int
    digest: str  # SHA-256 of the revision that it is about, 64 hex characters
    pauses: bool  # whether the time to decide stands still until the answer


@dataclass(frozen=True, kw_only=True)
class ProposalAnswered(Event):
    """A question got its answer."""

    name = "proposal.answered"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = _PAGE

    proposal_id: UUID
    comment_id: UUID
    answers: UUID  # the question
    text_digest: str  # SHA-256 of the answer, 64 hex characters


@dataclass(frozen=True, kw_only=True)
class ProposalNoted(Event):
    """A person left a note for the others."""

    name = "proposal.noted"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = _PAGE

    proposal_id: UUID
    comment_id: UUID
    revision_no: int
