"""What can be said to have happened: the base of every event, and the catalogue of their names.

Each app declares its events in its own `events.py`, as frozen dataclasses in the past tense:

    @dataclass(frozen=True, kw_only=True)
    class VoteCast(Event):
        \"\"\"A person voted on exactly the content with this digest.\"\"\"

        name = "vote.cast"
        subject = "proposal_id"
        topics = ("reviews.queue", "proposal:{proposal_id}")

        proposal_id: UUID
        digest: str  # SHA-256, 64 hex characters

The docstring is the documentation. Fields that the base does not know go into `bind` of the
envelope.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from inspect import get_annotations
from typing import Any, ClassVar
from uuid import UUID

from typing_extensions import override

_catalogue: dict[str, type["Event"]] = {}


class Kind(StrEnum):
    FACT = "fact"
    INTENT = "intent"
    OUTCOME = "outcome"
    READ = "read"
    SYSTEM = "system"


class Keep(StrEnum):
    """How long an event is kept; fixed when it is written."""

    STANDARD = "standard"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that changed. None means that the field was not there."""

    path: str  # a JSON pointer, or dotted path, into the subject
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact in the past tense. Not slotted: slots break `super()` in `__init_subclass__`."""

    name: ClassVar[str] = ""  # dotted verb; never reused for something else
    subject: ClassVar[str] = ""  # the field that holds the id of what this is about
    target_type: ClassVar[str] = ""  # what kind of thing that is; by default the name's first part
    kind: ClassVar[str] = Kind.FACT
    keep: ClassVar[str] = Keep.STANDARD
    topics: ClassVar[tuple[str, ...]] = ()  # pages to refresh, formatted over the fields

    changes: tuple[Change, ...] = ()
    bind: Mapping[str, Any] = field(default_factory=dict)  # further facts that the change rests on
    reason: str = ""  # free text of the person
    intent: UUID | None = None  # uid of the intent that this is the outcome of
    result: str = ""  # of an outcome: ok, failed, refused, unknown
    version: str = ""  # of the subject, after the change

    @override
    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        name = cls.__dict__.get("name", "")
        if name:
            _enter(cls, name)

    @property
    def subject_id(self) -> str:
        return str(getattr(self, self.subject))

    def own_fields(self) -> dict[str, Any]:
        """Return the fields that the event's own class declares, by name."""
        cls: Any = type(self)
        return {name: getattr(self, name) for name in _own_names(cls)}

    def touched_topics(self) -> tuple[str, ...]:
        return tuple(topic.format_map(vars(self)) for topic in self.topics)

    def settled_as(self) -> str:
        """Return how what this is about ended, in a word that its topics know; "" if it did not."""
        return ""


@cache
def _own_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls) if f.name not in _BASE_FIELDS)


_BASE_FIELDS = frozenset(f.name for f in fields(Event))
_BASE_WORDS = _BASE_FIELDS | {"name", "subject", "target_type", "kind", "keep", "topics"}


def _enter(cls: type[Event], name: str) -> None:
    """Put an event into the catalogue, or say what is wrong with its declaration."""
    taken = _catalogue.get(name)
    if taken is not None and (taken.__module__, taken.__qualname__) != (
        cls.__module__,
        cls.__qualname__,
    ):
        raise TypeError(f"The event name {name} belongs to {taken.__module__} already.")
    annotated = {word for base in cls.__mro__ for word in get_annotations(base)}
    if cls.subject not in annotated:
        raise TypeError(f"{cls.__qualname__}.subject must name one of its fields.")
    hidden = _BASE_WORDS & set(get_annotations(cls))
    if hidden:
        raise TypeError(f"{cls.__qualname__} redeclares {sorted(hidden)}; choose other names.")
    if not cls.target_type:
        cls.target_type = name.partition(".")[0]
    _catalogue[name] = cls


def catalogue() -> Iterator[type[Event]]:
    """Yield every declared event, by name."""
    for name in sorted(_catalogue):
        yield _catalogue[name]


@dataclass(frozen=True, kw_only=True)
class Repeatable(Event):
    """An act that one person may repeat every second; equal ones of a minute are one event."""

    repeats: int  # equal ones since the last such event, which were only counted
    only_repeats: bool = False  # nobody did it again; this says how many were counted


