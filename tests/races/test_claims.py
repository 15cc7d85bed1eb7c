"""Everybody opens the same proposal at the same moment, with real threads, barriers and commits."""

from functools import partial

import pytest

from approvals import commands, queries
from approvals.cards import ClaimsCard
from approvals.errors import ProposalClaimed
from tests.approvals.desk import opened
from tests.cast import Cast
from tests.races.test_votes import at_once, crowd

PEOPLE = 12


class TestClaim:
    @pytest.mark.parametrize(("tier", "places"), [(1, 1), (2, 2)])
    def test_has_one_holder_for_each_place(self, cast: Cast, tier: int, places: int) -> None:
        people = crowd(cast, PEOPLE)
        for card in [opened(cast, tier=tier) for _ in range(5)]:
            got = at_once(
                [partial(commands.claim, actor=who, proposal_id=card.id) for who in people]
            )
            held = [one for one in got if isinstance(one, ClaimsCard)]
            assert len(held) == places
            assert sum(isinstance(one, ProposalClaimed) for one in got) == PEOPLE - places
            seen = queries.claims_of(actor=cast.noor, proposal_id=card.id)
            assert {one.name for one in seen.others} == {one.mine.name for one in held if one.mine}

    def test_of_one_person_in_many_tabs_is_one(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        got = at_once([partial(commands.claim, actor=cast.ruth, proposal_id=card.id)] * PEOPLE)
        assert all(isinstance(one, ClaimsCard) for one in got)
        seen = queries.claims_of(actor=cast.noor, proposal_id=card.id)
        assert [one.name for one in seen.others] == ["Ruth"]
