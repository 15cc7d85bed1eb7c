"""Who may vote."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from approvals.cards import Principal, Requirement, Voter
from approvals.errors import (
    NotYours,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.policies.matching import assignment
from approvals.policies.requirement import answers_to, asked_groups
from approvals.states import PrincipalRole
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

_PART: Final[Mapping[PrincipalRole, str]] = {
    PrincipalRole.AGENT: "stand behind the agent",
    PrincipalRole.OWNER: "own the agent",
    PrincipalRole.STARTER: "started this",
    PrincipalRole.EDITOR: "edited the proposal",
    PrincipalRole.SUBJECT: "are the one it is about",
}

_TAKERS: Final = {PrincipalRole.STARTER, PrincipalRole.OWNER}


def can_be_filled(
    requirement: Requirement, reviewers: Iterable[Voter], principals: Collection[Principal]
) -> bool:
    """Say whether all who may vote could together satisfy the requirement."""
    free = [voter for voter in reviewers if who_refusal(voter, requirement, principals) is None]
    return assignment(requirement, free) is not None


def require_taker(actor: Actor, principals: Iterable[Principal]) -> None:
    """Raise unless the actor started the request or owns the agent, and so may take it back."""
    mine = {one.role for one in principals if str(one.person_id) == actor.id}
    if not (actor.is_person and mine & _TAKERS):
        raise NotYours(
            "Only who started this, or owns the agent, takes it back; reject it if you may vote.",
        )


def require_voter(voter: Voter, requirement: Requirement, principals: Iterable[Principal]) -> None:
    """Raise the first reason why this person may not decide this proposal."""
    require_outside(voter.person_id, principals)
    require_beside(voter.one_with, principals)
    if not voter.active or not voter.may_vote:
        raise VoteNotEligible(
            "You do not have the right to vote on this tool; ask an administrator for the "
            "reviewer role.",
            permission="approvals.vote",
        )
    if not asked_groups(requirement) & answers_to(voter.reach):
        raise VoteNotEligible(
            "You are in no review group that this needs; ask an administrator to add you to one."
        )


def require_outside(person_id: UUID, principals: Iterable[Principal]) -> None:
    """Raise if this person had a part in the request."""
    for principal in principals:
        if principal.person_id == person_id:
            raise VoteByPrincipal(
                f"You {_PART[principal.role]}; someone else has to decide this.",
                role=principal.role.value,
            )


def require_beside(one_with: Collection[UUID], principals: Iterable[Principal]) -> None:
    """Raise if somebody who counts as one person with the actor had a part in the request."""
    for principal in principals:
        if principal.person_id in one_with:
            raise VoteByPrincipal(
                "While a delegation joins you, you and the other person count as one, and they "
                f"{_PART[principal.role]}; someone else has to decide this.",
                role=principal.role.value,
            )


def who_refusal(
    voter: Voter, requirement: Requirement, principals: Iterable[Principal]
) -> ConsoleError | None:
    """Return what `require_voter` would raise."""
    try:
        require_voter(voter, requirement, principals)
    except ConsoleError as refusal:
        return refusal
    return None


def about_somebody_else(refusal: ConsoleError, principals: Iterable[Principal], who: UUID) -> str:
    """Return the refusal as the people panel says it of another person."""
    for principal in principals:
        if principal.person_id == who:
            return f"has a part in the request ({principal.role.value})"
    if isinstance(refusal, VoteByPrincipal):
        return "counts as one person, by a delegation, with who has a part in the request"
    if "group" in refusal.message:
        return "is in no review group that this needs"
    return "may not vote on this tool"
