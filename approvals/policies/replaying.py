"""Other rules on a past call, on the facts that were kept of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from uuid import UUID

from approvals.policies.asking import Active, Facts, Sums
from approvals.policies.compiling import Compiled
from approvals.policies.evaluating import Verdict
from approvals.policies.language import GOVERNED_KINDS, Match, Total
from approvals.states import ReplaySays, Says

Measured: TypeAlias = Mapping[UUID, Mapping[str, tuple[Total | None, Match]]]
"""By version, what its rules added up, and over which calls; sums of the same are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was kept of one call and of what the rules said about it."""

    proposal_id: UUID
    tool: str
    tier: int
    agent: str
    subject_kind: str
    versions: tuple[UUID, ...]
    facts: str | bytes  # JSON
    args: bytes  # JSON, as are the images
    before: bytes
    after: bytes
    says: Says
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What would have been different."""

    says: ReplaySays
    verdict: Verdict | None  # None: not replayable


def measured(versions: Iterable[Active]) -> Measured:
    """Return what the rules of versions add up."""
    return {
        one.version: {one.name(rule): (rule.total, rule.match) for rule in one.policy.rules}
        for one in versions
    }


class Asking:
    """Rules that are asked about many past calls."""

    def __init__(self, active: Iterable[Active]) -> None:
        active = tuple(active)
        self.compiled = Compiled(active)
        self.rules = {
            name: what for rules in measured(active).values() for name, what in rules.items()
        }
        self.adds_up = any(total for total, _ in self.rules.values())


def replayed(past: Past, asking: Asking, then: Measured) -> Replayed:
    """Ask rules about a past call, with the sums as they were.

    Args:
        then: of the versions that were asked at the time.
    """
    try:
        facts, kept = _facts(past)
        sums = _sums(facts, asking, _known(past, kept, then)) if asking.adds_up else {}
        if sums is None:
            return Replayed(says=ReplaySays.NOT_REPLAYABLE, verdict=None)
        verdict = asking.compiled.evaluate(facts, sums)
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        # Erased, or older than what is kept today.
        return Replayed(says=ReplaySays.NOT_REPLAYABLE, verdict=None)
    return Replayed(says=_difference(past, verdict), verdict=verdict)


def _facts(past: Past) -> tuple[Facts, Mapping[str, Any]]:
    stored = json.loads(past.facts)
    facts = Facts(
        tool=past.tool,
        tier=past.tier,
        agent=past.agent,
        at=datetime.fromisoformat(stored["at"]),
        args=json.loads(past.args),
        before=json.loads(past.before),
        after=json.loads(past.after),
        target=stored["target"],
        actor=stored["actor"],
        verdicts=stored["verdicts"],
        environment=stored["environment"],
        channel=stored["channel"],
        known=stored["known"],
        governs=past.subject_kind in GOVERNED_KINDS,
        sensitive=tuple(stored["sensitive"]),
    )
    return facts, stored.get("totals", {})


def _known(
    past: Past, kept: Mapping[str, str | None], then: Measured
) -> Mapping[str, tuple[Any, Decimal | None]]:
    """Return the sums that were kept, each with what it adds up."""
    rules = {name: what for one in past.versions for name, what in then.get(one, {}).items()}
    return {
        name: (rules[name], None if sum_ is None else Decimal(sum_))
        for name, sum_ in kept.items()
        if name in rules
    }


def _sums(
    facts: Facts, asking: Asking, known: Mapping[str, tuple[Any, Decimal | None]]
) -> Sums | None:
    """Return the sums that the rules need, or None if one was not kept."""
    wanted = asking.compiled.totals_wanted(facts)
    if any(name not in known or known[name][0] != asking.rules[name] for name in wanted):
        return None
    return {name: known[name][1] for name in wanted}


def _difference(past: Past, verdict: Verdict) -> ReplaySays:
    if verdict.says is Says.HOLD and past.says is Says.HOLD:
        asked = verdict.requirement.people if verdict.requirement else 0
        if asked == past.people:
            return ReplaySays.UNCHANGED
        return ReplaySays.MORE_PEOPLE if asked > past.people else ReplaySays.FEWER_PEOPLE
    now, was = (Says.ALLOW if one is Says.PASS else one for one in (verdict.says, past.says))
    if now is was:
        return ReplaySays.UNCHANGED
    return {
        Says.DENY: ReplaySays.DENIED,
        Says.HOLD: ReplaySays.HELD,
        Says.ALLOW: ReplaySays.RELEASED,
    }[now]
