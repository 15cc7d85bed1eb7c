"""Values that leave the trail: rows, entries, proofs, and how complete an answer is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCard:
    """One event, as a row of a list. Texts are foreign: show them escaped."""

    uid: UUID | None  # None when the event itself is gone, which verify_audit would report
    index: int | None  # None while it is not sealed
    received_at: datetime
    action: str
    kind: str
    actor_kind: str
    actor_id: str
    actor_label: str
    target_type: str
    target_id: str
    agent: str  # slug
    run: str
    agent_label: str = ""  # title
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """How much of the trail an answer could draw on."""

    searched: int  # entries in the search table
    sealed: int  # entries in the log
    unsealed: int  # events that have no entry yet; counted up to a limit

    @property
    def newest_searched(self) -> int:
        """Return the index of the newest entry that a search finds; -1 for none."""
        return self.searched - 1

    @property
    def newest_sealed(self) -> int:
        return self.sealed - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The tree that an answer draws on: the same one however long the trail grows."""

    size: int
    root: str  # hex, or "" for an empty trail
    warning: str = ""  # why this is not the tree that a link was made for


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """One value that entries have, and how many have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """The commonest values of a field among the entries that match."""

    field: str
    values: tuple[FacetValue, ...]
    more: int  # values that are not listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What the entries that match have in common."""

    facets: tuple[Facet, ...]
    newest_only: bool  # counted among the newest 10,000 that match, and not among all
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Some entries, newest first."""

    entries: tuple[EntryCard, ...]
    completeness: Completeness
    pin: Pin
    total: int  # matches; at most 10,000
    total_is_cut: bool
    has_newer: bool
    has_older: bool
    facets: Facets | None = None  # where they were asked for

    @property
    def pinned_size(self) -> int:
        return self.pin.size

    @property
    def first_shown(self) -> int:
        """Return the smallest index on this page."""
        return min((card.index for card in self.entries if card.index is not None), default=0)

    @property
    def end_shown(self) -> int:
        """Return the index after the largest one on this page."""
        indexes = (card.index for card in self.entries if card.index is not None)
        return max(indexes, default=0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FactCard:
    """One entry that another one rests on: who did it, and where it stands."""

    index: int
    label: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedCard:
    """One hand-over of a change to execution, beside what people had agreed to."""

    index: int
    at: datetime
    proposal: str
    approved: str  # SHA-256 of the content that was decided; "" when the trail holds no decision
    ran: str  # SHA-256 of the content that asked to run
    handed_over: bool  # False: it was refused, and nothing ran
    votes: tuple[FactCard, ...]  # for exactly the approved content, and still counting
    decision: FactCard | None
    result: FactCard | None

    @property
    def agrees(self) -> bool:
        return bool(self.approved) and self.approved == self.ran

    @property
    def holds(self) -> bool:
        """Say whether what ran is what was agreed to; a refusal of another call holds too."""
        return self.agrees or not self.handed_over


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCard:
    """One field of a change; None stands for a field that was not there."""

    path: str
    before: str | None
    after: str | None

    @property
    def change(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCard:
    """One thing that was checked, and what came out."""

    passed: bool | None  # None: there was nothing to check yet
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCard:
    """From stored bytes to a signature, verified just now."""

    origin: str
    index: int
    leaf_hash: str
    path: tuple[str, ...]
    size: int  # of the tree that the path leads to
    root: str
    note: str  # the signed checkpoint, or ""
    key: str  # the verifier key, or ""
    key_id: str
    signed_at: datetime | None
    checks: tuple[CheckCard, ...]

    @property
    def verified(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> bool:
        return any(check.passed is False for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyCard:
    """That a log only grew between two sizes."""

    old_size: int
    old_root: str
    new_size: int
    new_root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDetail:
    """One sealed event with all that was recorded."""

    card: EntryCard
    uid: UUID
    origin: str
    claimed_at: str  # as the envelope has it
    sealed_at: datetime
    skew_s: float | None  # received minus claimed, when it is more than five seconds
    actor: Mapping[str, Any]
    via: tuple[Mapping[str, Any], ...]
    target: Mapping[str, Any]
    changes: tuple[ChangeCard, ...]
    bind: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]  # what remains of the envelope
    envelope: str
    leaf_frame: str  # hex of what stands before the envelope in the leaf
    proof: ProofCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Something stored that does not agree with something else stored."""

    log: str
    tenant_id: str
    index: int | None
    field: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What a walk over the stored trail found."""

    logs: int
    entries: int
    unsealed: int
    heads: int
    tiles: int
    checkpoints: int
    meta_leaves: int
    mismatches: tuple[Mismatch, ...]

    @property
    def holds(self) -> bool:
        return not self.mismatches


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Something in the database by which the trail could be altered, or lost."""

    place: str  # the role, table, function or setting that it is about
    sentence: str
    remedy: str
    reach: bool  # the application itself could alter its own trail by it


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCard:
    """What is wrong with the trail and waits for a person."""

    code: str
    sentences: tuple[str, ...]
    raised_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardsCard:
    """What the self-check last saw; `looked_at` is None before its first time."""

    looked_at: datetime | None
    drifts: tuple[Drift, ...]

    @property
    def is_within_reach(self) -> bool:
        """Tell whether the application could alter its own trail."""
        return any(drift.reach for drift in self.drifts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillCard:
    """One drill on a copy of a log: what was done to it, and what verification said."""

    name: str
    done: str
    passed: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolCard:
    """How far continuous verification has come in a log; None where it never began."""

    scope: str  # newest, or whole
    started_at: datetime
    finished_at: datetime | None
    next_index: int
    found: int  # mismatches of this pass

    @property
    def newest_verified(self) -> int:
        return self.next_index - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillsCard:
    """When the last drill was, and which of its attacks were named; None before the first."""

    at: datetime | None
    named: tuple[str, ...]
    missed: tuple[str, ...]
