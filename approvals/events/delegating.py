"""Who may decide in the place of whom."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from approvals.events.proposals import QUEUE
from audit.events import Event, Keep

DELEGATION: Final = "delegation"
DELEGATIONS: Final = "reviews.delegations"
_PAGES: Final = (DELEGATIONS, QUEUE)  # it changes whose turn it is


@dataclass(frozen=True, kw_only=True)
class DelegationMade(Event):
    """A reviewer named who may decide in their place for a time; the reason is the event's."""

    name = "delegation.made"
    subject = "delegation_id"
    target_type = DELEGATION
    keep = Keep.LONG
    topics = _PAGES

    delegation_id: UUID
    from_person: UUID
    to_person: UUID
    group: str
    until: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class DelegationEnded(Event):
    """It lets nobody decide any more."""

    name = "delegation.ended"
    subject = "delegation_id"
    target_type = DELEGATION
    keep = Keep.LONG
    topics = _PAGES

    delegation_id: UUID
    from_person: UUID
    to_person: UUID
    cause: str  # "ended" by a person before its time, or "time"
