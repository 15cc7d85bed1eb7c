"""Requirements added up: what several rules ask for together, and never less than the tier."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final

from approvals.cards import Block, Requirement, Rung, Slot
from approvals.policies.language import Require
from approvals.policies.requirement import ANYBODY, requirement_for
from approvals.states import OnExpiry

# The earlier word is the stricter one.
STRICTNESS: Final = (
    OnExpiry.REFUSE,
    OnExpiry.RETURN,
    OnExpiry.PARK,
    OnExpiry.ESCALATE,
    OnExpiry.APPROVE,
)


def composed(tier: int, asked: Sequence[Require]) -> Requirement:
    """Return what all of these holds ask for, with the floor of the tier."""
    base = requirement_for(tier)
    blocks = _distinct(block for one in asked for block in one.blocks)
    kept = [block for block in base.blocks if not any(implies(one, block) for one in blocks)]
    found = replace(
        base,
        blocks=(*blocks, *kept),
        blind=base.blind or any(one.blind for one in asked),
        decide_s=min(_given(one.decide_s for one in asked), default=base.decide_s),
        execute_s=min([base.execute_s, *_given(one.execute_s for one in asked)]),
        stepup_s=_freshest([base.stepup_s, *_given(one.stepup_s for one in asked)]),
        deny_threshold=min(
            _given(one.deny_threshold for one in asked), default=base.deny_threshold
        ),
        on_expiry=_strictest(tier, asked).value,
        ladder=_rungs(rung for one in asked for rung in one.ladder) or base.ladder,
        batch_most=min([base.batch_most, *_given(one.batch_most for one in asked)]),
        standing=base.standing and all(one.standing is not False for one in asked),
    )
    if not blocks:
        return found
    return replace(found, explanation=f"It needs {_and(map(in_words, found.blocks))}.")


def added(old: Requirement, more: Requirement, *, widened_by: Collection[str] = ()) -> Requirement:
    """Return the old requirement with what a later one asks on top; nothing of the old is lost.

    The time to decide stays: it belongs to the window that people were given.

    Args:
        widened_by: groups that the old one asks besides, because nobody answered. A place that it
            has with some of these is the same place without them, and is not asked for again.
    """

    def has(block: Block) -> bool:
        return any(implies(one, block) or _is_wider(one, block, widened_by) for one in old.blocks)

    blocks = [block for block in more.blocks if not has(block)]
    grown = replace(
        old,
        blocks=(*old.blocks, *blocks),
        blind=old.blind or more.blind,
        execute_s=min(old.execute_s, more.execute_s),
        stepup_s=_freshest([old.stepup_s, more.stepup_s]),
        deny_threshold=min(old.deny_threshold, more.deny_threshold),
        on_expiry=min(old.on_expiry, more.on_expiry, key=_rank),
        ladder=_rungs((*old.ladder, *more.ladder)),
        batch_most=min(old.batch_most, more.batch_most),
        standing=old.standing and more.standing,
    )
    if grown == old:
        return old
    return replace(
        grown,
        explanation=more.explanation if blocks else old.explanation,
        policy_version=more.policy_version or old.policy_version,
    )


def implies(block: Block, other: Block) -> bool:
    """Say whether whoever fills `block` fills `other` as well; a no may mean that it is not known.

    It is known for the floors: any n people, and n people of n groups.
    """
    if block == other:
        return True
    if other.spread:
        return block.spread >= other.spread or _all(block, lambda one: _apart(one) >= other.spread)
    if all(ANYBODY in slot.groups for slots in other.lists for slot in slots):
        return block.people >= other.people
    return False


def _is_wider(kept: Block, block: Block, by: Collection[str]) -> bool:
    """Say whether `kept` is `block` with some of these groups besides, and as many people."""
    if not by or len(kept.lists) != len(block.lists):
        return False
    return bool(block.lists) and all(
        len(mine) == len(theirs) and all(map(partial(_has_more, by), mine, theirs))
        for mine, theirs in zip(kept.lists, block.lists, strict=True)
    )


def _has_more(by: Collection[str], mine: Slot, theirs: Slot) -> bool:
    asked = set(theirs.groups)
    return mine.n == theirs.n and asked <= set(mine.groups) <= asked.union(by)


def in_words(block: Block) -> str:
    """Return a block in words, as in "one of finance and two of leads"."""
    if block.spread:
        return f"{_count(block.spread)} of different groups"
    return " or ".join(_and(_slot(slot) for slot in slots) for slots in block.lists)


def _slot(slot: Slot) -> str:
    if ANYBODY in slot.groups:
        return _count(slot.n)
    return f"{_number(slot.n)} of {' or '.join(slot.groups)}"


def _count(people: int) -> str:
    return "one reviewer" if people == 1 else f"{_number(people)} reviewers"


def _number(people: int) -> str:
    words = ("no", "one", "two", "three", "four", "five")
    return words[people] if people < len(words) else str(people)


def _and(parts: Iterable[str]) -> str:
    return " and ".join(parts)


def _all(block: Block, holds: Callable[[tuple[Slot, ...]], bool]) -> bool:
    return not block.spread and all(holds(slots) for slots in block.lists)


def _apart(slots: tuple[Slot, ...]) -> int:
    """Return how many people of these slots surely answer for groups of their own."""
    taken: set[str] = set()
    apart = 0
    for slot in slots:
        groups = set(slot.groups)
        if ANYBODY not in groups and not groups & taken:
            taken |= groups
            apart += 1
    return apart


def _distinct(blocks: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(dict.fromkeys(blocks))


def _given(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _freshest(values: Iterable[int]) -> int:
    return min((value for value in values if value > 0), default=0)


def _strictest(tier: int, asked: Sequence[Require]) -> OnExpiry:
    words = [one.on_expiry or OnExpiry.REFUSE for one in asked]
    found = min(words, key=_rank, default=OnExpiry.REFUSE)
    return OnExpiry.REFUSE if found is OnExpiry.APPROVE and tier != 1 else found


def _rank(word: str) -> int:
    return STRICTNESS.index(OnExpiry(word))


def _rungs(rungs: Iterable[Rung]) -> tuple[Rung, ...]:
    return tuple(
        sorted(dict.fromkeys(rungs), key=lambda rung: (Decimal(rung.at), rung.act, rung.groups))
    )
