"""People and places: ten thousand random cases against trying everything."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, permutations
from random import Random
from uuid import UUID

import pytest

from approvals import policies
from approvals.cards import Block, Requirement, Slot, Voter

GROUPS = ("care", "finance", "leads", "legal")
CASES = 10_000


def voter(number: int, groups: frozenset[str]) -> Voter:
    return Voter(
        person_id=UUID(int=number), name=f"P{number}", groups=groups, active=True, may_vote=True
    )


def people(dice: Random) -> list[Voter]:
    count = dice.randint(0, 5)
    return [
        voter(n, frozenset(dice.sample(GROUPS, dice.choice([0, 1, 1, 1, 2, 3]))))
        for n in range(1, count + 1)
    ]


def slots(dice: Random) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            groups=tuple(dice.sample((*GROUPS, "*"), dice.choice([1, 1, 2]))),
            n=dice.choice([1, 1, 1, 2]),
        )
        for _ in range(dice.randint(1, 2))
    )


def block(dice: Random) -> Block:
    match dice.randint(0, 3):
        case 0:
            return Block(spread=dice.randint(1, 3))
        case 1:
            return Block(any_of=tuple(slots(dice) for _ in range(dice.randint(1, 3))))
        case _:
            return Block(slots=slots(dice))


def joined(dice: Random, people: list[Voter]) -> list[Voter]:
    """Have some of them count as one person, two by two."""
    for first, second in zip(people[::2], people[1::2], strict=False):
        if dice.random() < 0.5:
            at = people.index(first)
            people[at] = replace(first, one_with=frozenset({second.person_id}))
    return people


def are_apart(some: Sequence[Voter]) -> bool:
    return not any(one.person_id in other.one_with for one in some for other in some)


def tried(one: Block, people: list[Voter]) -> bool:
    """Seat people in every order; shares no code with the rule."""
    if one.spread:
        return any(
            are_apart(some)
            and all(name in voter.groups for voter, name in zip(some, names, strict=True))
            for some in combinations(people, one.spread)
            for names in permutations(GROUPS, one.spread)
        )
    for listed in one.any_of or (one.slots,):
        single = [set(slot.groups) for slot in listed for _ in range(slot.n)]
        for some in permutations(people, len(single)):
            if are_apart(some) and all(
                "*" in wanted or wanted & voter.groups
                for voter, wanted in zip(some, single, strict=True)
            ):
                return True
    return False


def asks(*blocks: Block) -> Requirement:
    return replace(policies.requirement_for(1), blocks=blocks)


class TestAssignment:
    def test_equals_trying_everything(self) -> None:
        dice = Random(20261120)  # noqa: S311 - drawn cases, not secrets
        held = 0
        for case in range(CASES):
            some = joined(dice, people(dice))
            blocks = [block(dice) for _ in range(dice.choice([1, 1, 2]))]
            found = policies.assignment(asks(*blocks), some)
            wanted = all(tried(one, some) for one in blocks)
            assert (found is not None) == wanted, (case, blocks, some)
            held += wanted
            for number in range(len(blocks) if found else 0):
                seated = [place.person_id for place in found or () if place.block == number]
                assert len(seated) == len(set(seated)) >= blocks[number].people
        assert CASES // 10 < held < CASES * 9 // 10, "the cases are one-sided"

    def test_fills_one_of_several_lists(self) -> None:
        lead = (Slot(groups=("leads",), n=1),)
        two_of_care = (Slot(groups=("care",), n=2),)
        either = asks(Block(any_of=(two_of_care, lead)))
        care = [voter(n, frozenset({"care"})) for n in (1, 2)]
        assert either.people == 1
        assert policies.assignment(either, care[:1]) is None
        assert len(policies.assignment(either, care) or ()) == 2
        assert len(policies.assignment(either, [voter(3, frozenset({"leads"}))]) or ()) == 1

    def test_asks_everybody_who_could_fill_any_of_the_lists(self) -> None:
        either = asks(
            Block(any_of=((Slot(groups=("care",), n=2),), (Slot(groups=("leads",), n=1),)))
        )
        assert policies.asked_groups(either) == {"care", "leads"}

    @pytest.mark.parametrize(
        "one",
        [
            Block(spread=2),
            Block(slots=(Slot(groups=("care", "leads"), n=2),)),
            Block(any_of=((Slot(groups=("care",), n=1),), (Slot(groups=("*",), n=3),))),
        ],
    )
    def test_survives_being_stored(self, one: Block) -> None:
        assert policies.blocks_from([policies.block_as_dict(one)]) == (one,)


class TestImplies:
    def test_is_never_wrong_about_a_yes(self) -> None:
        dice = Random(7)  # noqa: S311 - drawn cases, not secrets
        floors = [Block(slots=(Slot(groups=("*",), n=n),)) for n in (1, 2)] + [
            Block(spread=n) for n in (1, 2, 3)
        ]
        yes = 0
        for _ in range(3000):
            one, other, some = block(dice), dice.choice(floors), people(dice)
            if policies.implies(one, other):
                yes += 1
                assert not tried(one, some) or tried(other, some), (one, other, some)
        assert yes > 500

    def test_knows_two_groups_apart_for_two_of_different_groups(self) -> None:
        apart = Block(slots=(Slot(groups=("care",), n=1), Slot(groups=("leads",), n=1)))
        near = Block(slots=(Slot(groups=("care",), n=2),))
        assert policies.implies(apart, Block(spread=2))
        assert not policies.implies(near, Block(spread=2))
