"""Identical requests of one run: together in every list, one act for those of low risk."""

import html
import random
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import commands
from approvals.cards import Claimed, Listed, NotClaimed, ProposalCard
from approvals.queries import Sort, View, lists
from approvals.states import Choice, ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals import letters
from tests.approvals.desk import approve, claim, facts, now, opened, reject, shown
from tests.approvals.test_lists import ids, listed
from tests.approvals.test_views import text
from tests.cast import Cast

API = "/api/v1/approvals/proposals"


def asked(cast: Cast, run: UUID | None, order: str = "#W1", **other: Any) -> ProposalCard:
    """Have a run ask for the cancelling of an order."""
    tier = other.pop("tier", 1)
    agent = other.pop("agent", "refunds")
    return opened(
        cast,
        tier=tier,
        facts_=facts(tier, run_id=run, agent_id=agent),
        args={"order_id": order},
        **other,
    )


def groups(cast: Cast, view: View = View.MINE, **other: Any) -> list[UUID | None]:
    return [row.group for row in listed(cast.ruth, view, **other).rows]


class TestIdentical:
    def test_stand_together_where_the_first_of_them_stands(self, cast: Cast) -> None:
        run = uuid7()
        first, other, second = asked(cast, run), asked(cast, uuid7()), asked(cast, run)
        assert ids(cast.ruth) == [first.id, second.id, other.id]
        assert groups(cast) == [first.id, first.id, None]
        assert ids(cast.ruth, sort=Sort.NEWEST) == [second.id, first.id, other.id]

    def test_are_of_one_run_tool_and_arguments(self, cast: Cast) -> None:
        run = uuid7()
        for other in (
            {"run": run},
            {"run": uuid7()},
            {"run": None},
            {"run": None},
            {"run": run, "order": "#W2"},
            {"run": run, "tool": "return_order"},
        ):
            asked(cast, **other)
        assert groups(cast) == [None] * 6

    def test_are_no_longer_so_when_one_is_edited(self, cast: Cast) -> None:
        run = uuid7()
        first, second = letters.opened(cast, run_id=run), letters.opened(cast, run_id=run)
        assert groups(cast) == [first.id] * 2
        letters.edit(second, cast.ines)
        assert groups(cast) == [None] * 2

    def test_are_single_facts_once_they_are_decided(self, cast: Cast) -> None:
        run = uuid7()
        for card in [asked(cast, run), asked(cast, run)]:
            reject(card, cast.ines)
        assert groups(cast, View.DECIDED) == [None] * 2

    def test_are_apart_where_only_one_is_the_readers_turn(self, cast: Cast) -> None:
        run = uuid7()
        voted, mine = (asked(cast, run, tier=2) for _ in range(2))
        approve(voted, cast.ruth)
        assert ids(cast.ruth, View.TEAM) == [mine.id, voted.id]
        assert groups(cast, View.TEAM) == [None, None]

    def test_stay_together_when_one_of_them_is_decided(self, cast: Cast) -> None:
        run = uuid7()
        first, other, second = asked(cast, run), asked(cast, uuid7()), asked(cast, run)
        at = clock.now()
        approve(first, cast.ines)
        late = asked(cast, run)
        assert ids(cast.ruth, as_of=at) == [first.id, second.id, other.id]
        assert groups(cast, as_of=at) == [first.id, first.id, None]
        assert ids(cast.ruth) == [other.id, second.id, late.id]

    @pytest.mark.parametrize("sort", [None, Sort.NEWEST, Sort.TIER])
    def test_come_once_and_whole_over_all_pages(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, sort: Sort | None
    ) -> None:
        monkeypatch.setattr(lists, "PAGE_ROWS", 4)
        pick = random.Random(5)  # noqa: S311 - which ones does not matter, that they repeat does
        runs = [uuid7(), uuid7()]
        made = [
            asked(cast, runs[n % 2], f"#W{pick.randrange(2)}", agent=f"agent-{n}")
            for n in range(14)
        ]
        at, after, pages = clock.now(), "", []
        while True:
            page = listed(cast.ruth, View.TEAM, as_of=at, after=after, sort=sort)
            pages.append([(row.group, row.card.id) for row in page.rows])
            after = page.next
            if not after:
                break
        seen = [row for page in pages for row in page]
        assert len(seen) == len({card for _group, card in seen}) == len(made)
        for first in {group for group, _card in seen if group}:
            places = [no for no, (group, _card) in enumerate(seen) if group == first]
            assert places == list(range(places[0], places[0] + len(places)))
            assert seen[places[0]][1] == first
            assert any(all(seen[no] in page for no in places) for page in pages)

    def test_cost_one_question_more(self, cast: Cast) -> None:
        counts: list[int] = []
        run = uuid7()
        for more in ([None] * 3, [run] * 3, [run] * 3 + [uuid7() for _ in range(12)]):
            for no, each in enumerate(more):
                asked(cast, each, agent=f"agent-{len(counts)}-{no}")
            with CaptureQueriesContext(connection) as captured:
                listed(cast.ruth, View.TEAM, as_of=clock.now())
            counts.append(len(captured))
        assert [each - counts[0] for each in counts] == [0, 1, 1]


