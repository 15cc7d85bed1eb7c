"""What the rules say about one call: pure, complete, and strict where something is unclear.

1. A rule that cannot be answered counts for hold and deny, and does not count for allow.
2. One deny settles it, as do a guardrail that blocks and a tool that nobody knows.
3. Else the highest priority says allow or hold; on a tie it says hold.
4. On hold the blocks of all holds that count add up, with the strictest of their times and flags.
5. Where no rule counts, tier 0 passes, tier 1 needs one person, tier 2 two.
6. The floor of the tier and a hold of a guardrail stay, whatever a rule allows.

Strictest means: yes for blind; the shortest times (a time to decide may be longer than the tier's,
a time to execute never); the freshest step-up; the fewest rejections; the earlier word in refuse,
return, park, escalate, approve, of which the last is for tier 1 only; every rung of every ladder.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from approvals.cards import Requirement
from approvals.policies.asking import Active, Asked, Facts, Sums, ask, matches, values_by
from approvals.policies.composing import composed
from approvals.policies.language import Effect, Rule
from approvals.policies.requirement import requirement_for
from approvals.policies.sampling import USUAL_SAMPLE, as_turned
from approvals.states import Says

BLOCKS: Final = "block"  # verdict of a guardrail: never
HOLDS: Final = "hold"  # verdict of a guardrail: a person has to look
UNKNOWN_TOOL: Final = "signalbox/unknown-tool"
GUARDRAIL: Final = "signalbox/guardrail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules come to, and why."""

    says: Says
    requirement: Requirement | None  # None: denied, or nobody is asked in tier 0
    rules: tuple[str, ...] = ()  # "policy/rule" of those that settled it
    trace: tuple[Mapping[str, Any], ...] = ()
    flag: str = ""  # why this is the floor and not what the rules say

    @property
    def sentence(self) -> str:
        """Return which rules said so."""
        if not self.rules:
            return ""
        named = ", ".join(self.rules)
        word = {Says.DENY: "deny", Says.ALLOW: "allow"}.get(self.says, "hold")
        return f"The rule{'s' * (len(self.rules) > 1)} {named} {_verb(word, len(self.rules))} this."


def evaluate(
    facts: Facts, active: Iterable[Active], sums: Sums, *, turned: Collection[str] = ()
) -> Verdict:
    """Return what the policies say about a call.

    Args:
        sums: for each rule with a total that `totals_wanted` names, what other calls came to.
        turned: keys of rules that hold by now what they allowed; see `sampling`.
    """
    speaking = as_turned(active, turned, facts.tier)
    asked = [ask(of, rule, facts, sums) for of in speaking for rule in of.policy.rules]
    verdict = settled(facts, [found for found in asked if found.counts])
    return replace(verdict, trace=tuple(found.line for found in asked))


def settled(facts: Facts, counting: Sequence[Asked]) -> Verdict:
    """Return what the rules that count come to; of the facts it looks at `standing` alone."""
    denying = _denying(facts, counting)
    if denying:
        return Verdict(says=Says.DENY, requirement=None, rules=denying)
    allows = [found for found in counting if found.rule.effect is Effect.ALLOW]
    holds = [found for found in counting if found.rule.effect is Effect.HOLD]
    if allows and _highest(allows) > _highest(holds):
        return _allowed(facts, allows)
    return _held(facts, holds)


def standing(facts: Facts) -> tuple[int, bool, bool, bool]:
    """Return all of a call that decides what counting rules come to."""
    verdicts = facts.verdicts.values()
    return facts.tier, facts.known, BLOCKS in verdicts, HOLDS in verdicts


def floor_only(tier: int, flag: str) -> Verdict:
    """Return the verdict for rules that could not be evaluated: a hold, whatever they say."""
    return Verdict(says=Says.HOLD, requirement=requirement_for(max(tier, 1)), flag=flag)


def at_least_held(verdict: Verdict, tier: int, flag: str) -> Verdict:
    """Return the verdict of some rules where others could not be asked: a deny, or a hold."""
    if verdict.says in {Says.DENY, Says.HOLD}:
        return replace(verdict, flag=flag)  # what rules hold has the floor of its tier already
    return replace(floor_only(tier, flag), trace=verdict.trace)


def totals_wanted(
    facts: Facts, active: Iterable[Active]
) -> dict[str, tuple[Rule, tuple[Any, ...]]]:
    """Return the rules with a total that are about this call, with the values they add up by.

    A rule whose values cannot be found is left out; it then counts as unclear.
    """
    wanted: dict[str, tuple[Rule, tuple[Any, ...]]] = {}
    for of in active:
        for rule in of.policy.rules:
            if rule.total is not None and matches(rule.match, facts):
                values = values_by(rule.total, facts)
                if values is not None:
                    wanted[of.name(rule)] = (rule, values)
    return wanted


# -- what it comes to ----------------------------------------------------------------------------


def _denying(facts: Facts, counting: Sequence[Asked]) -> tuple[str, ...]:
    names = [found.name for found in counting if found.rule.effect is Effect.DENY]
    if not facts.known:
        names.append(UNKNOWN_TOOL)
    if BLOCKS in facts.verdicts.values():
        names.append(GUARDRAIL)
    return tuple(names)


def _highest(found: Sequence[Asked]) -> int:
    return max((one.rule.priority for one in found), default=-1)


def _allowed(facts: Facts, allows: Sequence[Asked]) -> Verdict:
    """Return what an allow comes to; above tier 1, or with a guardrail's hold, the floor stays."""
    rules = tuple(one.name for one in allows if one.rule.priority == _highest(allows))
    if facts.tier == 0 and HOLDS not in facts.verdicts.values():
        return Verdict(says=Says.PASS, requirement=None, rules=rules)
    if facts.tier > 1 or HOLDS in facts.verdicts.values():
        return _held(facts, ())
    samples = [Decimal(one.rule.sample or USUAL_SAMPLE) for one in allows]
    requirement = replace(
        requirement_for(facts.tier),
        explanation=f"Allowed without people by {', '.join(rules)}; should that end, "
        "one reviewer decides.",
        sample=f"{max(samples).normalize():f}",
        policy_version=allows[0].of.version,
    )
    return Verdict(says=Says.ALLOW, requirement=requirement, rules=rules)


def _held(facts: Facts, holds: Sequence[Asked]) -> Verdict:
    guarded = HOLDS in facts.verdicts.values()
    if not holds and facts.tier == 0 and not guarded:
        return Verdict(says=Says.PASS, requirement=None)
    rules = tuple(one.name for one in holds) + ((GUARDRAIL,) if guarded else ())
    wanted = composed(max(facts.tier, 1), [one.rule.require for one in holds])
    verdict = Verdict(says=Says.HOLD, requirement=wanted, rules=rules)
    if not holds:
        return verdict
    said = f"{verdict.sentence} {wanted.explanation}{_turned(holds)}"
    explained = replace(wanted, explanation=said, policy_version=holds[0].of.version)
    return replace(verdict, requirement=explained)


def _turned(holds: Sequence[Asked]) -> str:
    """Return why what used to be allowed asks people now; "" where nothing was."""
    names = [one.name for one in holds if one.rule.turned]
    if not names:
        return ""
    return (
        f" It was allowed by {', '.join(names)} until reviewers disagreed too often; "
        "only a new version of the policy changes that."
    )


def _verb(word: str, count: int) -> str:
    if count > 1:
        return word
    return "denies" if word == "deny" else f"{word}s"
