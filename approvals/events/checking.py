"""Planted checks. What would tell of one before it is answered is in no event, only its digest."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

CHECK: Final = "check"
_PAGE: Final = ("proposal:{proposal_id}",)  # of the one person who can open it; no list is told


@dataclass(frozen=True, kw_only=True)
class CheckPlanted(Event):
    """A check was planted for somebody; what it is stays sealed until it ends."""

    name = "check.planted"
    subject = "check_id"
    target_type = CHECK

    check_id: UUID
    commitment: str  # SHA-256 over what the event of its end reveals, 64 hex characters


@dataclass(frozen=True, kw_only=True)
class CheckAnswered(Event):
    """A check was answered, and what it was is revealed; nothing ran and nothing could."""

    name = "check.answered"
    subject = "check_id"
    target_type = CHECK
    topics = _PAGE

    check_id: UUID
    proposal_id: UUID
    person: UUID
    source: UUID  # the real proposal of which it was made
    template: str
    digest: str  # of the content that was shown, 64 hex characters
    nonce: str
    commitment: str
    answer: str  # approvals.states.CheckAnswer
    outcome: str  # approvals.states.CheckOutcome
    expected_s: int | None = None  # how long reading it usually takes
    taken_ms: int | None = None  # from when it was shown to the answer


@dataclass(frozen=True, kw_only=True)
class CheckLapsed(Event):
    """Nobody answered a check in time; what it was is revealed, and counts for nothing."""

    name = "check.lapsed"
    subject = "check_id"
    target_type = CHECK
    topics = _PAGE

    check_id: UUID
    proposal_id: UUID
    person: UUID
    source: UUID
    template: str
    digest: str  # of the content that was shown, 64 hex characters
    nonce: str
    commitment: str


@dataclass(frozen=True, kw_only=True)
class ChecksSwitched(Event):
    """Somebody said whether checks are planted."""

    name = "checks.switched"
    subject = "setting_id"
    target_type = "check_setting"

    setting_id: UUID
    is_on: bool
    proposal_id: UUID | None = None  # by which people agreed to it
