from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import policies
from approvals.cards import Block, Principal, Requirement, Slot, Voter
from approvals.errors import (
    AlreadyDecided,
    ProposalExpired,
    ProposalFrozen,
    ReasonRequired,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.policies import ANYBODY, Freeze, Window
from approvals.states import Choice, PrincipalRole, ProposalState
from console.kernel.errors import BadInput, ConsoleError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUPS = ("care", "finance", "leads", "legal")


def voter(number: int = 1, groups: tuple[str, ...] = ("care",), **other: bool) -> Voter:
    return Voter(
        person_id=UUID(int=number),
        name=f"P{number}",
        groups=frozenset(groups),
        active=other.get("active", True),
        may_vote=other.get("may_vote", True),
    )


def needs(*blocks: Block) -> Requirement:
    return replace(policies.requirement_for(1), blocks=blocks)


def slots(*wanted: tuple[tuple[str, ...], int]) -> Block:
    return Block(slots=tuple(Slot(groups=groups, n=n) for groups, n in wanted))


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class TestRequirementFor:
    def test_asks_one_person_for_tier_1(self) -> None:
        one = policies.requirement_for(1)
        assert (one.people, one.blind, one.decide_s, one.execute_s) == (1, False, 3600, 900)

    def test_asks_two_people_blind_for_tier_2(self) -> None:
        two = policies.requirement_for(2)
        assert (two.people, two.blind, two.decide_s, two.execute_s) == (2, True, 14_400, 600)

    @pytest.mark.parametrize("tier", [0, 3, -1])
    def test_has_none_for_other_tiers(self, tier: int) -> None:
        with pytest.raises(BadInput):
            policies.requirement_for(tier)

    def test_survives_being_stored(self) -> None:
        for tier in (1, 2):
            found = policies.requirement_for(tier)
            assert policies.blocks_from(policies.requirement_as_dict(found)) == found.blocks


def by_brute_force(block: Block, people: list[Voter]) -> bool:
    """Try every way to seat people; shares no code with the rule."""
    if block.spread:
        for some in combinations(people, block.spread):
            for names in permutations(GROUPS, block.spread):
                if all(name in one.groups for one, name in zip(some, names, strict=True)):
                    return True
        return False
    single = [slot.groups for slot in block.slots for _ in range(slot.n)]
    return any(
        all(
            ANYBODY in wanted or one.groups & set(wanted)
            for one, wanted in zip(some, single, strict=True)
        )
        for some in permutations(people, len(single))
    )


people_lists = st.lists(st.sets(st.sampled_from(GROUPS), max_size=3), max_size=5).map(
    lambda sets: [voter(n + 1, tuple(sorted(groups))) for n, groups in enumerate(sets)]
)
slot_lists = st.lists(
    st.tuples(
        st.lists(st.sampled_from((*GROUPS, ANYBODY)), min_size=1, max_size=3, unique=True).map(
            tuple
        ),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=2,
)


class TestAssignment:
    @given(people=people_lists, wanted=slot_lists)
    def test_fills_slots_exactly_when_brute_force_can(
        self, people: list[Voter], wanted: list[tuple[tuple[str, ...], int]]
    ) -> None:
        block = slots(*wanted)
        found = policies.assignment(needs(block), people)
        assert (found is not None) == by_brute_force(block, people)
        if found is not None:
            assert len({place.person_id for place in found}) == block.people

    @given(people=people_lists, spread=st.integers(1, 3))
    def test_spreads_over_groups_exactly_when_brute_force_can(
        self, people: list[Voter], spread: int
    ) -> None:
        block = Block(spread=spread)
        found = policies.assignment(needs(block), people)
        assert (found is not None) == by_brute_force(block, people)
        if found is not None:
            groups = {person.person_id: person.groups for person in people}
            assert len(found) == spread == len({place.person_id for place in found})
            assert len({place.group for place in found}) == spread
            assert all(place.group in groups[place.person_id] for place in found)

    def test_credits_a_person_of_both_groups_once(self) -> None:
        both = voter(1, ("care", "finance"))
        block = slots((("care",), 1), (("finance",), 1))
        assert policies.assignment(needs(block), [both]) is None
        assert policies.assignment(needs(block), [both, voter(2)]) is not None

    def test_moves_an_earlier_person_to_make_room(self) -> None:
        both, care = voter(1, ("care", "finance")), voter(2, ("care",))
        found = policies.assignment(needs(slots((("care",), 1), (("finance",), 1))), [both, care])
        assert found is not None
        assert {place.group: place.person_id.int for place in found} == {"care": 2, "finance": 1}

    def test_matches_blocks_separately(self) -> None:
        two = needs(slots((("care",), 1)), slots((("care",), 1)))
        assert policies.assignment(two, [voter(1)]) is not None

    def test_is_satisfied_by_more_than_enough(self) -> None:
        people = [voter(n, (GROUPS[n],)) for n in range(4)]
        assert policies.assignment(policies.requirement_for(2), people) is not None


class TestCanBeFilled:
    def test_leaves_the_principal_chain_out(self) -> None:
        people = [voter(1, ("care",)), voter(2, ("finance",))]
        two = policies.requirement_for(2)
        assert policies.can_be_filled(two, people, ())
        assert not policies.can_be_filled(two, people, (owner(2),))


def owner(number: int, role: PrincipalRole = PrincipalRole.OWNER) -> Principal:
    return Principal(
        role=role,
        actor_kind="person",
        actor_id=str(number),
        label="x",
        person_id=UUID(int=number),
    )


class TestRequireVoter:
    @pytest.mark.parametrize("role", list(PrincipalRole))
    def test_refuses_every_role_of_the_chain(self, role: PrincipalRole) -> None:
        with pytest.raises(VoteByPrincipal, match="someone else has to decide"):
            policies.require_voter(voter(1), policies.requirement_for(1), [owner(1, role)])

    @pytest.mark.parametrize("other", [{"active": False}, {"may_vote": False}])
    def test_refuses_whoever_lacks_the_right(self, other: dict[str, bool]) -> None:
        with pytest.raises(VoteNotEligible):
            policies.require_voter(voter(1, ("care",), **other), policies.requirement_for(1), [])

    def test_refuses_a_person_without_a_group_for_two_people(self) -> None:
        with pytest.raises(VoteNotEligible):
            policies.require_voter(voter(1, ()), policies.requirement_for(2), [])
        policies.require_voter(voter(1, ()), policies.requirement_for(1), [])

    def test_refuses_the_wrong_group(self) -> None:
        with pytest.raises(VoteNotEligible):
            policies.require_voter(voter(1, ("care",)), needs(slots((("finance",), 1))), [])

    def test_says_it_of_somebody_else(self) -> None:
        for one, chain, said in (
            (voter(1), [owner(1)], "has a part in the request (owner)"),
            (voter(1, ()), [], "is in no review group that this needs"),
            (voter(1, may_vote=False), [], "may not vote on this tool"),
        ):
            refusal = policies.who_refusal(one, policies.requirement_for(2), chain)
            assert isinstance(refusal, ConsoleError)
            assert policies.about_somebody_else(refusal, chain, one.person_id) == said


class TestRequireDecidable:
    @pytest.mark.parametrize("state", sorted(set(ProposalState) - {ProposalState.OPEN}))
    def test_refuses_to_approve_anything_but_open(self, state: ProposalState) -> None:
        with pytest.raises(AlreadyDecided):
            policies.require_decidable(state, Choice.APPROVE, settled_by="")

    def test_lets_a_stale_one_be_rejected(self) -> None:
        policies.require_decidable(ProposalState.STALE, Choice.REJECT, settled_by="")

    def test_names_who_decided(self) -> None:
        with pytest.raises(AlreadyDecided, match=r"^By Ruth\. Nothing"):
            policies.require_decidable(ProposalState.REJECTED, Choice.REJECT, settled_by="By Ruth.")


class TestRequireReason:
    @pytest.mark.parametrize(
        ("code", "note", "wrong"),
        [("", "x", {"reason_code"}), ("other", " \n", {"note"}), ("", "", {"reason_code", "note"})],
    )
    def test_names_what_is_missing(self, code: str, note: str, wrong: set[str]) -> None:
        with pytest.raises(ReasonRequired) as refused:
            policies.require_reason(Choice.REJECT, code, note)
        assert set(refused.value.details["fields"]) == wrong  # type: ignore[call-overload]

    def test_asks_nothing_of_an_approval(self) -> None:
        policies.require_reason(Choice.APPROVE, "", "")


class TestWindow:
    def window(self, *freezes: tuple[float, float | None]) -> Window:
        return Window(
            opened_at=NOON,
            length_s=3600,
            freezes=tuple(
                Freeze(cause=f"c{n}", since=at(a), until=None if b is None else at(b))
                for n, (a, b) in enumerate(freezes)
            ),
        )

    def test_is_over_at_the_deadline_and_not_before(self) -> None:
        one = self.window()
        assert not one.is_over(at=at(60) - timedelta(microseconds=1))
        assert one.is_over(at=at(60))

    @pytest.mark.parametrize(
        ("freezes", "read_at", "deadline"),
        [
            ([(10, 20)], 30, 70),
            ([(10, 20), (15, 25)], 30, 75),  # overlapping: their union
            ([(10, 20), (12, 14)], 30, 70),  # one inside the other
            ([(10, 20), (30, 35)], 40, 75),
            ([(-30, 5)], 10, 65),  # counts from the opening only
            ([(50, None)], 90, 100),  # still open: moves with the clock
            ([(50, None), (55, 60)], 90, 100),
            ([(20, 10)], 30, 60),
        ],
    )
    def test_moves_by_the_union_of_the_freezes(
        self, freezes: list[tuple[float, float | None]], read_at: float, deadline: float
    ) -> None:
        assert self.window(*freezes).deadline(at=at(read_at)) == at(deadline)

    def test_never_ends_while_frozen(self) -> None:
        assert not self.window((59, None)).is_over(at=at(100_000))

    def test_ends_when_the_stop_came_too_late(self) -> None:
        assert self.window((60, None)).is_over(at=at(61))

    def test_refuses_after_it(self) -> None:
        with pytest.raises(ProposalExpired):
            policies.require_in_time(self.window(), at=at(60))

    def test_holds_approvals_but_not_rejections(self) -> None:
        held = self.window((10, None))
        policies.require_not_frozen(held, Choice.REJECT)
        with pytest.raises(ProposalFrozen, match="c0"):
            policies.require_not_frozen(held, Choice.APPROVE)
        policies.require_not_frozen(self.window((10, 20)), Choice.APPROVE)

    @given(
        st.lists(st.tuples(st.integers(-50, 200), st.integers(0, 100)), max_size=6),
        st.integers(0, 300),
    )
    def test_equals_a_count_of_seconds(self, raw: list[tuple[int, int]], read_at: int) -> None:
        freezes = [(float(a), float(a + n)) for a, n in raw]
        frozen = sum(1 for minute in range(read_at) if any(a <= minute < b for a, b in freezes))
        assert self.window(*freezes).frozen_for(at=at(read_at)) == timedelta(minutes=frozen)
