"""What a planner can know from the transcript: what was said, asked, looked up and found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.llm.ports import AgentTurn, ModelRequest, ToolCallPart, ToolResultPart, UserTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of the end user, with the question that it answers."""

    place: int  # index among the turns
    text: str
    question: str  # what the agent had said just before, "" if it had not


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call with its result."""

    place: int
    tool: str
    args: Mapping[str, Any]
    content: Mapping[str, Any]
    failed: bool

    @property
    def meant(self) -> Mapping[str, Any]:
        """Return the arguments that counted in the end: people may have changed what was sent."""
        found = self.content.get("ran_with")
        return found if isinstance(found, Mapping) else self.args

    @property
    def result(self) -> Mapping[str, Any]:
        found = self.content.get("result")
        return found if isinstance(found, Mapping) else {}

    @property
    def error(self) -> Mapping[str, Any]:
        found = self.content.get("error")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class History:
    """The transcript, sorted for questions to it."""

    said: list[Said] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)  # what the agent said, by place

    @property
    def last(self) -> Said:
        return self.said[-1]

    def calls_after(self, place: int, tool: str) -> list[Called]:
        return [call for call in self.called if call.tool == tool and call.place > place]

    def look(self, tool: str, args: Mapping[str, Any]) -> Called | None:
        """Return the newest call of a read with exactly these arguments."""
        equal = [c for c in self.called if c.tool == tool and dict(c.args) == dict(args)]
        return equal[-1] if equal else None

    def answers_to(self, question: str) -> list[Said]:
        """Return what was answered to a question, newest first."""
        if not question:
            return []
        return [said for said in reversed(self.said) if question in said.question]

    def newest_first(self) -> list[str]:
        return [said.text for said in reversed(self.said)]


def read(request: ModelRequest) -> History:
    """Sort the turns of a request."""
    history = History()
    question = ""
    for place, turn in enumerate(request.turns):
        if isinstance(turn, UserTurn):
            history.said.append(Said(place=place, text=turn.text, question=question))
            question = ""
            continue
        history.called.extend(_called(place, turn))
        if turn.text:
            history.answers.append((place, turn.text))
            question = turn.text
    return history


def _called(place: int, turn: AgentTurn) -> list[Called]:
    results: Mapping[str, ToolResultPart] = {result.id: result for result in turn.results}
    return [_one(place, call, results.get(call.id)) for call in turn.calls]


def _one(place: int, call: ToolCallPart, result: ToolResultPart | None) -> Called:
    return Called(
        place=place,
        tool=call.name,
        args=call.args,
        content=result.content if result else {},
        failed=result.failed if result else True,
    )


def at_pointer(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer names, or None."""
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
