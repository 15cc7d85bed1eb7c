"""What a change rests on: what was said, what the agent did before, what happened to the target."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.states import ProposalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation; nothing in it is verified."""

    by: str  # "customer", "agent", "person"
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the room above knows of where a proposal comes from."""

    said: tuple[Said, ...] = ()  # the last ones, oldest first
    total: int = 0
    customers_words: tuple[str, ...] = ()  # arguments that repeat what a customer wrote
    verdicts: tuple[str, ...] | None = None  # of guardrails; None where none are recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionLine:
    """One revision of a proposal: who made it, why, and when its target was read."""

    no: int
    author: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Another proposal that touched a record of this one."""

    id: UUID
    title: str
    state: ProposalState
    at: datetime
    why: str  # what closed it, if that is worth saying


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """How the proposals of an agent ended in the last days."""

    days: int
    approved: int
    rejected: int
    expired: int
    edited: int  # of all of them, those that a person edited
    counted: int
    most: int  # no more than these were counted

    @property
    def counts(self) -> tuple[tuple[int, str], ...]:
        """Return how many of each there were, without those of which there were none."""
        found = (
            (self.approved, "approved"),
            (self.rejected, "rejected"),
            (self.edited, "edited"),
            (self.expired, "expired"),
        )
        return tuple((number, word) for number, word in found if number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What approvals itself knows beside the content."""

    read_at: datetime  # when the target was read for the current revision
    revisions: tuple[RevisionLine, ...]
    agent: AgentRecord
    earlier: tuple[Earlier, ...]  # newest first
    looked_at: int  # how many proposals of the tool were looked through for them
