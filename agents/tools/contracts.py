"""The contract of a tool: everything that may be promised, shown, bound or checked about it.

A contract is data with a few functions. The data is hashed as a whole, and that hash is the
contract's version: an approval is bound to it, so changing a promise voids what was agreed under
the old one.

Which functions a tool has follows from what it does:

    reads and generic tools   run(ctx, args) -> result
    transactional writes      before(ctx, args, lock=...) -> image, plan(before, args) -> image
                              (pure), apply(ctx, before, after) -> result
    other writes              before and plan for the diff, run(ctx, args) for the effect

An image is `{record kind: {record id: {field: value}}}`; an absent field is a missing key. All
functions are synchronous; the gate is their only caller and runs them where a database may be used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from jsonschema import Draft202012Validator

from agents.tools import schemas
from agents.tools.errors import (
    BadContract,
    InvalidArguments,
    InvalidResult,
    NoUndo,
    Problem,
    ScopeMissing,
    UndoDrifted,
    VersionMissing,
)
from agents.tools.phrases import Phrases
from console.kernel import canonical
from console.kernel.actors import Actor

Args: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, Any]
Image: TypeAlias = dict[str, dict[str, dict[str, Any]]]
Versions: TypeAlias = Mapping[str, Mapping[str, str]]  # {record kind: {record id: token}}

LONGEST_TIMEOUT_S: Final = 120


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"
    GENERIC = "generic"  # touches no record: arithmetic, or handing the conversation to a person


class Idempotency(StrEnum):
    TRANSACTIONAL = "transactional"  # our own database: mark, effect and result are one transaction
    NATIVE = "native"  # the target honours the key: repeat with the same one
    NONE = "none"  # nobody can know after a crash: probe, then a person


class Trust(StrEnum):
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"  # may hold text that somebody outside wrote


class UndoKind(StrEnum):
    BEFORE_IMAGE = "before_image"  # put the old values back, if nothing has moved since
    TOOL = "tool"  # another tool reverses it
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How a write is taken back; `reason` is required where it cannot be."""

    kind: UndoKind
    tool: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    attempts: int = 1  # of the call as a whole, the first one included
    on: tuple[str, ...] = ()  # error codes worth another attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    failures: int = 5
    window_s: int = 60
    open_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """For whom and as part of what a tool runs; made by the gate, never by a model."""

    actor: Actor
    scopes: frozenset[str] = frozenset()  # what the agent may do
    end_user: str = ""  # id of the customer who has been identified, or empty
    user_scopes: frozenset[str] | None = None  # what the end user may do; None: all of the agent's
    call_id: UUID | None = None
    key: str = ""  # idempotency key for a target that honours one
    # Of each record, the version that people saw: the condition of a write to a target outside. A
    # record that is not there yet has none.
    versions: Versions = field(default_factory=dict)

    @property
    def tenant_id(self) -> UUID:
        return self.actor.tenant_id


Check: TypeAlias = Callable[[Args], Problem | None]


