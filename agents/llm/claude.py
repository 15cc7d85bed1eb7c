"""Provider `anthropic`: whatever speaks the Messages API, the vendor or a local server.

The only module that imports the SDK. Retries are the engine's, so the SDK gets none; sampling
parameters are never sent (API version 2026-10-21 refuses them). Nothing is constructed without
credentials.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, cast

import anthropic
import httpx2
from anthropic.types import MessageParam, RawMessageStreamEvent, ToolParam

from agents.errors import ModelFailed
from agents.llm.ports import (
    ModelEvent,
    ModelRequest,
    Opened,
    Stopped,
    Text,
    ToolUse,
    Turn,
    Usage,
    UserTurn,
)

CONNECT_S: Final = 5.0
READ_S: Final = 60.0
STOPS: Final[Mapping[str, str]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "context",
    "refusal": "refused",
}


class NoCredentials(ValueError):
    """Neither a key nor the address of a local server is set."""


@dataclass(slots=True)
class Claude:
    """One client per model call, because a connection pool must not outlive its event loop."""

    api_key: str
    base_url: str
    provider: str = field(default="anthropic", init=False)
    live: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if not self.api_key and not self.base_url:
            raise NoCredentials("Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a local server.")

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        try:
            async with self._client() as client:
                stream = await client.messages.create(
                    model=request.model,
                    max_tokens=request.max_tokens,
                    system=request.system,
                    messages=list(_messages(request.turns)),
                    tools=[_tool(spec) for spec in request.tools],
                    cache_control={"type": "ephemeral"},
                    stream=True,
                )
                reading = _Reading()
                async with stream:
                    async for event in stream:
                        for heard in reading.hear(event):
                            yield heard
                if not reading.finished:
                    raise ModelFailed("cut", "The answer broke off before its end.")
        except anthropic.APIError as error:
            raise _failure(error) from error
        except httpx2.HTTPError as error:
            raise ModelFailed("cut", "The connection broke while the answer came.") from error
        except ValueError as error:
            raise ModelFailed(
                "bad_answer", "The server sent something that is no event."
            ) from error

    def _client(self) -> anthropic.AsyncAnthropic:
        # The key is given explicitly, so that the SDK never looks for profiles on the disk.
        return anthropic.AsyncAnthropic(
            api_key=self.api_key or "local",
            base_url=self.base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(READ_S, connect=CONNECT_S),
        )


class _Reading:
    """Puts the pieces of a stream together; tool calls come out whole."""

    def __init__(self) -> None:
        self.finished = False
        self._blocks: dict[int, tuple[str, str, list[str]]] = {}
        self._usage = Usage(input_tokens=None, output_tokens=None)

    def hear(self, event: RawMessageStreamEvent) -> Iterator[ModelEvent]:
        match event.type:
            case "message_start":
                yield Opened(model=event.message.model, request_id=event.message.id)
                yield self._first_usage(event.message.usage)
            case "content_block_start" if event.content_block.type == "tool_use":
                self._blocks[event.index] = (event.content_block.id, event.content_block.name, [])
            case "content_block_delta":
                yield from self._piece(event.index, event.delta)
            case "content_block_stop" if event.index in self._blocks:
                yield _use(*self._blocks.pop(event.index))
            case "message_delta":
                yield self._later_usage(event.usage)
                yield Stopped(reason=STOPS.get(event.delta.stop_reason or "", "other"))
            case "message_stop":
                self.finished = True
            case _:
                return

    def _piece(self, index: int, delta: Any) -> Iterator[ModelEvent]:
        if delta.type == "text_delta":
            yield Text(text=delta.text)
        elif delta.type == "input_json_delta" and index in self._blocks:
            self._blocks[index][2].append(delta.partial_json)

    def _first_usage(self, usage: Any) -> Usage:
        split = getattr(usage, "cache_creation", None)
        self._usage = Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            write_5m=split.ephemeral_5m_input_tokens
            if split
            else usage.cache_creation_input_tokens,
            write_1h=split.ephemeral_1h_input_tokens if split else None,
            read=usage.cache_read_input_tokens,
        )
        return self._usage

    def _later_usage(self, usage: Any) -> Usage:
        # Cumulative; the exact counts of the input stand in the opening event.
        seen = self._usage
        self._usage = Usage(
            input_tokens=seen.input_tokens if seen.input_tokens is not None else usage.input_tokens,
            output_tokens=usage.output_tokens,
            write_5m=seen.write_5m,
            write_1h=seen.write_1h,
            read=seen.read if seen.read is not None else usage.cache_read_input_tokens,
        )
        return self._usage


def _use(use_id: str, name: str, pieces: list[str]) -> ToolUse:
    raw = "".join(pieces)
    try:
        args = json.loads(raw or "{}")
    except ValueError:
        args = None
    if not isinstance(args, dict):
        return ToolUse(id=use_id, name=name, args=None, raw=raw)
    return ToolUse(id=use_id, name=name, args=args, raw=raw)


def _tool(spec: Any) -> ToolParam:
    return {
        "name": spec.name,
        "description": spec.summary,
        "input_schema": dict(spec.input_schema),
    }


def _messages(turns: tuple[Turn, ...]) -> Iterator[MessageParam]:
    """Yield the transcript in the API's form: roles alternate, results follow their calls."""
    said = [pair for turn in turns for pair in _blocks(turn)]
    for role, group in groupby(said, key=lambda pair: pair[0]):
        content = [block for _, blocks in group for block in blocks]
        yield cast(MessageParam, {"role": role, "content": content})


def _blocks(turn: Turn) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if isinstance(turn, UserTurn):
        yield "user", [{"type": "text", "text": turn.text}]
        return
    said = [{"type": "text", "text": turn.text}] if turn.text else []
    used = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.args)}
        for call in turn.calls
    ]
    if said or used:
        yield "assistant", said + used
    if turn.results:
        yield "user", [_result(result) for result in turn.results]


def _result(result: Any) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": result.id,
        "content": json.dumps(result.content, ensure_ascii=False, default=str),
        "is_error": result.failed,
    }


def _failure(error: anthropic.APIError) -> ModelFailed:
    """Return our word for the vendor's error; its text is not shown to anybody but operators."""
    if isinstance(error, anthropic.APITimeoutError):
        return ModelFailed("timeout", "The provider did not answer in time.")
    if isinstance(error, anthropic.APIConnectionError):
        return ModelFailed("connection", "The provider cannot be reached.")
    if isinstance(error, anthropic.RateLimitError):
        return ModelFailed("rate_limited", "The provider limits us.", retry_after_s=_after(error))
    if isinstance(error, anthropic.InternalServerError):
        return ModelFailed("overloaded", "The provider is overloaded.", retry_after_s=_after(error))
    if isinstance(error, anthropic.APIStatusError):
        return ModelFailed("refused_request", f"The provider refused: {error.status_code}.")
    return ModelFailed("cut", "The provider ended the answer with an error.")


def _after(error: anthropic.APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
