"""What happens to arguments that a contract hides; never what they are."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

SEALED: Final = "sealed_arguments"  # of one subject, whose id it bears


@dataclass(frozen=True, kw_only=True)
class ArgumentsSealed(Event):
    """Stand-ins took the place of values; they bind them, and say nothing about them."""

    name = "sealed.kept"
    subject = "request_id"
    target_type = SEALED

    request_id: UUID
    stand_ins: tuple[str, ...]  # "pointer HMAC-SHA-256" for each


@dataclass(frozen=True, kw_only=True)
class ArgumentsErased(Event):
    """Values and salts were erased for good; what was decided on them still verifies."""

    name = "sealed.erased"
    subject = "request_id"
    target_type = SEALED

    request_id: UUID
    pointers: tuple[str, ...]
    proposal_id: UUID | None = None  # by which people agreed to it
