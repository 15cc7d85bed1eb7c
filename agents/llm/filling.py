"""The arguments of one intended call while they are being filled, and what may stop that. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.llm.history import History
from agents.llm.ports import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read that has to be made before the slot can be filled."""

    tool: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to the end user."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A read failed; its own words are what there is to say."""

    text: str


Entry = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Filling:
    """The arguments of one intended call, as far as they are known."""

    spec: ToolSpec
    text: str  # the part of the message that asks for it
    place: int  # of that message
    history: History
    customer: str
    floor: int = -1  # messages up to here belong to requests that are done
    args: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, list[Entry]] = field(default_factory=dict)
    named: bool = False  # some record was chosen by its name
    rest: str = ""  # of what followed the cue of the slot before

    @property
    def slots(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.spec.phrases.get("slots", {})
        return found

    def texts(self) -> list[str]:
        """Return where to look, best first: the request, what came after, what came before."""
        since = [said.text for said in reversed(self.history.said) if said.place > self.place]
        before = [
            said.text
            for said in reversed(self.history.said)
            if self.floor < said.place <= self.place
        ]
        return [self.text, *since, *before]

    def own_texts(self) -> list[str]:
        """Return the request and what came after it; other requests of the message are not ours."""
        since = [said.text for said in reversed(self.history.said) if said.place > self.place]
        return [self.text, *since]

    def answers(self, slot: Mapping[str, Any]) -> list[str]:
        """Return what was answered to the question of a slot since the request, newest first."""
        found = self.history.answers_to(slot.get("ask", ""))
        return [said.text for said in found if said.place > self.place]
