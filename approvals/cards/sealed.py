"""What is known of an argument that a contract hides."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCard:
    """One hidden argument; never its value."""

    pointer: str  # JSON pointer into the arguments
    sealed_at: datetime
    erased_at: datetime | None
