"""Provider `rules`: a planner over tool contracts. It is no language model and says so.

It finds the request by the phrases of the contracts, the arguments by their slots, the records
through lookups, asks one question at a time, has every write confirmed, quotes what tools said,
and hands over to a person when it cannot go on. The words come from the contracts and from
`wording.py`, never from data.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from agents.llm import explaining, wording
from agents.llm import history as transcript
from agents.llm.planning import Call, Move, Plan, Say
from agents.llm.ports import ModelEvent, ModelRequest, Opened, Stopped, Text, ToolUse, Usage

PIECE: Final = 24  # characters of live text at a time


@dataclass(slots=True)
class Rules:
    """The provider; one answer per request, always the same for the same transcript."""

    provider: str = field(default="rules", init=False)
    live: bool = field(default=True, init=False)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        yield Opened(model="rules")
        moves = [plan(request), *besides(request)]
        place = sum(1 for turn in request.turns if hasattr(turn, "calls"))
        for no, move in enumerate(moves):
            if isinstance(move, Say):
                for start in range(0, len(move.text), PIECE):
                    yield Text(text=move.text[start : start + PIECE])
                continue
            name = f"rules_{place}_{no}" if no else f"rules_{place}"
            yield ToolUse(id=name, name=move.tool, args=dict(move.args))
        yield Usage(input_tokens=None, output_tokens=None)
        yield Stopped(reason="end" if isinstance(moves[0], Say) else "tools")


def plan(request: ModelRequest) -> Move:
    """Return the next move for a transcript: one call, or one message."""
    if request.inquiry is not None:
        return Say(text=explaining.answer(request.inquiry))
    history = transcript.read(request)
    if not history.said:
        return Say(text=wording.help_with(request.tools, wording.UNCLEAR))
    return Plan(request, history).move()


def besides(request: ModelRequest) -> list[Call]:
    """Return the writes that go into the same answer, where the version plans its writes."""
    history = transcript.read(request)
    if not request.plans or request.inquiry is not None or not history.said:
        return []
    return Plan(request, history).writes()[1:]
