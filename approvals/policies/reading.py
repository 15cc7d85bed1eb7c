"""Reading a policy strictly: what is not understood is refused, with the place of the fault."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from approvals.errors import PolicyInvalid
from approvals.policies.language import (
    GOVERNED_TOOLS,
    ORDERS,
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
    Rule,
    Some,
    Test,
    Total,
)
from approvals.policies.nodes import Node
from approvals.policies.requiring import HOLDS, require
from console.kernel import canonical

MOST_RULES: Final = 200
MOST_BYTES: Final = 200_000
MOST_CONDITIONS: Final = 100  # of one rule
MOST_DEPTH: Final = 6  # of all, any and not within each other
MOST_LIST: Final = 200

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT: Final = 1440
_TOTALS: Final = frozenset({"args", "target", "actor"})
_RULE: Final = frozenset(
    {"id", "priority", "match", "when", "hours", "total", "effect", "sample", "note"} | HOLDS
)


def parse(body: Any) -> Policy:
    """Return the policy that a body says, or refuse it.

    Args:
        body: JSON values; fractions as text, or as floats, which become text.

    Raises:
        PolicyInvalid: with the JSON Pointer of the fault in `details["pointer"]`.
    """
    plain = canonical.loads(body_bytes(body))
    root = Node(plain, "").members({"policy", "rules", "note"}, {"policy", "rules"})
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
    node = Node(canonical.loads(body_bytes(body)), "")
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


# -- rules ---------------------------------------------------------------------------------------


def _rule(node: Node) -> Rule:
    parts = node.members(_RULE, {"id", "effect"})
    effect = parts["effect"].word(Effect)
    wrong = sorted(HOLDS & set(parts)) if effect is not Effect.HOLD else []
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
        require=require(parts),
        sample=parts["sample"].share() if "sample" in parts else None,
        note=parts["note"].text() if "note" in parts else "",
    )


def _match(node: Node) -> Match:
    words = ("tool", "agent", "environment", "channel")
    parts = node.members({*words, "tier"}, set())
    tiers: list[Node] = []
    if "tier" in parts:
        tiers = parts["tier"].items(3) if isinstance(parts["tier"].value, list) else [parts["tier"]]
    return Match(
        **{word: parts[word].glob() for word in words if word in parts},
        tiers=frozenset(tier.whole(0, 2) for tier in tiers),
    )


def _when(node: Node) -> Test:
    left = [MOST_CONDITIONS]

    def read(node: Node, depth: int) -> Test:
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


def _condition(node: Node) -> Condition:
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


def _ratio(node: Node, path: Path) -> Ratio:
    if isinstance(node.value, Mapping):
        parts = node.members({"of", "value"}, {"of", "value"})
        return Ratio(of=parts["of"].path(), limit=parts["value"].decimal())
    limit = node.decimal()
    if path[0] != "after":
        raise node.fault("a bare limit compares /after with /before; name what to divide by as of")
    return Ratio(of=("before", *path[1:]), limit=limit)


_VALUES: Final[Mapping[Op, Callable[[Node], Any]]] = {
    Op.EQ: Node.scalar,
    Op.NE: Node.scalar,
    **dict.fromkeys(ORDERS, Node.decimal),
    Op.IN: lambda node: tuple(one.scalar() for one in node.items(MOST_LIST)),
    Op.NOT_IN: lambda node: tuple(one.scalar() for one in node.items(MOST_LIST)),
    Op.GLOB: Node.glob,
    Op.LEN_GT: lambda node: node.whole(0, 10**9),
}


def _hours(node: Node) -> Hours:
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


def _minutes(node: Node) -> int:
    found = _CLOCK.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None:
        raise node.fault(f"{node.shown} is no time of day; write for instance 08:00")
    return int(found[1]) * 60 + int(found[2])


def _day(node: Node) -> int:
    if node.value not in _DAYS:
        raise node.fault(f"{node.shown} is no weekday; use {', '.join(_DAYS)}")
    return _DAYS.index(node.value)


def _total(node: Node) -> Total:
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


def _fixed(node: Node) -> Path:
    """Return a path that leads to the same place in every call, for the database to follow."""
    found = node.path(_TOTALS)
    if len(found) == 1 or "*" in found:
        raise node.fault("a total needs a path to one value, without *")
    return found
