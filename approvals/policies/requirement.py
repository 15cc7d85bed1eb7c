"""What a requirement asks, and its stored form."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from approvals.cards import Block, Requirement, Slot
from console.kernel.errors import BadInput

ANYBODY: Final = "*"  # in a slot: any reviewer

ANY_GROUP: Final = "+"  # among the groups asked: whoever is in a group at all

DENY_THRESHOLD: Final = 1

MOST_REFRESHES: Final = 3

_HOUR: Final = 3600

_MINUTE: Final = 60

_DEFAULTS: Final[Mapping[int, Requirement]] = {
    1: Requirement(
        blocks=(Block(slots=(Slot(groups=(ANYBODY,), n=1),)),),
        blind=False,
        decide_s=_HOUR,
        execute_s=15 * _MINUTE,
        explanation="Writes of tier 1 need one reviewer.",
    ),
    2: Requirement(
        blocks=(Block(spread=2),),
        blind=True,
        decide_s=4 * _HOUR,
        execute_s=10 * _MINUTE,
        explanation="Writes of tier 2 need two reviewers from two groups, each from a session "
        "of their own; neither sees the other's vote before casting one.",
    ),
}


def requirement_for(tier: int) -> Requirement:
    """Return who must agree to a write of this tier.

    Raises:
        BadInput: the tier has no proposal (0) or is unknown.
    """
    found = _DEFAULTS.get(tier)
    if found is None:
        raise BadInput(
            f"Tier {tier} has no requirement; give the tool tier 1 or 2.", fields={"tier": "1 or 2"}
        )
    return found


def asked_groups(requirement: Requirement) -> frozenset[str]:
    """Return the groups whose members can fill a place; `ANYBODY` and `ANY_GROUP` are wildcards."""
    asked = {group for block in requirement.blocks for slot in block.slots for group in slot.groups}
    if any(block.spread for block in requirement.blocks):
        asked.add(ANY_GROUP)
    return frozenset(asked)


def answers_to(groups: Collection[str]) -> frozenset[str]:
    """Return every name under which a reviewer of these groups is asked."""
    return frozenset({ANYBODY, *groups} | ({ANY_GROUP} if groups else set()))


def requirement_as_dict(requirement: Requirement) -> list[dict[str, Any]]:
    """Return the blocks as JSON, the form in which they are frozen."""
    return [
        {"spread": block.spread}
        if block.spread
        else {"slots": [{"groups": list(slot.groups), "n": slot.n} for slot in block.slots]}
        for block in requirement.blocks
    ]


def blocks_from(values: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Read what `requirement_as_dict` wrote."""
    return tuple(
        Block(
            spread=int(value.get("spread", 0)),
            slots=tuple(
                Slot(groups=tuple(slot["groups"]), n=int(slot["n"]))
                for slot in value.get("slots", ())
            ),
        )
        for value in values
    )
