"""Which tools a message asks for, by the phrases of their contracts. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from agents.llm import matching
from agents.llm.history import Called, History
from agents.llm.ports import ToolSpec

VERB: Final = 3
NOUN: Final = 2
SHOWN: Final = 1  # a value of the tool's own form stands in the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that was asked for."""

    place: int  # of the message among the turns
    text: str  # the part of the message
    specs: tuple[ToolSpec, ...]  # the best first; more than one if the words fit them equally
    nth: int = 0  # of the tasks of this tool since the message

    @property
    def spec(self) -> ToolSpec:
        return self.specs[0]


def score(spec: ToolSpec, text: str) -> int:
    """Return how well a tool's words fit a text; 0 if they do not."""
    phrases = spec.phrases
    words = _words(spec, text)
    verb = matching.longest(words, phrases.get("verbs", ()))
    noun = matching.longest(words, phrases.get("nouns", ()))
    if spec.hands_off and not (verb and noun):
        return 0
    if not verb and (spec.effect == "write" or noun < 2):  # noqa: PLR2004 - "my orders", not "order"
        return 0
    return VERB * bool(verb) + NOUN * noun + SHOWN * _shows_value(spec, text)


def _words(spec: ToolSpec, text: str) -> str:
    """Return a text without the values in it: an id or a quoted option asks for nothing."""
    for slot in spec.phrases.get("slots", {}).values():
        if slot.get("pattern"):
            text = re.sub(slot["pattern"], " ", text)
    return matching.without_quotes(text)


def _shows_value(spec: ToolSpec, text: str) -> bool:
    required = spec.input_schema.get("required", ())
    slots = (spec.phrases.get("slots", {}).get(name, {}) for name in required)
    patterns = [slot["pattern"] for slot in slots if slot.get("pattern")]
    return any(matching.matches(text, pattern) for pattern in patterns)


def tasks(specs: Iterable[ToolSpec], history: History) -> list[Task]:
    """Return what was asked for, oldest first. Lookups that only identify are no requests."""
    usable = [spec for spec in specs if not spec.resolves]
    found: list[Task] = []
    for said in history.said:
        for text in matching.parts(said.text):
            best = _best(usable, text)
            mine = found[-1] if found and found[-1].place == said.place else None
            if mine is not None and (not best or _same(mine, text, best)):
                # Words that ask for nothing new belong to what was asked before them.
                found[-1] = replace(mine, text=f"{mine.text} {text}")
            elif best:
                found.append(Task(place=said.place, text=text, specs=best))
    return _numbered(_requests(found))


def _requests(found: list[Task]) -> list[Task]:
    """Leave out what is asked to be shown in a message that asks for a change."""
    changes = {task.place for task in found if task.spec.effect == "write"}
    return [
        task
        for task in found
        if task.spec.effect == "write" or task.spec.hands_off or task.place not in changes
    ]


def _best(specs: Sequence[ToolSpec], text: str) -> tuple[ToolSpec, ...]:
    scored = [(score(spec, text), spec) for spec in specs]
    most = max((value for value, _ in scored), default=0)
    if not most:
        return ()
    top = [spec for value, spec in scored if value == most]
    # A person who asks for a change does not ask to be shown the same thing.
    writes = [spec for spec in top if spec.effect == "write"]
    return tuple(writes or top)


def _same(task: Task, text: str, best: tuple[ToolSpec, ...]) -> bool:
    """Tell whether a part of a message repeats the request before it: no other record is named."""
    if _names(best) != _names(task.specs):
        return False
    values = {value for spec in best for value in _values(spec, text)}
    return not values or values <= {value for spec in best for value in _values(spec, task.text)}


def _names(specs: Iterable[ToolSpec]) -> set[str]:
    return {spec.name for spec in specs}


def _values(spec: ToolSpec, text: str) -> list[str]:
    slots = spec.phrases.get("slots", {}).values()
    return [
        v for slot in slots if slot.get("pattern") for v in matching.matches(text, slot["pattern"])
    ]


def _numbered(found: list[Task]) -> list[Task]:
    numbered: list[Task] = []
    for task in found:
        names = _names(task.specs)
        nth = sum(one.place == task.place and bool(names & _names(one.specs)) for one in numbered)
        numbered.append(replace(task, nth=nth))
    return numbered


def call_of(task: Task, history: History) -> Called | None:
    """Return the call that a task led to, if there was one."""
    names = _names(task.specs)
    calls = [c for c in history.called if c.tool in names and c.place > task.place]
    return calls[task.nth] if len(calls) > task.nth else None


def names_thing(task: Task) -> bool:
    """Tell whether the words name what the best tool is about, and not only what is to be done."""
    words = _words(task.spec, task.text)
    return bool(matching.longest(words, task.spec.phrases.get("nouns", ())))


def narrowed(task: Task, words: Iterable[Any]) -> Task:
    """Prefer, of tools whose words fit equally, the one whose title speaks of what was found.

    A pending order is changed where a delivered one is exchanged: the record's own status says
    which.
    """
    if len(task.specs) == 1:
        return task
    told = {str(word).casefold() for word in words if isinstance(word, str)}
    fits = [spec for spec in task.specs if told & matching.tokens(spec.title)]
    if not fits:
        return task
    return replace(task, specs=tuple(fits))
