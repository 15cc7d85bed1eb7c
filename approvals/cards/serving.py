"""What was shown to a session."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewServed:
    """Parts of one revision that one session was shown at one moment."""

    view: str  # which view of the change: fields, unified, side, api
    parts: tuple[str, ...]  # names of `diffs.parts_of`, and "page"
    served_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What there is to read of a revision before one approves it."""

    parts: tuple[str, ...]  # names of `diffs.parts_of`, and "page"
    expected_s: int  # how long reading it usually takes
