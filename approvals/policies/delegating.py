"""Deciding in the place of somebody else: what that is bounded by, and in which capacity one votes.

While a delegation lasts its two people count as one person: a part that either has in a request
bars both, and together they fill one place. So it never adds a say, it only moves one.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from approvals.cards import Lent, Requirement, Voter
from approvals.errors.delegating import NotInPlace
from approvals.policies.requirement import answers_to, asked_groups

MOST_DAYS: Final = 14  # approvals.md, section 3; `delegation_bounded` repeats it
LONGEST: Final = timedelta(days=MOST_DAYS)
STEPUP_S: Final = 300  # handing a say on takes a sign-in as fresh as a vote of the highest tier


def lent_for(voter: Voter, requirement: Requirement) -> Lent | None:
    """Return the place that somebody lent to this person, where this requirement asks for it."""
    asked = asked_groups(requirement)
    if voter.lent is None or asked.isdisjoint(answers_to({voter.lent.group})):
        return None
    return voter.lent


def has_own_right(voter: Voter, requirement: Requirement) -> bool:
    """Say whether a group of the person's own is asked."""
    return not asked_groups(requirement).isdisjoint(answers_to(voter.groups))


def capacity(voter: Voter, requirement: Requirement, in_place_of: UUID | None) -> Lent | None:
    """Return the place that a vote fills: one that was lent, or None for the voter's own.

    Raises:
        NotInPlace: nobody of that id lent this voter a place that is asked for; or the vote is of
            their own, and no group of theirs is asked.
    """
    lent = lent_for(voter, requirement)
    if in_place_of is None:
        if has_own_right(voter, requirement) or lent is None:
            return None
        raise NotInPlace(
            f"None of your own groups is asked; say that you decide in place of {lent.name}.",
            in_place_of=str(lent.person_id),
        )
    if lent is None or lent.person_id != in_place_of:
        raise NotInPlace(
            "You do not stand in for that person here, or not any more; vote for yourself, or let "
            "somebody else decide."
        )
    return lent
