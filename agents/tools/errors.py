"""Refusals of a tool, worded for the model and for people alike."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from console.kernel.errors import ConsoleError, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One misfit between a value and its schema."""

    pointer: str  # JSON pointer (RFC 6901) to the value, or to where a missing one belongs
    keyword: str  # the schema keyword that failed, for instance "required"
    sentence: str  # never quotes the value: it may be long, secret or hostile


class UnknownTool(ConsoleError):
    """No contract of that name is registered."""

    code: ClassVar[str] = "tool.unknown"
    kind: ClassVar[Refusal] = Refusal.MISSING


class InvalidArguments(ConsoleError):
    """Arguments do not fit the input schema; `problems` says where, as JSON pointers."""

    code: ClassVar[str] = "tool.arguments_invalid"
    kind: ClassVar[Refusal] = Refusal.INVALID

    def __init__(self, tool: str, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        super().__init__(
            f"The arguments of {tool} were refused at {first.pointer or 'the top'}: "
            f"{first.sentence} Correct them and call again.",
            tool=tool,
            problems=[asdict(problem) for problem in problems],
        )
        self.problems = problems


class InvalidResult(ConsoleError):
    """What a tool returned does not fit its output schema, so nobody gets to see it."""

    code: ClassVar[str] = "tool.result_invalid"
    kind: ClassVar[Refusal] = Refusal.UNAVAILABLE

    def __init__(self, tool: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"The result of {tool} does not have its promised form and was withheld; "
            "hand the matter to a person.",
            tool=tool,
            problems=[asdict(problem) for problem in problems],
        )
        self.problems = problems


class ScopeMissing(ConsoleError):
    """The agent or the end user lacks a right that the contract names."""

    code: ClassVar[str] = "tool.scope_missing"
    kind: ClassVar[Refusal] = Refusal.FORBIDDEN


class ToolRefused(ConsoleError):
    """A rule of the tool's own domain says no; nothing was changed.

    `rule` is the domain's stable dotted code, for instance `retail.order_not_pending`.
    """

    code: ClassVar[str] = "tool.refused"
    kind: ClassVar[Refusal] = Refusal.CONFLICT

    def __init__(self, rule: str, sentence: str, **details: object) -> None:
        super().__init__(sentence, rule=rule, **details)
        self.rule = rule


class VersionMissing(ConsoleError):
    """A target that promised versions gave none, so a write to it would be bound to nothing."""

    code: ClassVar[str] = "tool.version_missing"
    kind: ClassVar[Refusal] = Refusal.UNAVAILABLE


class Drifted(ConsoleError):
    """The records are not as they were when the change was planned; nothing was changed.

    A tool raises it when its target refuses the version that people saw.
    """

    code: ClassVar[str] = "tool.drifted"
    kind: ClassVar[Refusal] = Refusal.CONFLICT


class UndoDrifted(ConsoleError):
    """The records no longer equal the after-image; putting old values back would destroy work."""

    code: ClassVar[str] = "undo.drifted"
    kind: ClassVar[Refusal] = Refusal.CONFLICT


class NoUndo(ConsoleError):
    """The contract says that this change cannot be taken back."""

    code: ClassVar[str] = "undo.none"
    kind: ClassVar[Refusal] = Refusal.CONFLICT


class BadContract(TypeError):
    """A contract contradicts itself; found at start, never by a caller."""
