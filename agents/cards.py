"""Frozen values that leave the runtime: for pages, the widget and the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from audit.cards import EntryCard


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeCard:
    """Which model answers: never shown without its provider."""

    provider: str  # "" while nothing has answered yet
    model: str
    live: bool

    @property
    def label(self) -> str:
        match self.provider:
            case "":
                return "no answer yet"
            case "rules":
                return "rules - no language model"
            case "scripted":
                return "scripted - not a model"
            case _:
                return f"{self.provider} - {self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCard:
    """The receipt of a message."""

    conversation_id: UUID
    run_id: UUID | None  # None while a person holds the conversation
    seq: int
    repeated: bool  # the same client id was taken before
    notice: str = ""  # what the sender should know at once, for instance that the agent is stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCard:
    """One frame of a transcript."""

    seq: int
    role: str  # customer, agent, person, notice
    kind: str  # text, confirm, confirmed, waiting, decided, executed, failed, paused, handoff
    text: str
    parts: Mapping[str, Any]
    run_id: UUID | None
    at: datetime

    @property
    def signal(self) -> str:
        """Return the signal of a notice's badge."""
        return _FRAME_SIGNS.get(self._sign, ("info", "Notice", "info"))[0]

    @property
    def word(self) -> str:
        return _FRAME_SIGNS.get(self._sign, ("info", "Notice", "info"))[1]

    @property
    def tone(self) -> str:
        return _FRAME_SIGNS.get(self._sign, ("info", "Notice", ""))[2]

    @property
    def _sign(self) -> str:
        """Return the kind; what was decided or answered with no is another sign."""
        if self.kind == "decided" and self.parts.get("outcome") not in ("approved", "dispatched"):
            return "declined"
        if self.kind == "confirmed" and not self.parts.get("agreed"):
            return "declined"
        return self.kind


# Signal, word and tone of a notice, by kind.
_FRAME_SIGNS: Mapping[str, tuple[str, str, str]] = {
    "confirmed": ("clear", "Customer agreed", ""),
    "waiting": ("caution", "Waiting for people", "caution"),
    "decided": ("clear", "Agreed", "clear"),
    "declined": ("stop", "Not agreed", ""),
    "executed": ("clear", "Done", "clear"),
    "failed": ("stop", "Not done", "danger"),
    "paused": ("stop", "Paused", "danger"),
    "handoff": ("caution", "With a person", "caution"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationCard:
    """Where a conversation stands."""

    id: UUID
    agent: str
    agent_title: str
    channel: str
    end_user: str
    customer: str
    identity_state: str
    head_seq: int
    run_id: UUID | None  # the active run, else the last one
    run_state: str
    epoch: int
    handed_off: bool
    badge: BadgeCard


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRowCard:
    """One row of the run list."""

    id: UUID
    conversation_id: UUID
    agent: str
    agent_title: str
    version: int
    state: str
    stop_reason: str
    channel: str
    customer: str
    steps: int
    calls: int
    created_at: datetime
    state_at: datetime
    badge: BadgeCard
    cost_usd: Decimal | None

    @property
    def reason_words(self) -> str:
        return self.stop_reason.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCard:
    """One tool call, for the run page."""

    id: UUID
    step: int
    tool: str
    title: str
    effect: str
    tier: int | None
    state: str
    confirmation: str
    args: str  # pretty JSON
    edited: str  # what people changed of it, as the model is told; "" for most
    result: str  # pretty JSON, "" while there is none
    error_code: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    proposal_id: UUID | None
    digest: str
    duration_ms: int | None
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    """One event of a run's timeline."""

    seq: int
    type: str
    epoch: int
    payload: Mapping[str, Any]
    at: datetime

    @property
    def text(self) -> str:
        """Return the payload as short words."""
        return ", ".join(f"{key} {_short(value)}" for key, value in self.payload.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_short(item) for item in value)
    return "unknown" if value is None else str(value)[:300]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    """One step: what was said and called in it."""

    seq: int
    text: str
    calls: tuple[CallCard, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapCard:
    """A counter of a run and its cap."""

    name: str
    used: int
    cap: int

    @property
    def label(self) -> str:
        words = {"active_ms": "Active time, ms", "tokens": "Token budget"}
        return words.get(self.name, self.name.replace("_", " ").capitalize())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetailCard:
    """One run with all that a page shows of it."""

    row: RunRowCard
    identity_state: str
    epoch: int
    lease_owner: str
    lease_until: datetime | None
    ended_at: datetime | None
    error: str
    starter: str
    switch_id: UUID | None
    waiting_for: str
    open_proposals: tuple[UUID, ...]
    frames: tuple[FrameCard, ...]
    steps: tuple[StepCard, ...]
    events: tuple[EventCard, ...]
    caps: tuple[CapCard, ...]
    prompt_digest: str
    tokens: int | None
    trail: tuple[EntryCard, ...]
    handed_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCard:
    """An agent and its newest version."""

    id: UUID
    slug: str
    title: str
    version_id: UUID
    number: int
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunListCard:
    """One page of the run list, with what it can be filtered by."""

    rows: tuple[RunRowCard, ...]
    more: bool
    agents: tuple[AgentCard, ...]
    counts: Mapping[str, int]  # runs by state
    as_of: datetime
