"""When somebody else's claim is in the way: places that people at work already hold."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from approvals.cards import Block, ClaimCard, Principal, Requirement, Slot, Voter
from approvals.policies.matching import largest_matching, units
from approvals.policies.people import who_refusal
from approvals.policies.requirement import ANYBODY, answers_to, asked_groups
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed

LEASE: Final = timedelta(minutes=5)
DECISIONS_AN_HOUR: Final = 60  # beyond, opening a page claims nothing: others come first


def in_the_way(
    person: UUID,
    claims: Iterable[ClaimCard],
    *,
    requirement: Requirement,
    principals: Collection[Principal],
    voters: Mapping[UUID, Voter],
) -> ClaimCard | None:
    """Return the claim for which this person cannot approve now, or None.

    A claim counts until its lease ends, also when its holder has voted meanwhile: one that ended
    with the vote would tell of a vote that is hidden. Of several the one that ends first is named.

    Args:
        claims: whose leases have not ended.
        voters: everybody who may vote, as they are at this moment.
    """
    held = list(claims)
    if any(claim.person_id == person for claim in held) or person not in voters:
        return None
    counted = [
        claim
        for claim in held
        if claim.person_id in voters
        and who_refusal(voters[claim.person_id], requirement, principals) is None
    ]
    holders = [voters[claim.person_id] for claim in counted]
    if has_free_place(requirement, holders, voters[person]):
        return None
    return min(counted, key=lambda claim: claim.until, default=None)


def require_lead(actor: Actor) -> None:
    """Raise unless the actor leads the reviewers, who alone end claims of others."""
    if not actor.has(Permission.APPROVALS_LEAD):
        raise NotAllowed(
            f"This needs the permission {Permission.APPROVALS_LEAD}; ask an administrator, or "
            "wait for the end of the lease.",
            permission=Permission.APPROVALS_LEAD.value,
        )


def claimed_by(claim: ClaimCard) -> str:
    """Return the sentence that refuses an approval for this claim."""
    return (
        f"{claim.name} is at work on this until {claim.until:%Y-%m-%d %H:%M:%S} UTC; wait for "
        "that, look at another one, or reject it."
    )


def newly_asked(
    before: Collection[str], requirement: Requirement, voters: Iterable[Voter]
) -> Iterator[UUID]:
    """Yield those whom a wider requirement asks and the one before did not.

    Args:
        before: the groups that were asked.
    """
    new = asked_groups(requirement) - frozenset(before)
    for voter in voters:
        names = answers_to(voter.reach)
        if not names.isdisjoint(new) and names.isdisjoint(before):
            yield voter.person_id


def has_free_place(requirement: Requirement, holders: Sequence[Voter], voter: Voter) -> bool:
    """Say whether the voter could fill a place that those who hold a claim leave free.

    Two of the same group who wait for one place of it cannot both be at work, while a third of
    another group can.
    """
    return any(
        _most_placed(way, [*holders, voter]) > _most_placed(way, holders)
        for block in requirement.blocks
        for way in _ways(block)
    )


_Way = int | tuple[Slot, ...]


def _ways(block: Block) -> Iterable[_Way]:
    return (block.spread,) if block.spread else block.lists


def _most_placed(way: _Way, people: Sequence[Voter]) -> int:
    """Return how many of these people fit into the places at the same time."""
    reach = [frozenset().union(*(voter.reach for voter in unit)) for unit in units(people)]
    if isinstance(way, int):
        return min(way, len(largest_matching([sorted(groups) for groups in reach])))
    places = [slot for slot in way for _ in range(slot.n)]
    return len(
        largest_matching(
            [[index for index, one in enumerate(reach) if _fits(slot, one)] for slot in places]
        )
    )


def _fits(slot: Slot, groups: frozenset[str]) -> bool:
    return ANYBODY in slot.groups or not groups.isdisjoint(slot.groups)
