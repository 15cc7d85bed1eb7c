"""The words of a policy: versioned data that says which writes run, wait for people, or never run.

    {"policy": "shop-writes", "rules": [
      {"id": "refund-large", "priority": 80, "match": {"tool": "refund.*"},
       "when": {"all": [{"path": "/args/amount", "op": "gt", "value": "1000.00"}]},
       "effect": "hold",
       "require": {"all": [{"slots": [{"groups": ["finance"], "n": 1}]}], "blind": true},
       "decide": "4h", "execute": "10m", "on_expiry": "refuse"}]}

A rule applies when its match, its hours, its conditions and its total all hold. Its `effect` is
allow, hold or deny; `policies.evaluating` says what several rules come to.

A path is a JSON Pointer into /args, /before, /after, /target, /actor or /verdicts. A part `*`
stands for the only member of an object or list, because ids of records are not known beforehand.
Numbers are integers or decimals written as text and compare as decimals: "1.50" equals "1.5".

| op | holds when |
| --- | --- |
| eq, ne | the value is, or is not, the one given |
| lt, le, gt, ge | both are numbers and compare so |
| in, not_in | the value is, or is not, one of a list |
| glob | the text fits a pattern of `*` (any characters) and `?` (one character) |
| exists, absent | the path leads, or does not lead, to something other than null |
| len_gt | a text has more characters, a list or object more members |
| ratio_gt | the value divided by another one exceeds a limit |

`ratio_gt` takes {"of": path, "value": limit}: the value at `path`, divided by the value at `of`, is
greater than the limit. With a bare limit the path must lie under /after, and the same path under
/before is what it is divided by: {"path": "/after/products/*/price", "op": "ratio_gt", "value":
"1.2"} holds when a price rises by more than 20 %. Dividing by zero is an error, as is every op on a
path that leads nowhere (`exists` and `absent` apart) or on a value of the wrong kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from approvals.cards import Block, Rung
from approvals.states import OnExpiry

ROOTS: Final = ("args", "before", "after", "target", "actor", "verdicts")
ONLY: Final = "*"  # in a path: the only member
# A change of the rules themselves, of who may decide, or of another setting of the gate meets only
# rules that name its tools: else a rule about everything could not be taken back by anybody.
GOVERNED_KIND: Final = "policy_version"
PEOPLE_KIND: Final = "membership"
GATE_KIND: Final = "gate"
GOVERNED_KINDS: Final = frozenset({GOVERNED_KIND, PEOPLE_KIND, GATE_KIND})
GOVERNED_TOOLS: Final = ("policy.", "people.", "gate.")


class Effect(StrEnum):
    """What a rule asks for."""

    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


class Op(StrEnum):
    """How a condition compares; the table is in the module's docstring."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    NOT_IN = "not_in"
    GLOB = "glob"
    EXISTS = "exists"
    ABSENT = "absent"
    LEN_GT = "len_gt"
    RATIO_GT = "ratio_gt"


ORDERS: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})

Path: TypeAlias = tuple[str, ...]  # parts of a JSON Pointer, the root first


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What `ratio_gt` divides by, and the limit."""

    of: Path
    limit: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison."""

    path: Path
    op: Op
    value: Any = None  # a Decimal, a Ratio, or plain JSON, as the op wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Holds when all parts hold."""

    parts: tuple["Test", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """Holds when one part holds."""

    parts: tuple["Test", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """Holds when its part does not."""

    part: "Test"


Test: TypeAlias = Condition | Every | Some | Inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls a rule is about at all; every pattern is a glob, an empty one fits everything."""

    tool: str = ""
    agent: str = ""
    environment: str = ""
    channel: str = ""
    tiers: frozenset[int] = frozenset()  # empty: every tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The time of day on some weekdays, in a named zone; with `outside` all the rest."""

    zone: str
    days: frozenset[int]  # Monday is 0
    start: int  # minutes after midnight
    end: int  # the first minute that does not belong to it, at most 1440
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum over this call and the live or dispatched ones of a window, compared with a limit."""

    sum: Path
    by: tuple[Path, ...]  # only calls with the same values at these paths are added up
    window_s: int
    op: Op
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """What a hold asks for; None leaves it to the tier."""

    blocks: tuple[Block, ...] = ()
    blind: bool | None = None
    stepup_s: int | None = None
    deny_threshold: int | None = None
    decide_s: int | None = None
    execute_s: int | None = None
    on_expiry: OnExpiry | None = None
    ladder: tuple[Rung, ...] = ()
    batch_most: int | None = None
    standing: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a policy."""

    id: str
    effect: Effect
    priority: int = 0
    match: Match = Match()
    when: Test | None = None
    hours: Hours | None = None
    total: Total | None = None
    require: Require = Require()
    sample: str | None = None  # of an allow: the share that people look at afterwards
    turned: bool = False  # it allowed, until people disagreed with it too often
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed body. `body` is what was parsed, in canonical JSON values."""

    name: str
    rules: tuple[Rule, ...]
    body: Mapping[str, Any]


def pointer(path: Path) -> str:
    """Return a path as the JSON Pointer it was written as."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
