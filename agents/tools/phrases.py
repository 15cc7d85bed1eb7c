"""What a planner without a language model may know about a tool, as data.

The words come from whoever wrote the tool, never from recorded conversations or test data. A slot
is one argument: how it looks in a sentence, how to ask for it, or where the records that it may
name are listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where the values that a slot may take are listed.

    `args` gives the arguments of the read: "$name" stands for another slot's value, "$customer" for
    the identified customer, and "@slot.field" for a field of the entry already chosen for that
    slot. Entries that are plain text are their own value.
    """

    tool: str
    args: Mapping[str, str]
    entries: str  # JSON pointer into the result, to a list or to an object whose values are listed
    value: str  # field of an entry that becomes the argument
    labels: tuple[
        str, ...
    ]  # fields of an entry whose words name it; an object counts by its values
    only: Mapping[str, str] = field(default_factory=dict)  # field -> value that an entry must have

    def body(self) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "args": dict(self.args),
            "entries": self.entries,
            "value": self.value,
            "labels": list(self.labels),
            "only": dict(self.only),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """How one argument is found in a sentence, or asked for."""

    ask: str  # the question put to the customer when the argument is missing
    pattern: str = ""  # regular expression whose whole match is the value
    cues: tuple[str, ...] = ()  # words that stand before the value, for instance "via"
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # value -> ways to say it
    lookup: Lookup | None = None
    many: bool = False  # a list with an entry for each record that is named
    pairs_with: str = ""  # this list has one entry for each of that slot, in its order

    def body(self) -> dict[str, Any]:
        return {
            "ask": self.ask,
            "pattern": self.pattern,
            "cues": list(self.cues),
            "choices": {value: list(ways) for value, ways in self.choices.items()},
            "lookup": self.lookup.body() if self.lookup else None,
            "many": self.many,
            "pairs_with": self.pairs_with,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The words by which a customer asks for a tool, and those by which the answer is given.

    `done` is what the customer reads after success: a template over the arguments, as in
    "Order {order_id} is cancelled.".
    """

    verbs: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    done: str = ""

    def body(self) -> dict[str, Any]:
        return {
            "verbs": list(self.verbs),
            "nouns": list(self.nouns),
            "examples": list(self.examples),
            "slots": {name: slot.body() for name, slot in self.slots.items()},
            "done": self.done,
        }
