"""How the one execution went."""

from dataclasses import dataclass
from uuid import UUID

from approvals.events.proposals import PAGES, PROPOSAL
from audit.events import Event


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
    after_digest: str  # SHA-256 of the after-image as reported; "" when none was, or nobody knows
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
class DispatchStaled(_DispatchSettled):
    """The target refused the change: it is another one than people saw. The change is not there."""

    name = "dispatch.staled"
    subject = "proposal_id"
    target_type = PROPOSAL
    topics = PAGES

    outcome: str  # "stale", for whoever searches by how it ended


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
