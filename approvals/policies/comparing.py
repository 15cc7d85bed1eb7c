"""Values that a policy compares: paths into the facts, decimals, patterns, the three answers."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from approvals.policies.language import ONLY, Condition, Op, Path, Ratio, pointer
from approvals.policies.sealed import sealed_in

_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,18})?", re.ASCII)
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class Truth(StrEnum):
    """What became of a condition."""

    TRUE = "true"
    FALSE = "false"
    ERROR = "error"  # it could not be asked; never taken for a no where that would let a write run


class Unclear(Exception):
    """A condition cannot be answered: an answer of its own, not a failure of ours."""

    def __init__(self, why: str, *, settles: bool = False) -> None:
        super().__init__(why)
        self.why = why
        # Something is there: a `*` had more than one member to stand for, or it is hidden.
        self.settles = settles


def truth(holds: bool) -> Truth:  # noqa: FBT001 - turns one kind of truth into the other
    return Truth.TRUE if holds else Truth.FALSE


def every(answers: Iterable[Truth]) -> Truth:
    """Return false if one is false, else an error if one is an error, else true."""
    found = set(answers)
    if Truth.FALSE in found:
        return Truth.FALSE
    return Truth.ERROR if Truth.ERROR in found else Truth.TRUE


def some(answers: Iterable[Truth]) -> Truth:
    """Return true if one is true, else an error if one is an error, else false."""
    found = set(answers)
    if Truth.TRUE in found:
        return Truth.TRUE
    return Truth.ERROR if Truth.ERROR in found else Truth.FALSE


def inverse(answer: Truth) -> Truth:
    """Return the other answer; an error stays one."""
    return answer if answer is Truth.ERROR else truth(answer is Truth.FALSE)


def as_decimal(value: Any) -> Decimal | None:
    """Return an integer or a plain decimal text as a number; None if it is neither.

    At most 30 digits before the point and 18 after it, no exponent, no leading zeros.
    """
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return None
    return Decimal(text)


def found_at(facts: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path.

    Raises:
        Unclear: the path leads nowhere, to what a contract hides, or `*` has not exactly one member
            to stand for.
    """
    value: Any = facts
    for part in path:
        value = _member(value, part, path)
    if next(sealed_in(value), None) is not None:
        raise Unclear(f"{pointer(path)} is hidden by the contract", settles=True)
    return value


def _member(value: Any, part: str, path: Path) -> Any:
    if isinstance(value, Mapping):
        if part in value:
            return value[part]
        members = list(value.values())
    elif isinstance(value, list | tuple):
        if _INDEX.fullmatch(part) and int(part) < len(value):
            return value[int(part)]
        members = list(value)
    else:
        raise Unclear(f"{pointer(path)} leads nowhere")
    if part == ONLY and len(members) == 1:
        return members[0]
    if part == ONLY and members:
        raise Unclear(f"{pointer(path)} leads to {len(members)} members", settles=True)
    raise Unclear(f"{pointer(path)} leads nowhere")


def fits(pattern: str, text: str) -> bool:
    """Say whether a text fits a pattern of `*` and `?`, in time proportional to both lengths."""
    at = seen = 0
    star = mark = -1
    while seen < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, seen
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[seen]):
            at += 1
            seen += 1
        elif star >= 0:
            mark += 1
            at, seen = star + 1, mark
        else:
            return False
    return set(pattern[at:]) <= {"*"}


def answer(condition: Condition, facts: Mapping[str, Any]) -> tuple[Truth, Any]:
    """Return whether a condition holds, and the value that was looked at.

    Raises:
        Unclear: it cannot be said.
    """
    if condition.op in (Op.EXISTS, Op.ABSENT):
        return _existence(condition, facts)
    value = found_at(facts, condition.path)
    if condition.op is Op.RATIO_GT:
        return truth(_ratio(value, condition.value, facts)), value
    return truth(_holds(condition.op, value, condition.value)), value


def _existence(condition: Condition, facts: Mapping[str, Any]) -> tuple[Truth, Any]:
    try:
        value = found_at(facts, condition.path)
    except Unclear as unclear:
        if unclear.settles:
            raise
        value = None
    return truth((value is not None) == (condition.op is Op.EXISTS)), value


def _holds(op: Op, value: Any, given: Any) -> bool:
    match op:
        case Op.EQ | Op.NE:
            return same(value, given) == (op is Op.EQ)
        case Op.IN | Op.NOT_IN:
            return any(same(value, one) for one in given) == (op is Op.IN)
        case Op.GLOB:
            if not isinstance(value, str):
                raise Unclear("the value is no text")
            return fits(given, value)
        case Op.LEN_GT:
            if not isinstance(value, str | list | tuple | Mapping):
                raise Unclear("the value has no length")
            return len(value) > int(given)
        case _:
            return ordered(op, _number(value), given)


def ordered(op: Op, left: Decimal, right: Decimal) -> bool:
    """Compare two numbers by lt, le, gt or ge."""
    match op:
        case Op.LT:
            return left < right
        case Op.LE:
            return left <= right
        case Op.GT:
            return left > right
        case Op.GE:
            return left >= right
        case _:
            raise Unclear(f"{op} does not order numbers")


def same(left: Any, right: Any) -> bool:
    """Say whether two JSON values are equal; numbers are compared as decimals."""
    numbers = as_decimal(left), as_decimal(right)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return type(left) is type(right) and bool(left == right)


def _ratio(value: Any, ratio: Ratio, facts: Mapping[str, Any]) -> bool:
    base = _number(found_at(facts, ratio.of))
    if base == 0:
        raise Unclear(f"{pointer(ratio.of)} is zero")
    return Fraction(_number(value)) / Fraction(base) > Fraction(ratio.limit)


def _number(value: Any) -> Decimal:
    found = as_decimal(value)
    if found is None:
        raise Unclear("the value is no number")
    return found
