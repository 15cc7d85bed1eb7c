"""Deciding in place of the people who are asked: what it is bounded by, and whom it skips."""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from approvals.cards import Principal, Requirement, Voter
from approvals.errors.breaking import BreakGlassNotOffered
from approvals.policies.language import GOVERNED_KINDS
from approvals.policies.people import who_refusal
from approvals.states import PLAN, Basis

# approvals.md A17 and A23; triggers of the tables repeat the first two.
MOST_GRANT_MINUTES: Final = 60
EXECUTE_S: Final = 15 * 60
STEPUP_S: Final = 5 * 60
TICKET_LENGTH: Final = 100


def execute_s(requirement: Requirement, basis: Basis) -> int:
    """Return for how long an approval on this basis may be run."""
    asked = requirement.execute_s
    return min(asked, EXECUTE_S) if basis is Basis.BREAK_GLASS else asked


def require_breakable(subject_kind: str) -> None:
    """Raise for what governs the gate, which changes by the word of two people, and for plans."""
    if subject_kind in GOVERNED_KINDS:
        raise BreakGlassNotOffered(
            "Rules, reviewers and the gate change by the word of two people only; ask two "
            "reviewers of different groups."
        )
    if subject_kind == PLAN:
        raise BreakGlassNotOffered(
            "A plan is several changes at once; have the one that cannot wait proposed by itself."
        )


def skipped(
    voters: Iterable[Voter],
    requirement: Requirement,
    principals: Collection[Principal],
    *,
    by: UUID,
) -> tuple[UUID, ...]:
    """Return everybody else who could have filled a place, by id."""
    return tuple(
        sorted(
            voter.person_id
            for voter in voters
            if voter.person_id != by and who_refusal(voter, requirement, principals) is None
        )
    )
