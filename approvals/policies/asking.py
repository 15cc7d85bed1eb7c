"""One rule, asked about one call: true, false or unclear, with everything that was looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from approvals.policies.comparing import (
    Truth,
    Unclear,
    answer,
    as_decimal,
    every,
    fits,
    found_at,
    inverse,
    ordered,
    some,
    truth,
)
from approvals.policies.language import (
    GOVERNED_TOOLS,
    ONLY,
    Condition,
    Effect,
    Every,
    Hours,
    Inverse,
    Match,
    Path,
    Policy,
    Ratio,
    Rule,
    Some,
    Test,
    Total,
    pointer,
)
from console.kernel import canonical

MASK: Final = "\u2022\u2022\u2022"  # stands for a value that is not shown
_MOST_SHOWN: Final = 200
_EXACT: Final = 200  # digits

Sums: TypeAlias = Mapping[str, Decimal | None]  # by "policy/rule"; None: it could not be added up


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One call as the gate knows it; nothing here is a model's word about itself."""

    tool: str
    tier: int
    agent: str
    at: datetime
    args: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    target: Mapping[str, Any]
    actor: Mapping[str, Any]
    verdicts: Mapping[str, str]  # guardrail to allow, redact, hold or block
    environment: str = ""
    channel: str = ""
    known: bool = True  # whether there is such a tool
    governs: bool = False  # whether it changes the rules themselves
    sensitive: tuple[str, ...] = ()  # JSON Pointers whose values no trace shows

    def roots(self) -> Mapping[str, Any]:
        """Return what paths lead into."""
        return {
            "args": self.args,
            "before": self.before,
            "after": self.after,
            "target": self.target,
            "actor": self.actor,
            "verdicts": self.verdicts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A policy with the version it is of."""

    version: UUID
    policy: Policy

    def name(self, rule: Rule) -> str:
        """Return how a rule is named outside of its policy."""
        return f"{self.policy.name}/{rule.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A rule with its answer."""

    of: Active
    rule: Rule
    applies: Truth
    line: Mapping[str, Any]  # of the trace

    @property
    def name(self) -> str:
        return self.of.name(self.rule)

    @property
    def counts(self) -> bool:
        """Return whether it takes part: what is unclear does, except in an allow."""
        if self.applies is Truth.ERROR:
            return self.rule.effect is not Effect.ALLOW
        return self.applies is Truth.TRUE


def ask(of: Active, rule: Rule, facts: Facts, sums: Sums) -> Asked:
    """Ask every part of a rule, so that the trace is complete."""
    line: dict[str, Any] = {
        "policy": of.policy.name,
        "rule": rule.id,
        "effect": rule.effect.value,
        "priority": rule.priority,
        "match": matches(rule.match, facts),
    }
    if rule.turned:
        line["turned"] = True
    parts = [truth(line["match"])]
    if line["match"]:
        if rule.hours is not None:
            parts.append(in_hours(rule.hours, facts.at))
            line["hours"] = parts[-1].value
        if rule.when is not None:
            said, line["when"] = _test(rule.when, facts)
            parts.append(said)
        if rule.total is not None:
            said, line["total"] = _total(rule.total, facts, sums.get(of.name(rule)))
            parts.append(said)
    found = Asked(of=of, rule=rule, applies=every(parts), line=line)
    line["result"] = found.applies.value
    line["counts"] = found.counts
    return found


def holds(test: Test, facts: Facts) -> Truth:
    """Return the answer to conditions that stand outside of a rule."""
    return _test(test, facts)[0]


def matches(match: Match, facts: Facts) -> bool:
    """Say whether a rule is about this call at all."""
    if facts.governs and not match.tool.startswith(GOVERNED_TOOLS):
        return False
    patterns = (
        (match.tool, facts.tool),
        (match.agent, facts.agent),
        (match.environment, facts.environment),
        (match.channel, facts.channel),
    )
    return (not match.tiers or facts.tier in match.tiers) and all(
        not pattern or fits(pattern, text) for pattern, text in patterns
    )


def values_by(total: Total, facts: Facts) -> tuple[Any, ...] | None:
    """Return the values that a total adds up by, or None if this call lacks one."""
    try:
        return tuple(found_at(facts.roots(), path) for path in total.by)
    except Unclear:
        return None


def in_hours(hours: Hours, at: datetime) -> Truth:
    try:
        local = at.astimezone(ZoneInfo(hours.zone))
    except (KeyError, ValueError, OSError):  # the zone is not on this machine
        return Truth.ERROR
    minute = local.hour * 60 + local.minute
    inside = local.weekday() in hours.days and hours.start <= minute < hours.end
    return truth(inside != hours.outside)


def _test(test: Test, facts: Facts) -> tuple[Truth, dict[str, Any]]:
    match test:
        case Condition():
            return _condition(test, facts)
        case Inverse():
            said, line = _test(test.part, facts)
            answered = inverse(said)
            return answered, {"not": line, "result": answered.value}
        case Every() | Some():
            word, rule = ("all", every) if isinstance(test, Every) else ("any", some)
            asked = [_test(part, facts) for part in test.parts]
            answered = rule(said for said, _ in asked)
            return answered, {word: [line for _, line in asked], "result": answered.value}


def _condition(test: Condition, facts: Facts) -> tuple[Truth, dict[str, Any]]:
    line: dict[str, Any] = {"path": pointer(test.path), "op": test.op.value}
    if test.value is not None:
        line["value"] = _given(test.value)
    try:
        said, value = answer(test, facts.roots())
    except Unclear as unclear:
        return Truth.ERROR, {**line, "result": Truth.ERROR.value, "why": unclear.why}
    looked = [test.path, test.value.of] if isinstance(test.value, Ratio) else [test.path]
    line["found"] = MASK if _hidden(looked, facts) else _shown(value)
    return said, {**line, "result": said.value}


def _total(total: Total, facts: Facts, others: Decimal | None) -> tuple[Truth, dict[str, Any]]:
    line: dict[str, Any] = {
        "sum": pointer(total.sum),
        "by": [pointer(path) for path in total.by],
        "window_s": total.window_s,
        "op": total.op.value,
        "value": _given(total.value),
    }
    try:
        whole = added_up(total, facts.roots(), others)
    except Unclear as unclear:
        return Truth.ERROR, {**line, "result": Truth.ERROR.value, "why": unclear.why}
    said = truth(ordered(total.op, whole, total.value))
    line["found"] = MASK if _hidden([total.sum], facts) else _given(whole)
    return said, {**line, "result": said.value}


def added_up(total: Total, roots: Mapping[str, Any], others: Decimal | None) -> Decimal:
    """Return the sum over this call and the others.

    Raises:
        Unclear: one of them has no number there.
    """
    try:
        own = as_decimal(found_at(roots, total.sum))
    except Unclear:
        own = None
    if own is None:
        raise Unclear("this call has no number there")
    if others is None:
        raise Unclear("other calls have no number there")
    return exact_sum(others, own)


def exact_sum(left: Decimal, right: Decimal) -> Decimal:
    """Return the sum without the rounding that decimals do at 28 digits."""
    with localcontext(prec=_EXACT):
        return left + right


def _hidden(paths: Iterable[Path], facts: Facts) -> bool:
    """Say whether a value at, above or below a sensitive path is looked at."""
    hidden = [tuple(one.split("/")[1:]) for one in facts.sensitive]
    return any(_meet(looked, one) for looked in paths for one in hidden)


def _meet(one: Path, other: Path) -> bool:
    return all(a == b or ONLY in (a, b) for a, b in zip(one, other, strict=False))


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    text = value if isinstance(value, str) else canonical.dumps(value).decode()
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}\u2026"


def _given(value: Any) -> Any:
    """Return what a rule compares with as JSON."""
    match value:
        case Decimal():
            return f"{value:f}"
        case Ratio():
            return {"of": pointer(value.of), "value": f"{value.limit:f}"}
        case tuple():
            return list(value)
        case _:
            return value
