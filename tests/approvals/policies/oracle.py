"""The rules by another road: on the raw body, by trying everything. It shares no code with them.

An unclear condition is taken to be true and false in turn; where that changes the answer, the
answer is unclear.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any

MISSING = object()
NUMBER = re.compile(r"-?(0|[1-9]\d{0,29})(\.\d{1,18})?")


def number(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return Fraction(str(value)) if NUMBER.fullmatch(str(value)) else None


def at(facts: Mapping[str, Any], path: str) -> Any:
    here: Any = facts
    for part in path.split("/")[1:]:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        elif part == "*" and isinstance(here, dict | list) and len(here) == 1:
            here = next(iter(here.values())) if isinstance(here, dict) else here[0]
        else:
            return MISSING
    return here


def equal(left: Any, right: Any) -> bool:
    if number(left) is not None and number(right) is not None:
        return number(left) == number(right)
    return type(left) is type(right) and left == right


def leaf(facts: Mapping[str, Any], test: Mapping[str, Any]) -> bool | None:
    """Return whether a condition holds, or None if that cannot be said."""
    op: str = test["op"]
    given: Any = test.get("value")
    value: Any = at(facts, test["path"])
    if op in ("exists", "absent"):
        return bool((value is not MISSING and value is not None) == (op == "exists"))
    if value is MISSING:
        return None
    if op in ("eq", "ne"):
        return equal(value, given) == (op == "eq")
    if op in ("in", "not_in"):
        return any(equal(value, one) for one in given) == (op == "in")
    if op in ("glob", "len_gt"):
        return shaped(op, value, given)
    return compared(op, number(value), given, facts, test["path"])


def shaped(op: str, value: Any, given: Any) -> bool | None:
    if op == "len_gt":
        return len(value) > given if isinstance(value, str | list | dict) else None
    shape = re.escape(given).replace(r"\*", "(?s:.*)").replace(r"\?", "(?s:.)")
    return re.fullmatch(shape, value) is not None if isinstance(value, str) else None


def compared(
    op: str, left: Fraction | None, given: Any, facts: Mapping[str, Any], path: str
) -> bool | None:
    if op == "ratio_gt":
        other = given["of"] if isinstance(given, dict) else path.replace("/after", "/before", 1)
        limit = number(given["value"] if isinstance(given, dict) else given)
        base = at(facts, other)
        base = number(base) if base is not MISSING else None
        if left is None or not base or limit is None:
            return None
        return left / base > limit
    right = number(given)
    if left is None or right is None:
        return None
    return {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}[op]


def holds(facts: Mapping[str, Any], test: Mapping[str, Any]) -> bool | None:
    """Try every way in which what is unclear could have been meant."""
    leaves: list[Mapping[str, Any]] = []
    collect(test, leaves)
    said = [leaf(facts, one) for one in leaves]
    unclear = [index for index, one in enumerate(said) if one is None]
    answers = set()
    for guess in product([True, False], repeat=len(unclear)):
        world: list[Any] = list(said)
        for index, value in zip(unclear, guess, strict=True):
            world[index] = value
        answers.add(value_of(test, iter(world)))
    return answers.pop() if len(answers) == 1 else None


def collect(test: Mapping[str, Any], into: list[Mapping[str, Any]]) -> None:
    if "path" in test:
        into.append(test)
    for part in test.get("all", test.get("any", [])):
        collect(part, into)
    if "not" in test:
        collect(test["not"], into)


def value_of(test: Mapping[str, Any], world: Any) -> bool:
    if "path" in test:
        return bool(next(world))
    if "not" in test:
        return not value_of(test["not"], world)
    parts = [value_of(part, world) for part in test.get("all", test.get("any", []))]
    return all(parts) if "all" in test else any(parts)


def counting(rules: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Any]:
    """Return the rules that take part."""
    found = []
    for rule in rules:
        tier = rule.get("match", {}).get("tier")
        if tier is not None and facts["tier"] != tier:
            continue
        said = holds(facts, rule["when"]) if "when" in rule else True
        if said or (said is None and rule["effect"] != "allow"):
            found.append(rule)
    return found


def outcome(rules: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> str:
    part = counting(rules, facts)
    effects = {rule["effect"] for rule in part}
    if "deny" in effects:
        return "deny"
    top = max((rule.get("priority", 0) for rule in part), default=0)
    spoken = {rule["effect"] for rule in part if rule.get("priority", 0) == top}
    if spoken == {"allow"}:
        return {0: "pass", 1: "allow", 2: "hold"}[facts["tier"]]
    return "hold" if spoken or facts["tier"] else "pass"


def enough(
    rules: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], people: Sequence[frozenset[str]]
) -> bool:
    """Say whether people of these groups could together let a held call run."""
    part = counting(rules, facts)
    top = max((rule.get("priority", 0) for rule in part), default=0)
    said = {rule["effect"] for rule in part if rule.get("priority", 0) == top}
    asking = [] if said == {"allow"} else [rule for rule in part if rule["effect"] == "hold"]
    blocks = [block for rule in asking for block in rule.get("require", {}).get("all", [])]
    floor = facts["tier"] or (1 if not blocks else 0)
    return all(seated(block, people) for block in blocks) and floor_met(floor, people)


def floor_met(tier: int, people: Sequence[frozenset[str]]) -> bool:
    if tier < 2:
        return len(people) >= tier
    return any(a != b for one, two in permutations(people, 2) for a in one for b in two)


def seated(block: Mapping[str, Any], people: Sequence[frozenset[str]]) -> bool:
    if "spread" in block:
        return any(
            len(set(names)) == block["spread"]
            for some in permutations(people, block["spread"])
            for names in product(*some)
        )
    lists = [one["slots"] for one in block["any"]] if "any" in block else [block["slots"]]
    return any(seats(slots, people) for slots in lists)


def seats(slots: Iterable[Mapping[str, Any]], people: Sequence[frozenset[str]]) -> bool:
    single = [set(slot["groups"]) for slot in slots for _ in range(slot["n"])]
    return any(
        all("*" in wanted or one & wanted for one, wanted in zip(some, single, strict=True))
        for some in permutations(people, len(single))
    )
