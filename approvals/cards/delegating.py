"""Somebody who may decide in the place of somebody else, for a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.may import May


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationCard:
    """Who lent their place in which group to whom, until when."""

    id: UUID
    from_id: UUID
    from_person: str
    to_id: UUID
    to_person: str
    group: str
    reason: str
    made_at: datetime
    until: datetime
    ended_at: datetime | None  # before its time
    ended_by: str
    live: bool
    why_silent: str  # why it lets nobody decide although it is live, or ""
    may_end: May | None = None  # whether the reader may end it; None: it is over
