"""What happens to votes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from approvals.events.proposals import PROPOSAL
from audit.events import Event


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
    strength: str  # how the person had proved who they are: "password" or "passkey"
    stepup_at: str = ""  # when they last did, ISO 8601, UTC; "" where nobody asked
    view_digest: str = ""  # SHA-256 over what the session was shown, 64 hex characters
    served_at: str = ""  # since when it had been shown all of that, ISO 8601, UTC
    expected_s: int | None = None  # how long reading it usually takes
    taken_ms: int | None = None  # from then to the vote; of a batch, its share
    assertion: Mapping[str, str] = field(default_factory=dict)  # what a passkey signed
    passkey_id: UUID | None = None  # with which passkey
    delegation_id: UUID | None = None  # by which somebody else's place was filled
    in_place_of: UUID | None = None  # that person


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
