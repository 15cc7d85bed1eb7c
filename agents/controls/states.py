"""The words of the switches: scopes, categories, enforcement points, and what a page may claim."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ScopeKind(StrEnum):
    """What a switch stops; everything else runs on."""

    TENANT = "tenant"
    AGENT = "agent"
    TOOL = "tool"
    RUN = "run"  # the root run, so its children fall with it


class Category(StrEnum):
    """How hard a switch stops, after ISO 13850; the board offers `controlled`."""

    HOLD = "hold"  # pause at the next checkpoint
    CONTROLLED = "controlled"  # no new effect, the current call may end
    SEVER = "sever"  # cut now
    QUARANTINE = "quarantine"  # reads only


class RunsThen(StrEnum):
    """What becomes of runs in scope."""

    PARK = "park"
    END = "end"


class Progress(StrEnum):
    """What is known of a stop. Nothing says "stopped" before `confirmed`."""

    ORDERED = "ordered"  # committed
    CONFIRMED = "confirmed"  # no older guarded work is left and every live process knows
    PARTIAL = "partial"  # 5 seconds passed and somebody is missing; they are named
    RELEASED = "released"


class Point(StrEnum):
    """Where `permitted` is asked; a new path to a model, tool or customer needs one."""

    INTAKE = "intake"
    RUN_ADMIT = "run.admit"
    STEP_CLAIM = "step.claim"
    MODEL_CALL = "model.call"
    MODEL_STREAM = "model.stream"
    TOOL_CALL = "tool.call"
    PROPOSAL_OPEN = "proposal.open"
    PROPOSAL_DISPATCH = "proposal.dispatch"
    MESSAGE_SEND = "message.send"


# The scopes that can match at a point. A field that a point does not declare cannot match there; a
# declared field that is left empty is refused, because a stop that cannot be looked up might
# apply.
DECLARED: Final[Mapping[Point, frozenset[ScopeKind]]] = {
    Point.INTAKE: frozenset({ScopeKind.TENANT, ScopeKind.AGENT}),
    Point.RUN_ADMIT: frozenset({ScopeKind.TENANT, ScopeKind.AGENT, ScopeKind.RUN}),
    Point.STEP_CLAIM: frozenset({ScopeKind.TENANT, ScopeKind.AGENT, ScopeKind.RUN}),
    Point.MODEL_CALL: frozenset({ScopeKind.TENANT, ScopeKind.AGENT, ScopeKind.RUN}),
    Point.MODEL_STREAM: frozenset({ScopeKind.TENANT, ScopeKind.AGENT, ScopeKind.RUN}),
    Point.TOOL_CALL: frozenset(ScopeKind),
    Point.PROPOSAL_OPEN: frozenset(ScopeKind),
    Point.PROPOSAL_DISPATCH: frozenset(ScopeKind),
    Point.MESSAGE_SEND: frozenset({ScopeKind.TENANT, ScopeKind.AGENT, ScopeKind.RUN}),
}

STRICTNESS: Final[tuple[Category, ...]] = (
    Category.QUARANTINE,
    Category.HOLD,
    Category.CONTROLLED,
    Category.SEVER,
)

# One lock for the whole installation: guarded transactions share it, a stop takes it alone. The
# number is the first eight bytes of SHA-256("signalbox stop"), as a signed integer.
STOP_LOCK: Final = 1756590449127077312
EPOCH_ROW: Final = 1

CONFIRM_WITHIN_S: Final = 5  # then a stop that is not confirmed is partial
SILENT_AFTER_S: Final = 10  # a process unseen for so long is unreachable, and still named
FORGOTTEN_AFTER_S: Final = 60  # its leases (30 s) ran out long ago: it no longer counts
STREAM_DRAIN_S: Final = 30  # a controlled stop lets a running stream end for so long
REASON_LENGTH: Final = 400
VALUE_LENGTH: Final = 120
