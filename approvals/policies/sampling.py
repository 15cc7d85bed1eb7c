"""Which automatic approvals people look at afterwards, and when their answers end a rule."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from math import sqrt
from statistics import NormalDist
from typing import Final
from uuid import UUID

from approvals.policies.asking import Active
from approvals.policies.language import Effect, Rule

USUAL_SAMPLE: Final = "0.05"  # of what a rule allows, unless it says otherwise
ENOUGH_ANSWERS: Final = 20  # approvals.md A18
MOST_DISAGREED: Final = 0.05
_DRAWN_BYTES: Final = 8
_ALL: Final = 1 << 64  # as many numbers as those bytes hold
_Z: Final = NormalDist().inv_cdf(0.975)  # two-sided, 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Between which shares the true one lies, at 95 % confidence."""

    low: float
    high: float


def is_drawn(mac: bytes, rate: str) -> bool:
    """Say whether a proposal is sampled: its first 8 bytes, as a share of all, are below the rate.

    Args:
        mac: HMAC of the proposal's id under a key of the tenant; nobody without it can foretell.
        rate: of what is sampled, 0 to 1, as a decimal.
    """
    number = int.from_bytes(mac[:_DRAWN_BYTES])
    return number < Decimal(rate) * _ALL


def interval(disagreed: int, answered: int) -> Interval:
    """Return the Wilson score interval of a share; without answers it says nothing at all.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not answered:
        return Interval(low=0.0, high=1.0)
    share, square = disagreed / answered, _Z * _Z
    scale = 1 + square / answered
    middle = (share + square / (2 * answered)) / scale
    half = _Z * sqrt(share * (1 - share) / answered + square / (4 * answered**2)) / scale
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def turns(disagreed: int, answered: int) -> bool:
    """Say whether so many answers disagree that the rule has to ask people from now on."""
    return answered >= ENOUGH_ANSWERS and interval(disagreed, answered).low > MOST_DISAGREED


def rule_key(version: UUID, rule: str) -> str:
    """Return under what the samples of a rule are counted: a new version begins anew."""
    return f"{version}/{rule}"


def as_turned(active: Iterable[Active], turned: Collection[str], tier: int) -> list[Active]:
    """Return the policies with every rule that was turned holding what it allowed.

    A rule that holds is never looser than one that allows: what is unclear counts for it, it wins a
    tie, and it adds no place but that of the tier. In tier 0 nobody is asked and nothing is drawn,
    so nothing turns.
    """
    if not turned or tier == 0:
        return list(active)
    return [_held(of, turned) for of in active]


def _held(of: Active, turned: Collection[str]) -> Active:
    rules = tuple(_turned(of, rule, turned) for rule in of.policy.rules)
    return replace(of, policy=replace(of.policy, rules=rules))


def _turned(of: Active, rule: Rule, turned: Collection[str]) -> Rule:
    if rule.effect is not Effect.ALLOW or rule_key(of.version, rule.id) not in turned:
        return rule
    return replace(rule, effect=Effect.HOLD, turned=True)
