"""What every model provider is asked and answers: plain values, no library."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model sees it; `phrases` and `resolves` are for a planner without a model."""

    name: str
    title: str
    summary: str
    input_schema: Mapping[str, Any]
    effect: str  # "read" or "write"
    tier: int
    asks_user: bool = False  # the console itself asks the end user before this runs
    resolves: str = ""  # record kind that a lookup identifies
    resolves_at: str = ""  # JSON pointer into its result, to the id
    hands_off: bool = False  # opens a hand-off to a person
    phrases: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTurn:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPart:
    id: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultPart:
    id: str
    content: Mapping[str, Any]  # {"result": ...} or {"error": {"code", "message", ...}}
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTurn:
    """What the model said and called in one step, and what came back, in the model's order."""

    text: str
    calls: tuple[ToolCallPart, ...] = ()
    results: tuple[ToolResultPart, ...] = ()


Turn = UserTurn | AgentTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a reviewer asks about a call that waits; it is answered in words, never by a call.

    `turns` of the request say the same as text; this is for a provider without a model.
    """

    question: str
    wants_changes: bool
    title: str
    args: Mapping[str, Any]
    input_schema: Mapping[str, Any]
    said: tuple[str, ...]  # by the end user, oldest first
    read: tuple[tuple[str, str], ...]  # (title of a tool, its result as text), oldest first
    changes: tuple[tuple[str, str, str], ...]  # (field, before, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model: given this transcript, what next?"""

    model: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...]
    customer: str = ""  # the record that the end user was found to be; "" is unknown
    max_tokens: int = 1024
    inquiry: Inquiry | None = None
    plans: bool = False  # several writes of one answer become one plan; only `rules` has to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The provider took the request; `model` is the one that answers."""

    model: str
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A finished tool call; `args` is None if what came was no JSON object (then `raw` has it)."""

    id: str
    name: str
    args: Mapping[str, Any] | None
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens so far, as the provider counts them; None means that it did not say."""

    input_tokens: int | None
    output_tokens: int | None
    write_5m: int | None = None
    write_1h: int | None = None
    read: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why the answer ended: end, tools, length, context, refused, other."""

    reason: str


ModelEvent = Opened | Text | ToolUse | Usage | Stopped


class Model(Protocol):
    """A provider. `provider` and `live` make the badge that every answer carries."""

    provider: str
    live: bool

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer once; raise `ModelFailed` if no answer comes."""
        ...
