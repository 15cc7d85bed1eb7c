"""A rule in one English sentence, so that who agrees to it need not read JSON."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from approvals.policies.composing import in_words
from approvals.policies.language import (
    Condition,
    Effect,
    Every,
    Hours,
    Inverse,
    Match,
    Op,
    Ratio,
    Require,
    Rule,
    Some,
    Test,
    Total,
    pointer,
)
from console.kernel import canonical

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OPS: Final[Mapping[Op, str]] = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.LT: "is less than",
    Op.LE: "is at most",
    Op.GT: "is more than",
    Op.GE: "is at least",
    Op.IN: "is one of",
    Op.NOT_IN: "is none of",
    Op.GLOB: "fits",
    Op.EXISTS: "is there",
    Op.ABSENT: "is not there",
    Op.LEN_GT: "is longer than",
}
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_MINUTE_S: Final = 60


def sentence_of(rule: Rule) -> str:
    """Return what a rule does, to what, and when; paths and values as they are written."""
    does = {
        Effect.ALLOW: "Lets {what} run without people",
        Effect.HOLD: "Holds {what} for people",
        Effect.DENY: "Never lets {what} run",
    }[rule.effect]
    every = "any call" if rule.effect is Effect.DENY else "every call"
    said = does.format(what=_calls(rule.match, every))
    grounds = [
        *([_test(rule.when)] if rule.when else []),
        *([_hours(rule.hours)] if rule.hours else []),
        *([_total(rule.total)] if rule.total else []),
    ]
    when = f" when {' and '.join(grounds)}" if grounds else ""
    return f"{said}{when}{_asks(rule)}."


def _calls(match: Match, every: str) -> str:
    what = f"calls of {match.tool}" if match.tool else every
    if match.agent:
        what += f" by the agent {match.agent}"
    if match.tiers:
        what += f" in tier {' or '.join(str(one) for one in sorted(match.tiers))}"
    if match.environment:
        what += f" in {match.environment}"
    if match.channel:
        what += f" that came by {match.channel}"
    return what


def _test(test: Test) -> str:
    match test:
        case Condition():
            return _condition(test)
        case Inverse():
            return f"not ({_test(test.part)})"
        case Every():
            return _joined(test.parts, " and ")
        case Some():
            return _joined(test.parts, " or ")


def _joined(parts: tuple[Test, ...], word: str) -> str:
    said = word.join(_test(part) for part in parts)
    return said if len(parts) == 1 else f"({said})"


def _condition(test: Condition) -> str:
    path = pointer(test.path)
    if isinstance(test.value, Ratio):
        return f"{path} divided by {pointer(test.value.of)} is more than {_value(test.value.limit)}"
    said = f"{path} {_OPS[test.op]}"
    return said if test.value is None else f"{said} {_value(test.value)}"


def _value(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple | list):
        return ", ".join(_value(one) for one in value)
    return value if isinstance(value, str) else canonical.dumps(value).decode()


def _hours(hours: Hours) -> str:
    days = ", ".join(_DAYS[day] for day in sorted(hours.days))
    span = f"{_clock(hours.start)} to {_clock(hours.end)}"
    return f"it is {'outside of' if hours.outside else 'within'} {days} {span} in {hours.zone}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _total(total: Total) -> str:
    by = f" with the same {', '.join(pointer(path) for path in total.by)}" if total.by else ""
    limit = f"{_OPS[total.op]} {_value(total.value)}"
    return f"{pointer(total.sum)} of all calls{by} within {_span(total.window_s)} together {limit}"


def _asks(rule: Rule) -> str:
    if rule.effect is not Effect.HOLD:
        return ""
    said = _people(rule.require)
    return f": {'; '.join(said)}" if said else " of its tier"


def _people(require: Require) -> list[str]:
    said = [in_words(block) for block in require.blocks]
    if require.decide_s:
        said.append(f"{_span(require.decide_s)} to decide")
    if require.execute_s:
        said.append(f"{_span(require.execute_s)} to run")
    if require.on_expiry:
        said.append(f"else {require.on_expiry.value}")
    return said


def _span(seconds: int) -> str:
    for unit, word in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= unit and seconds % unit == 0:
            number = seconds // unit
            return f"{number} {word if number > 1 else word[:-1]}"
    return f"{seconds} seconds"
