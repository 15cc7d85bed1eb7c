"""When it is enough: people paired with places."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from uuid import UUID

from approvals.cards import Block, Place, Requirement, Slot, Voter
from approvals.policies.requirement import ANYBODY


def largest_matching(edges: Sequence[Collection[Hashable]]) -> dict[int, Hashable]:
    """Pair as many left nodes as possible with one right node each, by augmenting paths.

    Args:
        edges: for each left node, in order of preference, the right nodes it may take.
    """
    taken: dict[Hashable, int] = {}

    def place(left: int, seen: set[Hashable]) -> bool:
        for right in edges[left]:
            if right in seen:
                continue
            seen.add(right)
            if right not in taken or place(taken[right], seen):
                taken[right] = left
                return True
        return False

    for left in range(len(edges)):
        place(left, set())
    return {left: right for right, left in taken.items()}


def assignment(requirement: Requirement, approvers: Sequence[Voter]) -> tuple[Place, ...] | None:
    """Return who fills which place, or None while some place stays empty.

    A person fills one place of a block however many groups they are in; blocks are matched
    separately. Who counts as one person fills one place together.

    Args:
        approvers: people with an active approval, oldest vote first.
    """
    places: list[Place] = []
    for number, block in enumerate(requirement.blocks):
        filled = filling(block, approvers)
        if filled is None:
            return None
        places += [Place(block=number, person_id=who, group=group) for who, group in filled]
    return tuple(places)


def filling(block: Block, approvers: Sequence[Voter]) -> list[tuple[UUID, str]] | None:
    """Return which person fills a place for which group, or None while a place stays empty.

    Of several lists of slots the first that can be filled counts.
    """
    if block.spread:
        spread = _spread(block, approvers)
        return spread if len(spread) == block.spread else None
    for slots in block.lists:
        filled = _slots(slots, approvers)
        if len(filled) == sum(slot.n for slot in slots):
            return filled
    return None


def units(people: Iterable[Voter]) -> list[list[Voter]]:
    """Return people gathered into those who count as one person, in the order of the first."""
    found: list[list[Voter]] = []
    for voter in people:
        near = [unit for unit in found if any(_are_one(voter, other) for other in unit)]
        if not near:
            found.append([voter])
            continue
        near[0].append(voter)
        for unit in near[1:]:
            near[0].extend(unit)
            found.remove(unit)
    return found


def _are_one(one: Voter, other: Voter) -> bool:
    return one.person_id in other.one_with or other.person_id in one.one_with


def _slots(slots: Sequence[Slot], approvers: Sequence[Voter]) -> list[tuple[UUID, str]]:
    singles = [slot for slot in slots for _ in range(slot.n)]
    people = units(approvers)
    edges = [
        [index for index, unit in enumerate(people) if _placed(slot, unit) is not None]
        for slot in singles
    ]
    pairs = largest_matching(edges)
    placed = [
        _placed(singles[index], people[int(str(who))]) for index, who in sorted(pairs.items())
    ]
    return [place for place in placed if place is not None]


def _spread(block: Block, approvers: Sequence[Voter]) -> list[tuple[UUID, str]]:
    people = units(approvers)
    pairs = largest_matching(
        [sorted({group for voter in unit for group in voter.groups}) for unit in people]
    )
    filled = [
        (next(voter.person_id for voter in people[index] if group in voter.groups), str(group))
        for index, group in sorted(pairs.items())
    ]
    return filled[: block.spread]


def _placed(slot: Slot, unit: Sequence[Voter]) -> tuple[UUID, str] | None:
    """Return the first of those that count as one who can fill a place, and for which group."""
    for voter in unit:
        group = _group_in(slot, voter)
        if group is not None:
            return voter.person_id, group
    return None


def _group_in(slot: Slot, voter: Voter) -> str | None:
    if ANYBODY in slot.groups:
        return ANYBODY
    return min(voter.groups & frozenset(slot.groups), default=None)
