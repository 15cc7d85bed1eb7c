"""Planted checks, and the bad variants of which they are made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.content import Content
from approvals.states import CheckAnswer, CheckOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCard:
    """A planted check, as the one person sees it for whom it was planted, once it has ended."""

    id: UUID
    outcome: CheckOutcome
    answer: CheckAnswer | None
    wrong: str  # what was wrong with it, as a sentence
    ended_at: datetime | None
    event_uid: UUID | None  # of the event that revealed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A real change made bad, so that whoever reads it carefully says no."""

    template: str  # which way it was made bad
    content: Content
    wrong: str  # as a sentence for who answered it


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTruth:
    """What a check was from the start; its digest is in the trail before anybody answers."""

    tenant_id: UUID
    check_id: UUID
    proposal_id: UUID
    person_id: UUID
    source_id: UUID
    template: str
    digest: str  # of the content that was shown, 64 hex characters
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettingCard:
    """Whether checks are planted in a tenant, and who said so."""

    is_on: bool
    set_by: str  # "" where nobody ever said anything
    set_at: datetime | None
    waiting_id: UUID | None = None  # the proposal that asks whether to plant no more
    blocked: bool = False  # that was asked within the last day, and rejected