@dataclass(frozen=True, kw_only=True)
class RequestRefused(Repeatable):
    """A request was refused. What was sent is left out on purpose: forms hold secrets."""

    name = "request.refused"
    subject = "path"

    path: str
    method: str
    code: str  # of the refusal; the manual says what each one means
    status: int


@dataclass(frozen=True, kw_only=True)
class AuditSearched(Repeatable):
    """A person looked through the trail."""

    name = "audit.searched"
    subject = "query_digest"
    kind = Kind.READ

    query_digest: str  # SHA-256 of the query, 64 hex characters
    query: str  # canonical text of the filters
    tree_size: int  # entries that the answer could draw on
    found: int  # rows on the page that was shown
    first_index: int | None  # the span of the rows that were shown
    last_index: int | None


@dataclass(frozen=True, kw_only=True)
class AuditViewed(Repeatable):
    """A person opened one entry, with its content and proof."""

    name = "audit.viewed"
    subject = "entry_index"
    kind = Kind.READ

    entry_index: int


@dataclass(frozen=True, kw_only=True)
class EvidenceExported(Repeatable):
    """Somebody took entries out of the trail, as a bundle that proves them elsewhere."""

    name = "evidence.exported"
    subject = "log"
    target_type = "log"
    kind = Kind.READ

    log: str  # origin
    about: str  # an entry, a range, or the thing that all of them name
    tree_size: int
    opened: int  # how many entries
    first_index: int
    last_index: int


@dataclass(frozen=True, kw_only=True)
class GuardsDrifted(Event):
    """The self-check found something by which the trail could be altered, or lost."""

    name = "guards.drifted"
    subject = "digest"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    digest: str  # SHA-256 of the sentences, 64 hex characters
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GuardsRestored(Event):
    """The self-check found nothing any more, after it had."""

    name = "guards.restored"
    subject = "looked_at"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    looked_at: str


@dataclass(frozen=True, kw_only=True)
class SignerFellBehind(Event):
    """What was sealed a minute ago is not signed: the signer does not run, or it refuses."""

    name = "signer.fell_behind"
    subject = "sealed_at"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    sealed_at: str  # of the oldest head that is not signed


@dataclass(frozen=True, kw_only=True)
class SignerCaughtUp(Event):
    """Everything that was sealed is signed again."""

    name = "signer.caught_up"
    subject = "noticed_at"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    noticed_at: str


@dataclass(frozen=True, kw_only=True)
class LogMismatched(Event):
    """Verification found something stored that does not agree with what was sealed."""

    name = "log.mismatch"
    subject = "log"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    log: str  # origin
    field: str  # table and column
    entry_index: int | None
    sentence: str
    last_good_size: int | None  # of the newest signed checkpoint before it
    mismatches: int  # found at once; the page of the alarm lists them


@dataclass(frozen=True, kw_only=True)
class LogAgreed(Event):
    """A whole pass found nothing any more, after one had."""

    name = "log.agreed"
    subject = "noticed_at"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    noticed_at: str


@dataclass(frozen=True, kw_only=True)
class TamperDrilled(Event):
    """Somebody had a copy of this log tampered with, to see whether verification names it."""

    name = "audit.drilled"
    subject = "outcome"
    kind = Kind.SYSTEM

    outcome: str  # passed, or missed
    entry_count: int  # of the copy
    missed: tuple[str, ...]  # names of the drills that verification did not name


@dataclass(frozen=True, kw_only=True)
class SearchRepaired(Event):
    """Rows of the search table did not say what their entries say; they do again."""

    name = "audit.search_repaired"
    subject = "first_index"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    first_index: int  # of the block that was looked at
    last_index: int
    missing: int  # entries that a search would not have found
    altered: int
    added: int  # rows of no entry
    days: int  # whose facets were counted anew


@dataclass(frozen=True, kw_only=True)
class SearchInOrder(Event):
    """The whole search table agrees with the entries, after it had not."""

    name = "audit.search_in_order"
    subject = "looked_at"
    kind = Kind.SYSTEM
    topics = ("audit.alarms",)

    looked_at: str  # ISO 8601, UTC
