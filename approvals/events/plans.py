"""What happens to a plan besides what happens to every proposal."""

from dataclasses import dataclass
from uuid import UUID

from approvals.events.proposals import PAGES, PROPOSAL
from audit.events import Event


@dataclass(frozen=True, kw_only=True)
class PlanProposed(Event):
    """Several changes are asked for as one, to be made one after the other."""

    name = "plan.proposed"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    proposal_id: UUID
    digest: str  # SHA-256 over the digests of the changes in order, 64 hex characters
    steps: tuple[str, ...]  # "position proposal digest" for each change, in order


@dataclass(frozen=True, kw_only=True)
class PlanBroken(Event):
    """Something else than planned happened to one change, so the rest was withdrawn with it."""

    name = "plan.broken"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    proposal_id: UUID
    step: int  # the change that did not go as planned, from 1
    step_proposal: UUID
    cause: str
    withdrawn: tuple[int, ...]  # the changes that will not be made because of it
