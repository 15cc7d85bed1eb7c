"""What can happen to a proposal; every event is about the proposal, so one history tells it all."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

PROPOSAL: Final = "proposal"
QUEUE: Final = "reviews.queue"
PAGES: Final = (QUEUE, "proposal:{proposal_id}")


@dataclass(frozen=True, kw_only=True)
class ProposalOpened(Event):
    """A change waits for people, who must agree to exactly the content with this digest."""

    name = "proposal.opened"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    revision_no: int
    digest: str  # SHA-256, 64 hex characters
    tool: str
    contract_hash: str  # SHA-256, 64 hex characters
    tier: int
    needs: int  # different people
    principals: tuple[str, ...]  # "role kind:id", sorted
    subject_kind: str
    subject_uid: UUID  # of what the change belongs to, for instance the tool call
    decide_by: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class ProposalDecided(Event):
    """A proposal left the people's desk: approved, rejected, expired, withdrawn or superseded."""

    name = "proposal.decided"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    outcome: str  # approvals.states.Outcome
    basis: str  # on whose word; "" where nobody's was needed
    code: str  # of a rejection; otherwise why it ended
    agent_message: str  # what the agent is told
    revision_no: int
    digest: str  # SHA-256, 64 hex characters
    assignment: tuple[str, ...] = ()  # "block person group" for each filled place
    execute_by: str = ""  # ISO 8601, UTC; of an approval


@dataclass(frozen=True, kw_only=True)
class ProposalRevised(Event):
    """The content was put on a new base; votes on the old content count no more."""

    name = "proposal.revised"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str  # "drift"
    revision_no: int
    old_digest: str  # SHA-256, 64 hex characters
    digest: str
    paths: tuple[str, ...]  # of the before-image, as far as they moved


@dataclass(frozen=True, kw_only=True)
class ProposalStaled(Event):
    """The target no longer is what people saw; nothing ran."""

    name = "proposal.staled"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    revision_no: int
    digest: str  # SHA-256 that people saw
    observed_digest: str  # SHA-256 of what would have run
    observed_before: str  # SHA-256 of the image that was found
    paths: tuple[str, ...]  # where the image differs


@dataclass(frozen=True, kw_only=True)
class ProposalReopened(Event):
    """An approval does not count any more; the proposal is back with people."""

    name = "proposal.reopened"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str
    revision_no: int
    digest: str
    decision_id: UUID  # the decision that was voided


@dataclass(frozen=True, kw_only=True)
class ProposalFrozen(Event):
    """The clock of a proposal stands still; it cannot be approved meanwhile."""

    name = "proposal.frozen"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str
    since: str  # ISO 8601, UTC; a stop counts from its engagement


@dataclass(frozen=True, kw_only=True)
class ProposalThawed(Event):
    """A cause to stand still is gone; when it was the last, the remaining time is back."""

    name = "proposal.thawed"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str
    decide_by: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class ProposalDispatched(Event):
    """The one hand-over to execution."""

    name = "proposal.dispatched"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    dispatch_id: UUID
    call_key: UUID
    revision_no: int
    observed_digest: str  # SHA-256, recomputed from what is about to run
    decision_id: UUID


@dataclass(frozen=True, kw_only=True)
class VoteCast(Event):
    """A person voted on exactly the content with this digest.

    It raises no hint by itself: while votes are hidden, nobody may notice that one was cast.
    """

    name = "vote.cast"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    choice: str  # approvals.states.Choice
    revision_no: int
    digest: str  # SHA-256, 64 hex characters
    code: str  # of a rejection
    session: str  # hex digest of the session
    strength: str  # how the person had proved who they are


@dataclass(frozen=True, kw_only=True)
class VoteVoided(Event):
    """A vote stopped counting."""

    name = "vote.voided"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    vote_event: UUID  # uid of the event that recorded the vote
    person: UUID
    cause: str  # "withdrawn", "drift", "authority", "lapsed"


@dataclass(frozen=True, kw_only=True)
class VoteRefused(Event):
    """Somebody tried to vote and was refused; the vote was not counted."""

    name = "vote.refused"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    choice: str
    code: str  # of the refusal
    digest: str  # what they had seen, as they sent it; cut after 64 characters


@dataclass(frozen=True, kw_only=True)
class DispatchRefused(Event):
    """Something else than the approved call asked to run; nothing ran."""

    name = "dispatch.refused"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    code: str
    observed_digest: str  # SHA-256 of what would have run
    call_key: UUID


@dataclass(frozen=True, kw_only=True)
class _DispatchSettled(Event):
    proposal_id: UUID
    dispatch_id: UUID
    after_digest: str  # SHA-256 of the after-image as reported; "" when nobody knows
    evidence_digest: str  # SHA-256 of the evidence


@dataclass(frozen=True, kw_only=True)
class DispatchSucceeded(_DispatchSettled):
    """The change is there."""

    name = "dispatch.succeeded"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES


@dataclass(frozen=True, kw_only=True)
class DispatchFailed(_DispatchSettled):
    """The change is not there."""

    name = "dispatch.failed"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES


@dataclass(frozen=True, kw_only=True)
class DispatchUnknown(_DispatchSettled):
    """Nobody knows whether the change is there."""

    name = "dispatch.unknown"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES


@dataclass(frozen=True, kw_only=True)
class DispatchReconciled(_DispatchSettled):
    """It was found out later whether the change is there."""

    name = "dispatch.reconciled"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    outcome: str  # "succeeded" or "failed"
