"""The one way to a model: which provider, is it permitted, stream it, settle what it used."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from agents.controls.cards import Fields
from agents.controls.permits import permitted, require_permitted
from agents.controls.states import Point
from agents.errors import ModelFailed, Parked, ProviderMissing
from agents.llm.ports import (
    Model,
    ModelEvent,
    ModelRequest,
    Opened,
    Stopped,
    Text,
    ToolUse,
    Usage,
)
from agents.llm.rules import Rules
from console.kernel import clock, live
from console.kernel.actors import Actor
from console.kernel.transactions import command
from costs import cards as costs_cards
from costs import commands as costs

log = structlog.get_logger(__name__)

FIRST_EVENT_S: Final = 60.0
BETWEEN_EVENTS_S: Final = 30.0
WHOLE_ANSWER_S: Final = 240.0
ASK_SWITCHES_S: Final = 1.0
PIECE_S: Final = 0.05  # about 20 pieces of live text a second

_answering: list[Model] = []  # who answers instead, in tests and replays of this process


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """On whose behalf a model is asked."""

    actor: Actor
    fields: Fields
    run_id: UUID
    epoch: int
    lost: threading.Event  # set when the run is another worker's
    quiet: bool = False  # the answer is for the team: no live text reaches the end user


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came, whole."""

    text: str
    uses: tuple[ToolUse, ...]
    usage: Usage | None
    provider: str
    model: str
    live: bool
    reason: str  # end, tools, length, context, refused, other


@contextmanager
def answering(model: Model) -> Iterator[Model]:
    """Let `model` answer every call of this process; for tests and replays of recorded tasks."""
    _answering.append(model)
    try:
        yield model
    finally:
        _answering.remove(model)


def provider_of(policy: Mapping[str, Any]) -> Model:
    """Return the provider that a version asks for; `auto` takes a language model if one is set up.

    Raises:
        ProviderMissing: the version needs a provider that this installation does not have.
    """
    if _answering:
        return _answering[-1]
    name = policy.get("provider", "auto")
    if name == "auto":
        name = default_provider()
    if name == "rules":
        return Rules()
    if name == "anthropic" and has_credentials():
        from agents.llm.claude import Claude  # noqa: PLC0415 - 60 MB that only this provider needs

        return Claude(api_key=settings.ANTHROPIC_API_KEY, base_url=settings.ANTHROPIC_BASE_URL)
    raise ProviderMissing(
        f"The model provider {name} is not set up here; set its credentials or register a version "
        "with another one.",
        provider=name,
    )


def has_credentials() -> bool:
    return bool(settings.ANTHROPIC_API_KEY or settings.ANTHROPIC_BASE_URL)


def default_provider() -> str:
    """Return which provider `auto` means on this installation."""
    return "anthropic" if has_credentials() else "rules"


@command
def reserve(*, actor: Actor, fields: Fields) -> None:
    """Refuse a model call that a switch forbids; the first act of the transaction that sets aside.

    Raises:
        Stopped: a switch stands against it.
    """
    require_permitted(Point.MODEL_CALL, fields, guard=True)


@command
def settle(*, actor: Actor, call: ModelCall, agent_slug: str, answer: Answer) -> int:
    """Book what a call used; returns its tokens, 0 where the provider did not say."""
    used = answer.usage or Usage(input_tokens=None, output_tokens=None)
    costs.note_usage(
        actor=actor,
        run_id=call.run_id,
        agent_slug=agent_slug,
        provider=answer.provider,
        model=answer.model,
        usage=costs_cards.Usage(
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            write_5m=used.write_5m,
            write_1h=used.write_1h,
            read=used.read,
        ),
        at=clock.now(),
    )
    return (used.input_tokens or 0) + (used.output_tokens or 0)


def ask(model: Model, request: ModelRequest, call: ModelCall) -> Answer:
    """Ask a model and return its whole answer; runs outside of every transaction.

    Raises:
        ModelFailed: no answer came.
        Parked: a switch cut it, or the lease was lost.
    """
    return asyncio.run(_ask(model, request, call))


async def _ask(model: Model, request: ModelRequest, call: ModelCall) -> Answer:
    listening = asyncio.create_task(_listen(model, request, call))
    watching = asyncio.create_task(_watch(call))
    try:
        await asyncio.wait({listening, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            # Cancelling the task closes the HTTP stream.
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            raise watching.result()
        return listening.result()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(call: ModelCall) -> Parked:
    """Return as soon as the answer is not wanted any more."""
    while True:
        await asyncio.sleep(ASK_SWITCHES_S)
        if call.lost.is_set():
            return Parked("Another worker has this run now.")
        answer = await sync_to_async(_may_stream, thread_sensitive=False)(call.fields)
        if not answer.allowed:
            return Parked(
                answer.sentence, switch_id=str(answer.switch_id or ""), epoch=answer.epoch
            )


def _may_stream(fields: Fields) -> Any:
    try:
        return permitted(Point.MODEL_STREAM, fields, guard=False)
    finally:
        connection.close()


@dataclass(slots=True)
class _Pieces:
    """Sends live text on in pieces, so that a fast model does not flood Redis."""

    call: ModelCall
    n: int = 0
    waiting: list[str] = field(default_factory=list)
    sent_at: float = 0.0

    def add(self, text: str) -> None:
        self.waiting.append(text)
        if time.monotonic() - self.sent_at >= PIECE_S:
            self.flush()

    def flush(self) -> None:
        if not self.waiting or self.call.quiet:
            return
        live.append(self.call.run_id, epoch=self.call.epoch, n=self.n, text="".join(self.waiting))
        self.n += 1
        self.waiting.clear()
        self.sent_at = time.monotonic()


async def _listen(model: Model, request: ModelRequest, call: ModelCall) -> Answer:
    heard: list[ModelEvent] = []
    pieces = _Pieces(call)
    stream = model.stream(request)
    try:
        async with asyncio.timeout(WHOLE_ANSWER_S):
            while (event := await _next(stream, first=not heard)) is not None:
                heard.append(event)
                if isinstance(event, Text):
                    pieces.add(event.text)
    except TimeoutError as error:
        raise ModelFailed("timeout", "The provider did not answer in time.") from error
    finally:
        pieces.flush()
    return _whole(model, request, heard)


async def _next(stream: Any, *, first: bool) -> ModelEvent | None:
    async with asyncio.timeout(FIRST_EVENT_S if first else BETWEEN_EVENTS_S):
        event: ModelEvent | None = await anext(stream, None)
        return event


def _whole(model: Model, request: ModelRequest, heard: list[ModelEvent]) -> Answer:
    stops = [event.reason for event in heard if isinstance(event, Stopped)]
    if not stops:
        raise ModelFailed("cut", "The answer broke off before its end.")
    opened = [event.model for event in heard if isinstance(event, Opened)]
    usage = [event for event in heard if isinstance(event, Usage)]
    return Answer(
        text="".join(event.text for event in heard if isinstance(event, Text)).strip(),
        uses=tuple(event for event in heard if isinstance(event, ToolUse)),
        usage=usage[-1] if usage else None,
        provider=model.provider,
        model=opened[-1] if opened else request.model,
        live=model.live,
        reason=stops[-1],
    )
