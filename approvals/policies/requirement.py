"""What a requirement asks, and its stored form."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from approvals.cards import Block, Requirement, Rung, Slot
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
        ladder=(Rung(at="0.5", act="remind"), Rung(at="0.8", act="widen")),
        batch_most=25,
        standing=True,
    ),
    2: Requirement(
        blocks=(Block(spread=2),),
        blind=True,
        decide_s=4 * _HOUR,
        execute_s=10 * _MINUTE,
        explanation="Writes of tier 2 need two reviewers from two groups, each from a session "
        "of their own; neither sees the other's vote before casting one.",
        stepup_s=5 * _MINUTE,
        ladder=(Rung(at="0.25", act="remind"), Rung(at="0.5", act="widen")),
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
    asked = {
        group
        for block in requirement.blocks
        for slots in block.lists
        for slot in slots
        for group in slot.groups
    }
    if any(block.spread for block in requirement.blocks):
        asked.add(ANY_GROUP)
    return frozenset(asked)


def answers_to(groups: Collection[str]) -> frozenset[str]:
    """Return every name under which a reviewer of these groups is asked."""
    return frozenset({ANYBODY, *groups} | ({ANY_GROUP} if groups else set()))


def requirement_as_dict(requirement: Requirement) -> list[dict[str, Any]]:
    """Return the blocks as JSON, the form in which they are frozen."""
    return [block_as_dict(block) for block in requirement.blocks]


def block_as_dict(block: Block) -> dict[str, Any]:
    """Return a block as JSON: {"slots": [...]}, {"spread": n} or {"any_of": [[...], ...]}."""
    if block.spread:
        return {"spread": block.spread}
    if block.any_of:
        return {"any_of": [_slots_as_list(slots) for slots in block.any_of]}
    return {"slots": _slots_as_list(block.slots)}


def blocks_from(values: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Read what `requirement_as_dict` wrote."""
    return tuple(
        Block(
            spread=int(value.get("spread", 0)),
            slots=_slots_from(value.get("slots", ())),
            any_of=tuple(_slots_from(slots) for slots in value.get("any_of", ())),
        )
        for value in values
    )


def ladder_as_list(ladder: Iterable[Rung]) -> list[dict[str, Any]]:
    """Return the ladder as JSON, the form in which it is frozen."""
    return [{"at": rung.at, "act": rung.act, "groups": list(rung.groups)} for rung in ladder]


def ladder_from(values: Iterable[Mapping[str, Any]]) -> tuple[Rung, ...]:
    """Read what `ladder_as_list` wrote."""
    return tuple(
        Rung(at=str(value["at"]), act=str(value["act"]), groups=tuple(value["groups"]))
        for value in values
    )


def _slots_as_list(slots: Iterable[Slot]) -> list[dict[str, Any]]:
    return [{"groups": list(slot.groups), "n": slot.n} for slot in slots]


def _slots_from(values: Iterable[Mapping[str, Any]]) -> tuple[Slot, ...]:
    return tuple(Slot(groups=tuple(value["groups"]), n=int(value["n"])) for value in values)
