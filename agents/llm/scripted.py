"""A model that answers what it was told to: for tests, faults and the replay of recorded tasks.

It is no model and never pretends to be one. A delay waits for an event that the test sets, never
for time.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.errors import ModelFailed
from agents.llm.ports import ModelEvent, ModelRequest, Opened, Stopped, Text, ToolUse, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A tool call in an answer; `raw` stands for one whose arguments are no JSON object."""

    name: str
    args: Mapping[str, Any] | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: pieces of text, calls, and what goes wrong, in this order."""

    text: tuple[str, ...] = ()
    calls: tuple[Use, ...] = ()
    wait_for: threading.Event | None = None  # after the text
    started: threading.Event | None = None  # set when the text is out
    fails: ModelFailed | None = None  # instead of the end
    reason: str = ""  # why it stopped; by default what fits


@dataclass(slots=True)
class Scripted:
    """Answers in order; asking for more than was written is a mistake of the test."""

    replies: list[Reply]
    provider: str = "scripted"
    live: bool = False
    asked: list[ModelRequest] = field(default_factory=list)

    def __init__(self, replies: Iterable[Reply]) -> None:
        self.replies = list(replies)
        self.provider = "scripted"
        self.live = False
        self.asked = []

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.asked.append(request)
        if len(self.asked) > len(self.replies):
            raise ModelFailed("script_over", "The script has no further answer.")
        reply = self.replies[len(self.asked) - 1]
        yield Opened(model="script")
        for piece in reply.text:
            yield Text(text=piece)
        await _held_up(reply)
        if reply.fails is not None:
            raise reply.fails
        for place, use in enumerate(reply.calls):
            yield ToolUse(
                id=f"use_{len(self.asked)}_{place}", name=use.name, args=use.args, raw=use.raw
            )
        yield Usage(input_tokens=None, output_tokens=None)
        yield Stopped(reason=reply.reason or ("tools" if reply.calls else "end"))


async def _held_up(reply: Reply) -> None:
    if reply.started is not None:
        reply.started.set()
    if reply.wait_for is not None:
        # Cancelling leaves the thread behind; the test sets its event in every case.
        await asyncio.to_thread(reply.wait_for.wait)
