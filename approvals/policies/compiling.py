"""Rules made ready for many calls at once: the answers of `evaluate`, without its trace.

Which rules are about a call follows from its names alone, and what rules come to from which of
them count; both are worked out once and looked up from then on. Conditions become functions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from approvals.policies.asking import (
    Active,
    Asked,
    Facts,
    Sums,
    added_up,
    in_hours,
    matches,
    values_by,
)
from approvals.policies.comparing import (
    Truth,
    Unclear,
    answer,
    every,
    inverse,
    ordered,
    some,
    truth,
)
from approvals.policies.evaluating import Verdict, settled, standing
from approvals.policies.language import Condition, Every, Inverse, Rule, Some, Test, Total

Roots: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Callable[[Roots], Truth]
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A rule with its condition as a function; its place is where it stands among all."""

    place: int
    of: Active
    rule: Rule
    name: str
    when: Answer | None


class Compiled:
    """Rules that were made ready. Keep it for one set of versions; it remembers what it found."""

    def __init__(self, active: Iterable[Active]) -> None:
        rules = [(of, rule) for of in active for rule in of.policy.rules]
        self._rules = tuple(
            _Ready(
                place=place,
                of=of,
                rule=rule,
                name=of.name(rule),
                when=compiled(rule.when) if rule.when is not None else None,
            )
            for place, (of, rule) in enumerate(rules)
        )
        self._about: dict[tuple[Any, ...], tuple[_Ready, ...]] = {}
        self._verdicts: dict[tuple[Any, ...], Verdict] = {}

    def totals_wanted(self, facts: Facts) -> tuple[str, ...]:
        """Return what `evaluating.totals_wanted` names."""
        return tuple(
            one.name
            for one in self._matching(facts)
            if one.rule.total is not None and values_by(one.rule.total, facts) is not None
        )

    def evaluate(self, facts: Facts, sums: Sums) -> Verdict:
        """Return what `evaluating.evaluate` does, with an empty trace."""
        roots = facts.roots()
        counting = []
        for one in self._matching(facts):
            asked = Asked(
                of=one.of,
                rule=one.rule,
                applies=_applies(one, facts, roots, sums),
                line=_NOTHING,
            )
            if asked.counts:
                counting.append((one.place, asked))
        key = (*standing(facts), *(place for place, _ in counting))
        found = self._verdicts.get(key)
        if found is None:
            found = settled(facts, [asked for _, asked in counting])
            self._verdicts[key] = found
        return found

    def _matching(self, facts: Facts) -> tuple[_Ready, ...]:
        key = (
            facts.tool,
            facts.tier,
            facts.agent,
            facts.environment,
            facts.channel,
            facts.governs,
        )
        found = self._about.get(key)
        if found is None:
            found = tuple(one for one in self._rules if matches(one.rule.match, facts))
            self._about[key] = found
        return found


def compiled(test: Test) -> Answer:
    """Return a test as a function of what paths lead into."""
    match test:
        case Condition():
            return _comparison(test)
        case Inverse():
            part = compiled(test.part)
            return lambda roots: inverse(part(roots))
        case Every():
            return _until(Truth.FALSE, every, [compiled(one) for one in test.parts])
        case Some():
            return _until(Truth.TRUE, some, [compiled(one) for one in test.parts])


def _comparison(condition: Condition) -> Answer:
    def ask(roots: Roots) -> Truth:
        try:
            return answer(condition, roots)[0]
        except Unclear:
            return Truth.ERROR

    return ask


def _until(
    settling: Truth, rule: Callable[[Iterable[Truth]], Truth], parts: list[Answer]
) -> Answer:
    """Ask one part after the other until one answers for all of them, whatever the others say."""

    def ask(roots: Roots) -> Truth:
        said = []
        for part in parts:
            one = part(roots)
            if one is settling:
                return settling
            said.append(one)
        return rule(said)

    return ask


def _applies(one: _Ready, facts: Facts, roots: Roots, sums: Sums) -> Truth:
    """Return what `asking.ask` finds of a rule that is about the call; one no is enough."""
    said = Truth.TRUE if one.rule.hours is None else in_hours(one.rule.hours, facts.at)
    if one.when is not None and said is not Truth.FALSE:
        said = every((said, one.when(roots)))
    if one.rule.total is not None and said is not Truth.FALSE:
        said = every((said, _over(one.rule.total, roots, sums.get(one.name))))
    return said


def _over(total: Total, roots: Roots, others: Decimal | None) -> Truth:
    try:
        return truth(ordered(total.op, added_up(total, roots, others), total.value))
    except Unclear:
        return Truth.ERROR
