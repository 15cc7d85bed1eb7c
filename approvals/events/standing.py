"""What happens to standing approvals; that one spoke is told by the proposal's own decision."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

STANDING: Final = "standing_approval"


@dataclass(frozen=True, kw_only=True)
class StandingMade(Event):
    """A person approved calls like one that they approved, in advance and within bounds."""

    name = "standing.made"
    subject = "standing_id"
    target_type = STANDING

    standing_id: UUID
    proposal_id: UUID  # the call that they approved
    vote_event: UUID  # uid of the event that recorded the vote
    tool: str
    contract_hash: str  # SHA-256, 64 hex characters
    agent: str
    paths: tuple[str, ...]  # that conditions look at
    free: tuple[str, ...]  # arguments that may be anything
    terms: str  # SHA-256 of the canonical conditions, 64 hex characters
    uses: int
    ends_at: str  # ISO 8601, UTC
    session: str  # hex digest of the session
    stepup_at: str  # when it last proved who it is, ISO 8601, UTC; "" where nobody asked


@dataclass(frozen=True, kw_only=True)
class StandingRevoked(Event):
    """A standing approval speaks for nothing any more."""

    name = "standing.revoked"
    subject = "standing_id"
    target_type = STANDING

    standing_id: UUID
    uses_left: int
