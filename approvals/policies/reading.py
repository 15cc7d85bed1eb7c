"""Reading a policy strictly: what is not understood is refused, with the place of the fault."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from approvals.cards import Block, Rung, Slot
from approvals.errors import PolicyInvalid
from approvals.policies.comparing import as_decimal
from approvals.policies.language import (
    GOVERNED_TOOLS,
    ORDERS,
    ROOTS,
    Condition,
    Effect,
    Every,
    Hours,
    Inverse,
    Match,
    Op,
    Path,
    Policy,
    Ratio,
    Require,
    Rule,
    Some,
    Test,
    Total,
)
from approvals.policies.requirement import ANYBODY
from approvals.states import OnExpiry
from console.kernel import canonical

MOST_RULES: Final = 200
MOST_BYTES: Final = 200_000
MOST_CONDITIONS: Final = 100  # of one rule
MOST_DEPTH: Final = 6  # of all, any and not within each other
MOST_LIST: Final = 200
MOST_TEXT: Final = 1000

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
_NOT_IN_GLOB: Final = frozenset("[]{}\\")
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT: Final = 1440
_MONTH: Final = 30 * 86_400
_TOTALS: Final = frozenset({"args", "target", "actor"})
_HOLDS: Final = frozenset(
    {"require", "decide", "execute", "on_expiry", "ladder", "batch", "standing"}
)
_RULE: Final = frozenset(
    {"id", "priority", "match", "when", "hours", "total", "effect", "sample", "note"} | _HOLDS
)


def parse(body: Any) -> Policy:
    """Return the policy that a body says, or refuse it.

    Args:
        body: JSON values; fractions as text, or as floats, which become text.

    Raises:
        PolicyInvalid: with the JSON Pointer of the fault in `details["pointer"]`.
    """
    plain = canonical.loads(body_bytes(body))
    root = _Node(plain, "").members({"policy", "rules", "note"}, {"policy", "rules"})
    rules = root["rules"].items(MOST_RULES)
    seen: set[str] = set()
    for node in rules:
        given = node.members(None, {"id"})["id"]
        if given.name() in seen:
            raise given.fault(f"the id {given.shown} is there twice; give each rule its own")
        seen.add(given.name())
    if "note" in root:
        root["note"].text()
    return Policy(name=root["policy"].name(), rules=tuple(map(_rule, rules)), body=plain)


@lru_cache(maxsize=256)
def parsed(body: bytes) -> Policy:
    """Return the policy of a stored version; the same bytes are read once."""
    return parse(canonical.loads(body))


def conditions(body: Any) -> tuple[Condition, ...]:
    """Return conditions that stand outside of a rule: a list of {path, op, value}.

    Raises:
        PolicyInvalid: with the JSON Pointer of the fault in `details["pointer"]`.
    """
    node = _Node(canonical.loads(body_bytes(body)), "")
    return tuple(map(_condition, node.items(MOST_CONDITIONS)))


def body_bytes(body: Any) -> bytes:
    """Return the canonical bytes of a body; its digest is their SHA-256.

    Raises:
        PolicyInvalid: it has none, or too many.
    """
    try:
        found = canonical.dumps(_without_floats(body))
    except (canonical.NotCanonical, RecursionError) as error:
        said = getattr(error, "message", "It is nested too deep.")
        raise PolicyInvalid(f"The policy cannot be read: {said}", pointer="") from error
    if len(found) > MOST_BYTES:
        raise PolicyInvalid(
            f"The policy is longer than {MOST_BYTES} bytes; split it into two policies.", pointer=""
        )
    return found


def body_digest(body: Any) -> bytes:
    """Return the 32 bytes that name a body."""
    return sha256(body_bytes(body)).digest()


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        found = Decimal(repr(value))
        return f"{found:f}" if found.is_finite() else repr(value)
    if isinstance(value, Mapping):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_floats(item) for item in value]
    return value


# -- one value and where it stands ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    value: Any
    at: str

    @property
    def shown(self) -> str:
        text = str(self.value)
        return f'"{text[:40]}"'

    def fault(self, said: str) -> PolicyInvalid:
        return PolicyInvalid(f"{self.at or '/'}: {said}.", pointer=self.at)

    def members(self, allowed: set[str] | frozenset[str] | None, needed: set[str]) -> "_Members":
        if not isinstance(self.value, Mapping):
            raise self.fault("this has to be an object")
        unknown = sorted(set(self.value) - allowed) if allowed is not None else []
        if unknown:
            known = ", ".join(sorted(allowed or ()))
            raise self._child(unknown[0]).fault(f"this key is not known; use {known}")
        missing = sorted(needed - set(self.value))
        if missing:
            raise self.fault(f"{missing[0]} is missing; add it")
        return {key: self._child(key) for key in self.value}

    def items(self, most: int) -> "list[_Node]":
        if not isinstance(self.value, list) or not 1 <= len(self.value) <= most:
            raise self.fault(f"this has to be a list of 1 to {most}")
        return [_Node(item, f"{self.at}/{index}") for index, item in enumerate(self.value)]

    def _child(self, key: str) -> "_Node":
        part = key.replace("~", "~0").replace("/", "~1")[:60]
        return _Node(self.value.get(key), f"{self.at}/{part}")

    def text(self, most: int = MOST_TEXT) -> str:
        if not isinstance(self.value, str) or len(self.value) > most:
            raise self.fault(f"this has to be text of at most {most} characters")
        return self.value

    def name(self) -> str:
        if not isinstance(self.value, str) or not _NAME.fullmatch(self.value):
            raise self.fault(
                f"{self.shown} is no name; use small letters, digits, dots and hyphens"
            )
        return self.value

    def group(self) -> str:
        found = self.value
        if not isinstance(found, str) or not (found == ANYBODY or _SLUG.fullmatch(found)):
            raise self.fault(f"{self.shown} is no review group; use its short name, or *")
        return found

    def whole(self, least: int, most: int) -> int:
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.fault(f"this has to be a whole number from {least} to {most}")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fault("this has to be true or false")
        return self.value

    def decimal(self) -> Decimal:
        found = as_decimal(self.value)
        if found is None:
            raise self.fault(f"{self.shown} is no decimal; write for instance 1000.00 as text")
        return found

    def share(self) -> str:
        """Return a number from 0 to 1 with at most four places, in its shortest form."""
        found = self.decimal()
        if not 0 <= found <= 1 or found != found.quantize(Decimal("0.0001")):
            raise self.fault("this has to be a share from 0 to 1 with at most four places")
        return f"{found.normalize():f}"

    def duration(self, most: int = _MONTH) -> int:
        found = _DURATION.fullmatch(self.value) if isinstance(self.value, str) else None
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not 1 <= seconds <= most:
            days = most // 86_400
            raise self.fault(
                f"{self.shown} is no duration up to {days}d; write for instance 30m or 4h"
            )
        return seconds

    def glob(self) -> str:
        found = self.text(200)
        if not found or _NOT_IN_GLOB & set(found) or "**" in found:
            raise self.fault(f"{self.shown} is no pattern; only single * and ? are special")
        return found

    def path(self, roots: frozenset[str] = frozenset(ROOTS)) -> Path:
        found = self.text(400)
        parts = found.split("/")
        if parts[0] or len(parts) < 2 or re.search("~(?![01])", found):  # noqa: PLR2004
            raise self.fault(f"{self.shown} is no JSON Pointer; write for instance /args/amount")
        if parts[1] not in roots:
            raise self.fault(f"a path starts with one of /{', /'.join(sorted(roots))}")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts[1:])

    def word(self, words: "type[Op | Effect | OnExpiry]") -> Any:
        try:
            return words(self.value)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise self.fault(f"{self.shown} is not known; use one of {known}") from None

    def scalar(self) -> Any:
        if isinstance(self.value, list | dict):
            raise self.fault("this has to be text, a number, true, false or null")
        return self.text() if isinstance(self.value, str) else self.value


_Members = dict[str, _Node]


# -- rules ---------------------------------------------------------------------------------------


def _rule(node: _Node) -> Rule:
    parts = node.members(_RULE, {"id", "effect"})
    effect = parts["effect"].word(Effect)
    wrong = sorted(_HOLDS & set(parts)) if effect is not Effect.HOLD else []
    if "sample" in parts and effect is not Effect.ALLOW:
        wrong.append("sample")
    if wrong:
        raise parts[wrong[0]].fault(f"a rule that says {effect} has no {wrong[0]}")
    match = _match(parts["match"]) if "match" in parts else Match()
    if effect is Effect.DENY and match.tool.startswith(GOVERNED_TOOLS):
        raise parts["match"].fault("a change of the rules is never denied, or this one would stay")
    return Rule(
        id=parts["id"].name(),
        effect=effect,
        priority=parts["priority"].whole(0, 1000) if "priority" in parts else 0,
        match=match,
        when=_when(parts["when"]) if "when" in parts else None,
        hours=_hours(parts["hours"]) if "hours" in parts else None,
        total=_total(parts["total"]) if "total" in parts else None,
        require=_require(parts),
        sample=parts["sample"].share() if "sample" in parts else None,
        note=parts["note"].text() if "note" in parts else "",
    )


def _match(node: _Node) -> Match:
    words = ("tool", "agent", "environment", "channel")
    parts = node.members({*words, "tier"}, set())
    tiers: list[_Node] = []
    if "tier" in parts:
        tiers = parts["tier"].items(3) if isinstance(parts["tier"].value, list) else [parts["tier"]]
    return Match(
        **{word: parts[word].glob() for word in words if word in parts},
        tiers=frozenset(tier.whole(0, 2) for tier in tiers),
    )


def _when(node: _Node) -> Test:
    left = [MOST_CONDITIONS]

    def read(node: _Node, depth: int) -> Test:
        left[0] -= 1
        if depth > MOST_DEPTH or left[0] < 0:
            raise node.fault(
                f"a rule has at most {MOST_CONDITIONS} conditions, {MOST_DEPTH} levels deep"
            )
        parts = node.members({"all", "any", "not", "path", "op", "value"}, set())
        if "path" in parts or "op" in parts:
            return _condition(node)
        if len(parts) != 1:
            raise node.fault("this has to be one of all, any, not, or a condition with path and op")
        if "not" in parts:
            return Inverse(part=read(parts["not"], depth + 1))
        word = "all" if "all" in parts else "any"
        if word not in parts:
            raise node.fault("a condition needs path and op")
        several = tuple(read(one, depth + 1) for one in parts[word].items(MOST_CONDITIONS))
        return Every(parts=several) if word == "all" else Some(parts=several)

    return read(node, 1)


def _condition(node: _Node) -> Condition:
    parts = node.members({"path", "op", "value"}, {"path", "op"})
    path, op = parts["path"].path(), parts["op"].word(Op)
    if op in (Op.EXISTS, Op.ABSENT):
        if "value" in parts:
            raise parts["value"].fault(f"{op} takes no value")
        return Condition(path=path, op=op)
    if "value" not in parts:
        raise node.fault(f"{op} needs a value; add it")
    value = _ratio(parts["value"], path) if op is Op.RATIO_GT else _VALUES[op](parts["value"])
    return Condition(path=path, op=op, value=value)


def _ratio(node: _Node, path: Path) -> Ratio:
    if isinstance(node.value, Mapping):
        parts = node.members({"of", "value"}, {"of", "value"})
        return Ratio(of=parts["of"].path(), limit=parts["value"].decimal())
    limit = node.decimal()
    if path[0] != "after":
        raise node.fault("a bare limit compares /after with /before; name what to divide by as of")
    return Ratio(of=("before", *path[1:]), limit=limit)


_VALUES: Final[Mapping[Op, Callable[[_Node], Any]]] = {
    Op.EQ: _Node.scalar,
    Op.NE: _Node.scalar,
    **dict.fromkeys(ORDERS, _Node.decimal),
    Op.IN: lambda node: tuple(one.scalar() for one in node.items(MOST_LIST)),
    Op.NOT_IN: lambda node: tuple(one.scalar() for one in node.items(MOST_LIST)),
    Op.GLOB: _Node.glob,
    Op.LEN_GT: lambda node: node.whole(0, 10**9),
}


def _hours(node: _Node) -> Hours:
    parts = node.members({"zone", "days", "from", "to", "outside"}, {"zone", "days", "from", "to"})
    start, end = _minutes(parts["from"]), _minutes(parts["to"])
    if not start < end <= _MIDNIGHT:
        raise parts["to"].fault("this has to be later than from, and at most 24:00")
    zone = parts["zone"].text(60)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise parts["zone"].fault(
            f"{parts['zone'].shown} is no time zone; write for instance Europe/Berlin"
        ) from None
    return Hours(
        zone=zone,
        days=frozenset(map(_day, parts["days"].items(7))),
        start=start,
        end=end,
        outside=parts["outside"].flag() if "outside" in parts else False,
    )


def _minutes(node: _Node) -> int:
    found = _CLOCK.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None:
        raise node.fault(f"{node.shown} is no time of day; write for instance 08:00")
    return int(found[1]) * 60 + int(found[2])


def _day(node: _Node) -> int:
    if node.value not in _DAYS:
        raise node.fault(f"{node.shown} is no weekday; use {', '.join(_DAYS)}")
    return _DAYS.index(node.value)


def _total(node: _Node) -> Total:
    parts = node.members({"sum", "by", "window", "op", "value"}, {"sum", "window", "op", "value"})
    op = parts["op"].word(Op)
    if op not in ORDERS:
        raise parts["op"].fault("a total compares with lt, le, gt or ge")
    by = parts["by"].items(5) if "by" in parts else []
    return Total(
        sum=_fixed(parts["sum"]),
        by=tuple(map(_fixed, by)),
        window_s=parts["window"].duration(),
        op=op,
        value=parts["value"].decimal(),
    )


def _fixed(node: _Node) -> Path:
    """Return a path that leads to the same place in every call, for the database to follow."""
    found = node.path(_TOTALS)
    if len(found) == 1 or "*" in found:
        raise node.fault("a total needs a path to one value, without *")
    return found


# -- what a hold asks for ------------------------------------------------------------------------


def _require(rule: _Members) -> Require:
    words = {"all", "blind", "stepup_s", "deny_threshold"}
    parts = rule["require"].members(words, set()) if "require" in rule else {}
    return Require(
        blocks=tuple(map(_block, parts["all"].items(8))) if "all" in parts else (),
        blind=parts["blind"].flag() if "blind" in parts else None,
        stepup_s=parts["stepup_s"].whole(0, 3600) if "stepup_s" in parts else None,
        deny_threshold=parts["deny_threshold"].whole(1, 10) if "deny_threshold" in parts else None,
        decide_s=rule["decide"].duration() if "decide" in rule else None,
        execute_s=rule["execute"].duration() if "execute" in rule else None,
        on_expiry=rule["on_expiry"].word(OnExpiry) if "on_expiry" in rule else None,
        ladder=_ladder(rule["ladder"]) if "ladder" in rule else (),
        batch_most=rule["batch"].whole(0, 25) if "batch" in rule else None,
        standing=rule["standing"].flag() if "standing" in rule else None,
    )


def _block(node: _Node) -> Block:
    parts = node.members({"slots", "any", "spread"}, set())
    if len(parts) != 1:
        raise node.fault("a block is one of slots, any or spread")
    if "spread" in parts:
        return Block(spread=parts["spread"].whole(1, 10))
    if "slots" in parts:
        return Block(slots=_slots(parts["slots"]))
    lists = [one.members({"slots"}, {"slots"})["slots"] for one in parts["any"].items(8)]
    return Block(any_of=tuple(map(_slots, lists)))


def _slots(node: _Node) -> tuple[Slot, ...]:
    return tuple(map(_slot, node.items(8)))


def _slot(node: _Node) -> Slot:
    parts = node.members({"groups", "n"}, {"groups"})
    groups = tuple(one.group() for one in parts["groups"].items(20))
    return Slot(groups=groups, n=parts["n"].whole(1, 10) if "n" in parts else 1)


def _ladder(node: _Node) -> tuple[Rung, ...]:
    found = tuple(map(_rung, node.items(8)))
    return tuple(sorted(found, key=lambda rung: (Decimal(rung.at), rung.act)))


def _rung(node: _Node) -> Rung:
    parts = node.members({"at", "remind", "widen"}, {"at"})
    at = parts["at"].share()
    if at in ("0", "1"):
        raise parts["at"].fault("this has to lie between 0 and 1")
    if ("remind" in parts) == ("widen" in parts):
        raise node.fault("a rung either reminds or widens")
    if "widen" in parts:
        groups = tuple(one.group() for one in parts["widen"].items(20))
        return Rung(at=at, act="widen", groups=groups)
    if not parts["remind"].flag():
        raise parts["remind"].fault("this has to be true, or left out")
    return Rung(at=at, act="remind")
