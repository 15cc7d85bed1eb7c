"""What happens to a proposal."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from typing_extensions import override

from approvals.states import ProposalState
from audit.events import Event

PROPOSAL: Final = "proposal"

QUEUE: Final = "reviews.queue"

CLAIMS: Final = "reviews.claims"  # who is at work on what, for the lists

PROPOSAL_CLAIMS: Final = "proposal.claims"  # the same of one proposal, for its page

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
    rules: tuple[str, ...] = ()  # "policy/rule" of those that hold it; none: the tier alone


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
    rules: tuple[str, ...] = ()  # "policy/rule", where a rule and not people settled it
    execute_by: str = ""  # ISO 8601, UTC; of an approval
    fallback: str = ""  # approvals.states.OnExpiry, where nobody decided in time
    standing_id: UUID | None = None  # the standing approval that spoke
    maker: UUID | None = None  # the person who gave it
    repeats: UUID | None = None  # what people rejected before, where the same was asked again

    @override
    def settled_as(self) -> str:
        return self.outcome


class StepDecided(ProposalDecided):
    """The same of one change of a plan. It is in no list, and what people decide is the plan."""

    @override
    def settled_as(self) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class ProposalRevised(Event):
    """The content is another one; votes on the old content count no more.

    It was put on a new base, a person changed its arguments, or the agent did when asked to.
    """

    name = "proposal.revised"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str  # "drift", "edited", "revised"
    revision_no: int
    old_digest: str  # SHA-256, 64 hex characters
    digest: str
    paths: tuple[str, ...]  # of the before-image as far as it moved; of an edit: JSON pointers


@dataclass(frozen=True, kw_only=True)
class ProposalWidened(Event):
    """More people were asked than before; nobody who was asked is asked less."""

    name = "proposal.widened"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str  # "widened" or "escalated"
    requirement_no: int
    needs: int  # different people
    groups: tuple[str, ...]  # that are asked now and were not before, sorted


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
    """The clock of a proposal stands still; under a stop it cannot be approved meanwhile."""

    name = "proposal.frozen"
    subject = "proposal_id"
    topics = PAGES

    proposal_id: UUID
    cause: str
    since: str  # ISO 8601, UTC; a stop counts from its engagement
    until: str = ""  # ISO 8601, UTC; "" while only the release of a stop ends it


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
class ProposalTakenOver(Event):
    """Somebody who leads the reviewers ended what others claimed."""

    name = "proposal.taken_over"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    people: tuple[str, ...]  # ids of those whose claims ended, oldest claim first


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
    policy_versions: tuple[str, ...] = ()  # ids of the versions that were asked last

    @override
    def settled_as(self) -> str:
        return ProposalState.DISPATCHED.value
