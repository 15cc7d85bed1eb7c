"""The right to break glass, its use, and what is looked at afterwards."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from approvals.events.proposals import PAGES, PROPOSAL
from audit.events import Event, Keep

GRANT: Final = "break_glass_grant"
GRANTS: Final = "reviews.break_glass"
TASKS: Final = "reviews.tasks"


@dataclass(frozen=True, kw_only=True)
class BreakGlassGranted(Event):
    """An administrator lent somebody else the right to break glass; the reason is the event's."""

    name = "break_glass.granted"
    subject = "grant_id"
    target_type = GRANT
    keep = Keep.LONG
    topics = (GRANTS,)

    grant_id: UUID
    person: UUID
    expires_at: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class BreakGlassRevoked(Event):
    """The right ended before its time."""

    name = "break_glass.revoked"
    subject = "grant_id"
    target_type = GRANT
    keep = Keep.LONG
    topics = (GRANTS,)

    grant_id: UUID
    person: UUID


@dataclass(frozen=True, kw_only=True)
class ProposalBreakGlass(Event):
    """One person decided in place of all who were asked, on exactly the content of this digest.

    The reason is the event's own. Everybody who was skipped is told in the same transaction.
    """

    name = "proposal.break_glass"
    subject = "proposal_id"
    target_type = PROPOSAL
    keep = Keep.LONG
    topics = PAGES

    proposal_id: UUID
    grant_id: UUID
    revision_no: int
    digest: str  # SHA-256, 64 hex characters
    ticket: str
    skipped: tuple[str, ...]  # ids of the people who could have filled a place, sorted
    session: str
    stepup_at: str  # ISO 8601, UTC: when the session last proved who it is
    view_digest: str  # SHA-256 over what the session was shown
    served_at: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class BreakGlassRefused(Event):
    """Somebody tried to break glass and could not."""

    name = "break_glass.refused"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    code: str
    digest: str  # that they sent; "" if it was none


@dataclass(frozen=True, kw_only=True)
class ReviewTaskOpened(Event):
    """A decision waits for somebody to look at it once more."""

    name = "review_task.opened"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = (TASKS, "proposal:{proposal_id}")

    proposal_id: UUID
    task_id: UUID
    why: str  # approvals.states.ReviewKind
    decision_id: UUID
    about_person: UUID | None = None  # who broke glass, and cannot again until this is closed
    rules: tuple[str, ...] = ()  # "version/rule" of those that spoke in place of people


@dataclass(frozen=True, kw_only=True)
class ReviewTaskClosed(Event):
    """Somebody who had no part in it looked and said what they think; the note is the reason."""

    name = "review_task.closed"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = (TASKS, "proposal:{proposal_id}")

    proposal_id: UUID
    task_id: UUID
    why: str  # approvals.states.ReviewKind
    verdict: str  # approvals.states.ReviewVerdict
