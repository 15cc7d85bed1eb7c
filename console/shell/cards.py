"""Frozen values for the frame and the home page."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from console.kernel.seen import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The person who is signed in, as the frame names them."""

    id: UUID
    name: str
    email: str
    roles: tuple[str, ...]

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in words[:2]).upper() or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """One ordered stop of the banner."""

    target: str
    who: str
    why: str
    at: datetime
    confirmed: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """A way to a room; `count` is what waits there for this person."""

    name: str
    label: str
    url: str
    key: str  # `g` and this letter go there
    icon: str
    count: int = 0
    signal: str = ""
    counted: str = ""  # what the number counts, for readers that hear it


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One answer of finding: where it leads, and what is there."""

    label: str
    kind: str  # page, review, run, policy, duty, trail or search
    href: str
    key: str = ""  # `g` and this letter go there as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Everything that a page needs besides its own content."""

    environment: str
    theme: str
    stylesheet: str
    version: str
    model: str
    request_id: str
    zone: str
    here: str
    as_of: datetime
    room: str = ""
    person: Who | None = None
    tenant: str = ""
    within_reach: bool = False
    nav: tuple[NavItem, ...] = ()
    own: tuple[NavItem, ...] = ()
    stops: tuple[StopLine, ...] = ()
    more_stops: int = 0
    switches_url: str = ""
    sign_out_url: str = ""
    seen: Seen | None = None
    stop_topics: str = "controls"
    nav_topics: str = "reviews.queue controls"
    themes: tuple[tuple[str, str, str], ...] = field(
        default=(
            ("system", "System", "monitor"),
            ("light", "Light", "sun"),
            ("dark", "Dark", "moon"),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the frame asks of the rooms, in one transaction."""

    person: Who | None
    tenant: str
    within_reach: bool  # the application could alter its own trail
    turns: int
    stops: tuple[StopLine, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure that links to the list behind it; None is unknown."""

    label: str
    value: str | None
    note: str = ""
    href: str = ""
    signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that wants a person, with the way there."""

    signal: str
    word: str
    text: str
    href: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A recent change, from the audit trail."""

    at: datetime
    action: str
    target: str
    who: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing for a newcomer to do; done when somebody did it."""

    title: str
    text: str
    href: str
    link: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The home page."""

    tiles: tuple[Tile, ...]
    attention: tuple[Attention, ...]
    changes: tuple[Change, ...] | None  # None: this person may not read the trail
    steps: tuple[Step, ...]
    audit_url: str
    topics: str
    as_of: datetime

    @property
    def steps_done(self) -> int:
        return sum(1 for step in self.steps if step.done_at is not None)
