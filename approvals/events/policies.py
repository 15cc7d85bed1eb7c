"""What happens to the rules themselves."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

POLICY_VERSION: Final = "policy_version"


@dataclass(frozen=True, kw_only=True)
class _PolicyMoved(Event):
    version_id: UUID
    policy: str
    no: int
    digest: str  # SHA-256 of the canonical body, 64 hex characters


@dataclass(frozen=True, kw_only=True)
class PolicyDrafted(_PolicyMoved):
    """Somebody wrote a version of a policy; it says nothing until people agree to it."""

    name = "policy.drafted"
    subject = "version_id"
    target_type = POLICY_VERSION


@dataclass(frozen=True, kw_only=True)
class PolicyShadowed(_PolicyMoved):
    """A draft is asked beside the active version, for the record only; or is not any more."""

    name = "policy.shadowed"
    subject = "version_id"
    target_type = POLICY_VERSION

    on: bool


@dataclass(frozen=True, kw_only=True)
class PolicyActivated(_PolicyMoved):
    """A version speaks from now on, in place of the one before it."""

    name = "policy.activated"
    subject = "version_id"
    target_type = POLICY_VERSION

    proposal_id: UUID  # by which people agreed to it
    retired_id: UUID | None  # the version that spoke before


@dataclass(frozen=True, kw_only=True)
class PolicyRuleTurned(_PolicyMoved):
    """A rule asks people from now on about what it allowed: they disagreed with it too often."""

    name = "policy.rule_turned"
    subject = "version_id"
    target_type = POLICY_VERSION
    topics = ("reviews.tasks",)

    rule: str
    answered: int
    disagreed: int
    low: str  # of the share that disagrees, 95 % confidence, four decimals
    task_id: UUID  # the review whose answer did it


@dataclass(frozen=True, kw_only=True)
class PolicyRetired(_PolicyMoved):
    """A version says nothing any more, and nothing took its place."""

    name = "policy.retired"
    subject = "version_id"
    target_type = POLICY_VERSION

    proposal_id: UUID | None  # by which people agreed to it; None for a draft
