"""What time does to a proposal, and what people do about its time."""

from dataclasses import dataclass
from uuid import UUID

from approvals.events.proposals import PAGES, PROPOSAL
from audit.events import Event


@dataclass(frozen=True, kw_only=True)
class ProposalExtended(Event):
    """Somebody gave people more time to decide; the reason is the event's own."""

    name = "proposal.extended"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    proposal_id: UUID
    extension_no: int  # the first or the second; there is no third
    added_s: int
    decide_by: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class ProposalReminded(Event):
    """A part of the time is over and nobody has decided. No page changes by it: no hint."""

    name = "proposal.reminded"
    subject = "proposal_id"
    target_type = PROPOSAL

    proposal_id: UUID
    share: str  # of the time to decide, as a decimal
    decide_by: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class ProposalUnfillable(Event):
    """Not even all who may vote could agree to this any more: a dead end, somebody has to act."""

    name = "proposal.unfillable"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    proposal_id: UUID
    needs: int  # different people
    groups: tuple[str, ...]  # that are asked, sorted


@dataclass(frozen=True, kw_only=True)
class ProposalFillable(Event):
    """The dead end is open again: enough people may vote."""

    name = "proposal.fillable"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    proposal_id: UUID
