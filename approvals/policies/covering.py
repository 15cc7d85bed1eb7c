"""What rules come to for every call of a tool, before there is one."""

from collections.abc import Collection, Iterable

from approvals.cards import Covered, ToolFacts
from approvals.policies.asking import Active
from approvals.policies.comparing import fits
from approvals.policies.language import Effect, Rule
from approvals.policies.sampling import as_turned
from approvals.states import Says


def covered(tool: ToolFacts, active: Iterable[Active], *, turned: Collection[str] = ()) -> Covered:
    """Return what the rules without conditions say about a tool, and which others may speak.

    A rule with a condition, hours, a total, or a match on more than tool and tier depends on the
    call, so it is named and not counted.
    """
    speaking = as_turned(active, turned, tool.tier)
    about = [(of.name(rule), rule) for of in speaking for rule in of.policy.rules]
    about = [(name, rule) for name, rule in about if _is_about(rule, tool)]
    always = [(name, rule) for name, rule in about if not _depends(rule)]
    perhaps = [(rule.effect.value, name) for name, rule in about if _depends(rule)]
    says, by = _says(tool, always)
    return Covered(tool=tool, says=says, settled_by=by, perhaps=tuple(perhaps))


def _is_about(rule: Rule, tool: ToolFacts) -> bool:
    match = rule.match
    return (not match.tiers or tool.tier in match.tiers) and (
        not match.tool or fits(match.tool, tool.name)
    )


def _depends(rule: Rule) -> bool:
    match = rule.match
    narrowed = match.agent or match.environment or match.channel
    return bool(narrowed or rule.when or rule.hours or rule.total)


def _says(tool: ToolFacts, always: list[tuple[str, Rule]]) -> tuple[Says, tuple[str, ...]]:
    named = {
        effect: [(name, rule) for name, rule in always if rule.effect is effect]
        for effect in Effect
    }
    if named[Effect.DENY]:
        return Says.DENY, _names(named[Effect.DENY])
    allows, holds = named[Effect.ALLOW], named[Effect.HOLD]
    if allows and _highest(allows) > _highest(holds) and tool.tier <= 1:
        return (Says.PASS if tool.tier == 0 else Says.ALLOW), _names(allows)
    if holds:
        return Says.HOLD, _names(holds)
    return (Says.PASS if tool.tier == 0 else Says.HOLD), ()


def _highest(found: list[tuple[str, Rule]]) -> int:
    return max((rule.priority for _, rule in found), default=-1)


def _names(found: list[tuple[str, Rule]]) -> tuple[str, ...]:
    return tuple(name for name, _ in found)
