"""Where a proposal stands in a list, and what is beside it."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from approvals import queries
from approvals.cards import ListPlace
from approvals.queries import Sort, View, lists
from tests.approvals.desk import (
    approve,
    approved,
    opened,
)
from tests.approvals.test_lists import chain_of, listed
from tests.cast import Cast


class TestNeighbour:
    def test_walks_the_filtered_list_both_ways(self, cast: Cast) -> None:
        cards = [opened(cast, tier=1 + n % 2) for n in range(6)]
        ones = [card.id for card in cards if card.tier == 1]
        assert self.walk(cast, ones[0], back=False) == ones[1:]
        assert self.walk(cast, ones[2], back=True) == ones[1::-1]

    def test_crosses_from_my_turn_to_the_others(self, cast: Cast) -> None:
        part, mine = opened(cast, chain=chain_of(cast.ruth)), opened(cast)
        ask = partial(queries.neighbour, actor=cast.ruth, view=View.TEAM)
        assert ask(than=mine.id, back=False) == part.id
        assert ask(than=part.id, back=True) == mine.id
        assert ask(than=part.id, back=False) is None

    def test_stands_where_what_left_would_stand(self, cast: Cast) -> None:
        cards = [opened(cast) for _ in range(3)]
        approve(cards[1], cast.ruth)
        ask = partial(queries.neighbour, actor=cast.ruth, view=View.MINE, than=cards[1].id)
        assert ask(back=False) == cards[2].id
        assert ask(back=True) == cards[0].id
        assert ask(words="mine:no", back=True) is None

    def walk(self, cast: Cast, start: UUID, *, back: bool) -> list[UUID]:
        found: list[UUID] = []
        at = start
        while True:
            following = queries.neighbour(
                actor=cast.ruth, view=View.MINE, than=at, words="tier:1", back=back
            )
            if following is None:
                return found
            found.append(at := following)


class TestPlaceInList:
    def test_agrees_with_the_list_and_with_its_neighbours(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "PAGE_ROWS", 3)  # places on the page, at its edge and behind it
        cards = [opened(cast, tier=1 + n % 2) for n in range(5)]
        part, gone = opened(cast, chain=chain_of(cast.ruth)), approved(cast)
        for view, words, sort in (
            (View.MINE, "", None), (View.TEAM, "", None), (View.TEAM, "tier:1", Sort.NEWEST),
            (View.DECIDED, "", None),
        ):  # fmt: skip
            page = listed(cast.ruth, view, words, sort=sort)
            shown = [row.card.id for row in page.rows]
            for card in (*cards, part, gone):
                ask: dict[str, Any] = {"view": view, "words": words, "sort": sort}
                found = queries.place_in_list(actor=cast.ruth, proposal_id=card.id, **ask)
                beside = partial(queries.neighbour, actor=cast.ruth, than=card.id, **ask)
                assert found == ListPlace(
                    no=shown.index(card.id) + 1 if card.id in shown else None,
                    count=page.matched,
                    before=beside(back=True),
                    after=beside(back=False),
                )