class Before(Protocol):
    """Reads the records that a call would change, as far as an approval is bound to them."""

    def __call__(self, ctx: ToolContext, args: Args, *, lock: bool = False) -> Image:
        """With `lock` the rows stay locked until the caller's transaction ends."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One contract. Two tools are the same promise if and only if their `hash` is equal."""

    name: str
    title: str  # for screens, as in "Cancel a pending order"
    summary: str  # for the model and the manual
    headline: str  # one call in one line: a template over the arguments
    effect: Effect
    tier: int  # 0 read, 1 low-risk write, 2 high-stakes write
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    domain: str
    scopes: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()  # record kinds
    checks: tuple[Check, ...] = ()  # what JSON Schema cannot say about the arguments
    idempotency: Idempotency = Idempotency.NONE
    key_field: str = ""  # native only: the argument of the target that carries the key
    # Outside only: the field of a record that holds its version. `run` sends it with the write, and
    # raises `Drifted` where the target has another by then.
    version_field: str = ""
    timeout_s: int = 10
    interruptible: bool = True
    retry: Retry = field(default_factory=Retry)
    breaker: Breaker = field(default_factory=Breaker)
    concurrency: int = 8
    undo: Undo = field(default_factory=lambda: Undo(kind=UndoKind.NONE))
    probe: str = ""  # read tool that tells whether the effect happened
    redact: tuple[str, ...] = ()  # JSON pointers masked on screens and in logs
    # JSON pointers of text arguments that nobody sees: stored apart, a stand-in elsewhere. The
    # functions get the values; `plan` is asked with stand-ins, too, for what people see.
    sensitive: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()  # JSON pointers into the result that an answer may rest on
    output_trust: Trust = Trust.TRUSTED
    egress: tuple[str, ...] = ()  # hosts it may reach
    cache_s: int = 0  # reads only: how long a result may be reused; 0 is not at all
    resolves: str = ""  # record kind that a lookup identifies, for instance "customer"
    resolves_at: str = ""  # JSON pointer into its result, to the id of that record
    hands_off: bool = False  # success opens a hand-off to a person
    phrases: Phrases = field(default_factory=Phrases)
    behaviour: int = 1  # raise it when the functions below mean something else than before
    run: Callable[[ToolContext, Args], Result] | None = None
    before: Before | None = None
    plan: Callable[[Image, Args], Image] | None = None
    apply: Callable[[ToolContext, Image, Image], Result] | None = None

    def __post_init__(self) -> None:
        for problem in _contradictions(self):
            raise BadContract(f"{self.name}: {problem}")
        for schema in (self.input_schema, self.output_schema):
            schemas.require_closed(self.name, schema)

    @property
    def writes(self) -> bool:
        return self.effect is Effect.WRITE

    @property
    def is_ours(self) -> bool:
        """Whether its records lie in this database, so that a row lock holds them."""
        return self.idempotency is Idempotency.TRANSACTIONAL

    @cached_property
    def body(self) -> dict[str, Any]:
        """The promise as canonical JSON values; the functions stand in it as `behaviour` only."""
        return {
            "type": "signalbox/contract/1",
            **{name: getattr(self, name) for name in _PLAIN},
            "effect": self.effect.value,
            "idempotency": self.idempotency.value,
            "output_trust": self.output_trust.value,
            "input_schema": dict(self.input_schema),
            "output_schema": dict(self.output_schema),
            "checks": [check.__name__ for check in self.checks],
            "retry": {"attempts": self.retry.attempts, "on": list(self.retry.on)},
            "breaker": {
                "failures": self.breaker.failures,
                "window_s": self.breaker.window_s,
                "open_s": self.breaker.open_s,
            },
            "undo": {
                "kind": self.undo.kind.value,
                "tool": self.undo.tool,
                "reason": self.undo.reason,
            },
            "phrases": self.phrases.body(),
            # Only where there is one: what was agreed under contracts without it stays agreed.
            **({"version_field": self.version_field} if self.version_field else {}),
            **({"sensitive": self.sensitive} if self.sensitive else {}),
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical body, 64 hex characters."""
        return canonical.digest(self.body).hex()

    def validate(self, args: object) -> Args:
        """Return the arguments in canonical form, as a copy of their own.

        Raises:
            InvalidArguments: they do not fit; `problems` holds JSON pointers.
        """
        try:
            clean = canonical.loads(canonical.dumps(args))
        except canonical.NotCanonical as error:
            problem = Problem(pointer="", keyword="canonical", sentence=error.message)
            raise InvalidArguments(self.name, (problem,)) from error
        found = schemas.problems(self._input, clean)
        if not found:
            found = tuple(hit for check in self.checks if (hit := check(clean)) is not None)
        if found:
            raise InvalidArguments(self.name, found)
        return dict(clean)

    def validate_result(self, result: object) -> Result:
        """Return the result if it keeps the promise; a misfit is withheld from everybody."""
        try:
            clean = canonical.loads(canonical.dumps(result))
        except canonical.NotCanonical as error:
            problem = Problem(pointer="", keyword="canonical", sentence=error.message)
            raise InvalidResult(self.name, (problem,)) from error
        if found := schemas.problems(self._output, clean):
            raise InvalidResult(self.name, found)
        return dict(clean)

    def require_scopes(self, ctx: ToolContext) -> None:
        """Refuse unless the agent *and* the end user hold every right that the contract names."""
        held = ctx.scopes if ctx.user_scopes is None else ctx.scopes & ctx.user_scopes
        missing = sorted(set(self.scopes) - held)
        if missing:
            raise ScopeMissing(
                f"{self.name} needs the right {missing[0]}, which was not granted here; "
                "hand the matter to a person.",
                tool=self.name,
                missing=missing,
            )

    def describe(self, args: Mapping[str, Any]) -> str:
        """Return one call in one line; the values are text and never read as a template."""
        return _filled(self.headline, args)

    def versions_in(self, image: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Versions:
        """Return the version of each record that an image has.

        Raises:
            VersionMissing: a record that is there has none, so nothing could be bound to it.
        """
        if not self.version_field:
            return {}
        found: dict[str, dict[str, str]] = {}
        for kind, records in image.items():
            for name, values in records.items():
                token = values.get(self.version_field, "")
                if not isinstance(token, str) or bool(token) != bool(values):
                    raise VersionMissing(
                        f"{self.title} was given no version of the record it changes, so nothing "
                        "is changed; hand the matter to a person.",
                        tool=self.name,
                    )
                found.setdefault(kind, {})[name] = token
        return found

    def resolved_id(self, result: Mapping[str, Any]) -> str:
        """Return the id of the record that a lookup identified, or "" where it identifies none."""
        found: Any = result if self.resolves else None
        for part in self.resolves_at.split("/")[1:]:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) else ""

    def plan_undo(self, now: Image, before: Image, after: Image) -> Image:
        """Return the image that takes a call back, given what the records are now.

        Raises:
            NoUndo: the contract has none.
            UndoDrifted: somebody changed a record since.
        """
        if self.undo.kind is not UndoKind.BEFORE_IMAGE:
            raise NoUndo(f"{self.title} cannot be taken back: {self.undo.reason}", tool=self.name)
        if canonical.dumps(now) != canonical.dumps(after):
            raise UndoDrifted(
                "The records were changed after this call, so it cannot be taken back; "
                "ask for a new change instead.",
                tool=self.name,
            )
        return before

    @cached_property
    def _input(self) -> Draft202012Validator:
        return schemas.validator(self.input_schema)

    @cached_property
    def _output(self) -> Draft202012Validator:
        return schemas.validator(self.output_schema)


_PLAIN: Final = (
    "name", "title", "summary", "headline", "tier", "domain", "scopes", "touches", "key_field",
    "timeout_s", "interruptible", "concurrency", "probe", "redact", "evidence", "egress", "cache_s",
    "resolves", "resolves_at", "hands_off", "behaviour",
)  # fmt: skip


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Put each value in the place of its name, once; braces inside a value stay what they are."""
    parts: list[str] = []
    rest = template
    while rest:
        text, opened, rest = rest.partition("{")
        parts.append(text)
        if opened:
            name, _, rest = rest.partition("}")
            value = values.get(name, "")
            parts.append(", ".join(map(str, value)) if isinstance(value, list) else str(value))
    return "".join(parts)


def _contradictions(tool: Tool) -> list[str]:
    """Return what the parts of a contract say against each other, worst first."""
    rules = (
        (tool.input_schema.get("type") == "object", "the arguments have to be an object."),
        (tool.tier in (0, 1, 2), "the tier has to be 0, 1 or 2."),
        (tool.writes == (tool.tier > 0), "a write has tier 1 or 2, everything else tier 0."),
        (0 < tool.timeout_s <= LONGEST_TIMEOUT_S, "the timeout is out of bounds."),
        (tool.writes or tool.run is not None, "a read needs run."),
        (not tool.writes or bool(tool.before and tool.plan), "a write needs before and plan."),
        (not tool.writes or bool(tool.touches), "a write names the record kinds it touches."),
        (not tool.writes or _effect_fits(tool), "the effect does not fit its idempotency."),
        (not tool.version_field or _writes_outside(tool), "only a write outside sends a version."),
        (not tool.sensitive or tool.writes, "only a write hides arguments."),
        (_hides_texts(tool), "what is hidden is a text argument that the headline leaves out."),
        (_undo_fits(tool), "a write has an undo, or the reason why there is none."),
        (tool.cache_s == 0 or tool.effect is Effect.READ, "only a read can be cached."),
    )
    return [sentence for holds, sentence in rules if not holds]


def _writes_outside(tool: Tool) -> bool:
    return tool.writes and not tool.is_ours


def _hides_texts(tool: Tool) -> bool:
    for pointer in tool.sensitive:
        schema: Any = tool.input_schema
        names = pointer.split("/")[1:]
        for name in names:
            schema = schema.get("properties", {}).get(name, {})
        if schema.get("type") != "string" or f"{{{names[0]}}}" in tool.headline:
            return False
    return True


def _effect_fits(tool: Tool) -> bool:
    match tool.idempotency:
        case Idempotency.TRANSACTIONAL:
            return tool.apply is not None and tool.run is None
        case Idempotency.NATIVE:
            return tool.run is not None and bool(tool.key_field)
        case Idempotency.NONE:
            # Nobody can repeat it safely: always two people, never an automatic retry.
            return tool.run is not None and tool.tier == 2 and tool.retry.attempts == 1  # noqa: PLR2004


def _undo_fits(tool: Tool) -> bool:
    if not tool.writes:
        return tool.undo.kind is UndoKind.NONE
    match tool.undo.kind:
        case UndoKind.NONE:
            return bool(tool.undo.reason)
        case UndoKind.TOOL:
            return bool(tool.undo.tool)
        case UndoKind.BEFORE_IMAGE:
            return True
