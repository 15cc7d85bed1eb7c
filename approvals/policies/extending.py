"""Who may give people more time, and how often."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from approvals.cards import Principal, Requirement, Voter
from approvals.errors import ExtendNotEligible, ExtensionsSpent, VoteByMachine
from approvals.policies.people import who_refusal
from approvals.policies.timing import MOST_EXTENSIONS
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

EXTEND: Final = "approvals.extend"


def require_extender(
    actor: Actor,
    voters: Mapping[UUID, Voter],
    requirement: Requirement,
    principals: Collection[Principal],
) -> None:
    """Raise unless this is a voter of the proposal, or a person with the right to extend.

    Whoever had a part in the request gets it no more time, whatever rights they have.
    """
    if not actor.is_person:
        raise VoteByMachine("Only people who are signed in give more time; ask a reviewer.")
    person = UUID(actor.id)
    if any(principal.person_id == person for principal in principals):
        raise ExtendNotEligible("You have a part in this request; somebody else has to extend it.")
    voter = voters.get(person)
    votes = voter is not None and who_refusal(voter, requirement, principals) is None
    if not votes and not actor.has(EXTEND):
        raise ExtendNotEligible(
            "Only who may decide this can extend it; ask a reviewer or an administrator.",
            permission=EXTEND,
        )


def require_extensions_left(used: int) -> None:
    if used >= MOST_EXTENSIONS:
        raise ExtensionsSpent(
            "The time was extended twice, which is all; decide now, or ask for a new proposal."
        )


def extend_refusal(
    actor: Actor,
    voters: Mapping[UUID, Voter],
    requirement: Requirement,
    principals: Collection[Principal],
    *,
    used: int,
) -> str:
    """Return why this actor cannot extend, in the words of the refusal, or ""."""
    try:
        require_extender(actor, voters, requirement, principals)
        require_extensions_left(used)
    except ConsoleError as refusal:
        return refusal.message
    return ""