class TestOneAct:
    def test_is_a_vote_for_each_digest_and_the_second_meets_drift(self, cast: Cast) -> None:
        run = uuid7()
        cards = [shown(asked(cast, run), cast.ruth) for _ in range(2)]
        items = [Listed(proposal_id=one.id, revision_no=1, digest=one.digest) for one in cards]
        results = commands.cast_batch(actor=cast.ruth, items=items, choice=Choice.APPROVE)
        assert [one.receipt.state for one in results if one.receipt] == [ProposalState.APPROVED] * 2
        args = {"order_id": "#W1"}
        assert isinstance(claim(cast, cards[0], args=args), Claimed)
        done = {"orders": {"#W1": {"status": "cancelled"}}}
        refused = claim(cast, cards[1], args=args, before=done)
        assert isinstance(refused, NotClaimed)
        assert now(cast, cards[1]).card.state is ProposalState.STALE

    def test_leads_to_the_table_of_all_of_them(self, cast: Cast) -> None:
        run = uuid7()
        cards = [asked(cast, run) for _ in range(3)]
        client = cast.client("ruth")
        page = text(client.get("/reviews/?view=mine"))
        assert page.count('class="row"') == 4  # the group's, and its three members
        assert "3 identical requests of one run</summary>" in page
        link = re.search(r'data-decide href="([^"]+)">Decide all 3', page)
        assert link is not None
        table = text(client.get(html.unescape(link[1])))
        assert [card.digest in table for card in cards] == [True] * 3
        assert 'name="select"' not in page  # a box alone would do nothing

    def test_is_one_box_among_others(self, cast: Cast) -> None:
        run = uuid7()
        cards = [asked(cast, run), asked(cast, run), asked(cast, uuid7())]
        page = text(cast.client("ruth").get("/reviews/?view=mine"))
        boxes = re.findall(r'name="select" value="([^"]+)"', page)
        assert boxes == [f"{cards[0].id},{cards[1].id}", str(cards[2].id)]
        chosen = cast.client("ruth").get("/reviews/batch/", {"select": boxes})
        assert [card.digest in text(chosen) for card in cards] == [True] * 3

    def test_is_never_offered_for_high_stakes(self, cast: Cast) -> None:
        run = uuid7()
        for _ in range(2):
            asked(cast, run, tier=2)
        page = text(cast.client("ruth").get("/reviews/?view=mine"))
        assert "2 identical requests of one run</summary>" in page
        assert "High stakes: each takes a decision of its own." in page
        assert "data-decide" not in page

    def test_says_how_many_are_decided_and_counts_what_is_left(self, cast: Cast) -> None:
        run = uuid7()
        cards = [asked(cast, run) for _ in range(3)]
        client = cast.client("ruth")
        source = re.search(r'src="([^"]*part=rows[^"]*)"', text(client.get("/reviews/?view=team")))
        assert source is not None
        approve(cards[0], cast.ines)
        part = text(client.get(html.unescape(source[1])))
        assert "3 identical requests of one run, 1 decided" in part
        assert "Decide all 2" in part
        assert f'id="same-{cards[0].id}" data-mine >' in part  # the place stays, the act is for two

    def test_is_named_by_the_api(self, cast: Cast) -> None:
        run = uuid7()
        first, second = asked(cast, run), asked(cast, run)
        rows = cast.client("ruth").get(API).json()["items"]
        assert [(row["proposal"]["id"], row["group"]) for row in rows] == [
            (str(first.id), str(first.id)),
            (str(second.id), str(first.id)),
        ]
