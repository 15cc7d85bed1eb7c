"""Frozen values that go into and leave the switches."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from agents.controls.states import Category, Progress, RunsThen, ScopeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a switch stops: a slug, a tool's name, a root run's id, or "" for a tenant."""

    kind: ScopeKind
    value: str = ""

    @override
    def __str__(self) -> str:
        return (
            self.kind.value if self.kind is ScopeKind.TENANT else f"{self.kind.value}:{self.value}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Who asks for what; which of these a point must fill in is `states.DECLARED`."""

    tenant: UUID
    agent: str  # slug
    agent_version: str = ""
    tool: str = ""
    tier: int | None = None  # None counts as a write
    run: UUID | None = None  # the root run


@dataclass(frozen=True, slots=True, kw_only=True)
class Engaged:
    """A switch that stands, as far as the check needs it."""

    id: UUID
    scope: Scope
    category: Category
    reason: str
    epoch: int
    age_s: int  # whole seconds, when it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What `permitted` says; `epoch` belongs on the row of the effect that it allows."""

    allowed: bool
    code: str = ""
    switch_id: UUID | None = None
    category: Category | None = None
    reason: str = ""
    epoch: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCard:
    """One process of this installation and the newest switch epoch that it acted on."""

    kind: str
    host: str
    pid: int
    applied_epoch: int
    silent_s: int  # whole seconds since it was last seen
    silent: bool  # unseen for so long that it cannot be reached

    @property
    def name(self) -> str:
        return f"{self.kind} {self.host}:{self.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How far a stop has got: ordered and confirmed stay apart."""

    progress: Progress
    confirmed: int
    of: int
    missing: tuple[str, ...]  # processes that have not confirmed, by name
    barrier: bool  # every guarded transaction that began before the stop has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchCard:
    """One switch, standing or released."""

    id: UUID
    scope: Scope
    category: Category
    runs: RunsThen
    reason: str
    epoch: int
    engaged_by: str
    engaged_by_id: str
    engaged_at: datetime
    barrier_at: datetime | None
    confirmed_at: datetime | None
    asked_by: str  # who asked for the release, "" while nobody did
    asked_by_id: str
    asked_at: datetime | None
    release_reason: str
    released_by: str
    released_at: datetime | None
    confirmation: Confirmation

    @property
    def engaged(self) -> bool:
        return self.released_at is None

    @property
    def needs_second_person(self) -> bool:
        return self.scope.kind is ScopeKind.TENANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that can be stopped, with a name for people."""

    scope: Scope
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a stop would meet now; None means that nobody can tell."""

    live_runs: int | None = None
    parked_runs: int | None = None
    executing_calls: int | None = None
    open_proposals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOffer:
    """What the release form says to one reader; a refusal stands beside the disabled button."""

    effect: str
    button: str
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverCard:
    """One row of the board: what can be stopped, and the stop that stands against it."""

    target: Target
    effect: Effect
    switch: SwitchCard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCard:
    """What the stop panel says of the scope that is about to be stopped."""

    scope: Scope | None
    effect: Effect
    switch: SwitchCard | None  # stands already
    empty: bool  # nothing in this scope is live now; the stop holds for what comes


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCard:
    """The switch board of one organisation at one moment."""

    standing: tuple[SwitchCard, ...]
    levers: tuple[LeverCard, ...]
    workers: tuple[WorkerCard, ...]
    panel: PanelCard
    history: tuple[SwitchCard, ...]
    epoch: int
    as_of: datetime

    @property
    def groups(self) -> tuple[tuple[str, tuple[LeverCard, ...]], ...]:
        """The levers under the headings of the page; a heading without levers is left out."""
        titles = {
            ScopeKind.TENANT: "Organisation",
            ScopeKind.AGENT: "Agents",
            ScopeKind.TOOL: "Tools",
            ScopeKind.RUN: "Runs",
        }
        groups = (
            (title, tuple(one for one in self.levers if one.target.scope.kind is kind))
            for kind, title in titles.items()
        )
        return tuple((title, levers) for title, levers in groups if levers)
