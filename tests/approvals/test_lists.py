from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import commands, queries
from approvals.cards import Principal, ProposalCard, QueuePage, QueueRow
from approvals.queries import Sort, View, lists
from approvals.queries.lists import MOST_COUNTED, PAGE_ROWS
from approvals.states import PrincipalRole
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from tests.approvals.desk import (
    approve,
    approved,
    claim,
    facts,
    opened,
    opened_many,
    reject,
)
from tests.cast import Cast


def listed(who: Actor, view: View = View.MINE, words: str = "", **other: object) -> QueuePage:
    return queries.awaiting_review(actor=who, view=view, words=words, **other)  # type: ignore[arg-type]


def ids(who: Actor, view: View = View.MINE, words: str = "", **other: object) -> list[UUID]:
    return [row.card.id for row in listed(who, view, words, **other).rows]


def row_of(who: Actor, card: ProposalCard, view: View = View.TEAM) -> QueueRow:
    return next(row for row in listed(who, view).rows if row.card.id == card.id)


def stop(cast: Cast, card: ProposalCard) -> None:
    commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now())


class TestTabs:
    def test_have_what_is_mine_the_teams_waiting_and_decided(self, cast: Cast) -> None:
        mine, voted, other = opened(cast), opened(cast, tier=2), opened(cast)
        approve(voted, cast.ruth)
        done = approved(cast)
        stop(cast, other)
        page = listed(cast.ruth)
        assert (page.mine, page.team, page.waiting) == (1, 3, 2)
        assert ids(cast.ruth, View.MINE) == [mine.id]
        assert ids(cast.ruth, View.TEAM)[0] == mine.id
        assert set(ids(cast.ruth, View.TEAM)) == {mine.id, voted.id, other.id}
        assert set(ids(cast.ruth, View.WAITING)) == {voted.id, other.id}
        assert ids(cast.ruth, View.DECIDED) == [done.id]

    def test_wait_only_for_whom_it_concerns(self, cast: Cast) -> None:
        viewer = cast.add("viewer", roles=("operator",))
        card = opened(cast)
        assert ids(viewer, View.TEAM) == [card.id]
        assert ids(viewer, View.WAITING) == []
        assert ids(cast.omar, View.WAITING) == [card.id]

    def test_count_no_further_than_needed(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "MOST_COUNTED", 2)
        for _ in range(3):
            opened(cast)
        page = listed(cast.ruth, as_of=clock.now())
        assert (page.mine, page.team, page.matched) == (2, 2, 2)
        assert queries.turn_count(actor=cast.ruth) == 2
        assert MOST_COUNTED == 1000

    def test_put_my_turn_first_and_go_on_page_by_page(self, cast: Cast) -> None:
        others = [opened(cast, chain=chain_of(cast.ruth)) for _ in range(4)]
        mine = opened_many(cast, PAGE_ROWS)
        first = listed(cast.ruth, View.TEAM)
        second = listed(cast.ruth, View.TEAM, after=first.next)
        seen = [row.card.id for row in (*first.rows, *second.rows)]
        assert seen == [card.id for card in (*mine, *others)]
        assert second.next == ""

    def test_keep_what_was_decided_in_its_place(self, cast: Cast) -> None:
        cards = [opened(cast) for _ in range(3)]
        part = opened(cast, chain=chain_of(cast.ruth))
        as_of = clock.now()
        before = ids(cast.ruth, View.TEAM, as_of=as_of)
        approve(cards[1], cast.ines)
        reject(part, cast.ines)
        page = listed(cast.ruth, View.TEAM, as_of=as_of)
        assert [row.card.id for row in page.rows] == before
        assert [row.card.settled for row in page.rows] == [False, True, False, True]
        assert len(ids(cast.ruth, View.TEAM)) == 2


class TestSorts:
    @pytest.mark.parametrize("view", [View.TEAM, View.DECIDED])
    @pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.TIER])
    def test_page_without_gaps_or_repeats(self, cast: Cast, view: View, sort: Sort) -> None:
        cards = opened_many(cast, PAGE_ROWS + 5, both_tiers=True)
        if view is View.DECIDED:
            for card in cards:
                commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="x")
        reader = cast.noor
        first = listed(reader, view, sort=sort)
        second = listed(reader, view, sort=sort, after=first.next)
        rows = [row.card for row in (*first.rows, *second.rows)]
        assert len({card.id for card in rows}) == len(rows) == len(cards)
        tiers = [card.tier for card in rows]
        if sort is Sort.TIER:
            assert tiers == sorted(tiers, reverse=True)
        else:
            at = [card.moved_at if view is View.DECIDED else card.opened_at for card in rows]
            assert at == sorted(at, reverse=True)

    def test_refuse_the_cursor_of_another_order(self, cast: Cast) -> None:
        opened_many(cast, PAGE_ROWS + 1)
        cursor = listed(cast.ruth).next
        with pytest.raises(BadInput):
            listed(cast.ruth, sort=Sort.TIER, after=cursor)
        with pytest.raises(BadInput):
            listed(cast.ruth, View.DECIDED, after=cursor)

    def test_say_which_orders_a_list_has(self, cast: Cast) -> None:
        with pytest.raises(BadInput, match="sorted by newest or tier"):
            listed(cast.ruth, View.DECIDED, sort=Sort.DEADLINE)


class TestFilters:
    def test_select_by_each_word(self, cast: Cast) -> None:
        refund = opened(cast, tier=2, tool="refund.create", facts_=facts(2, title="Refund EUR 40"))
        cancel = opened(cast, facts_=facts(1, agent_label="Sandbox 3", agent_id="sandbox"))
        both = {refund.id, cancel.id}
        found = {
            "tier:2": {refund.id},
            "tier:1,2": both,
            "-tier:2": {cancel.id},
            "tool:refund.*": {refund.id},
            "tool:*.create": {refund.id},
            "-tool:refund.*": {cancel.id},
            "agent:sandbox": {cancel.id},
            'agent:"sandbox 3"': {cancel.id},
            "-agent:sandbox": {refund.id},
            "needs:2": {refund.id},
            'group:"+"': {refund.id},
            "eur": {refund.id},
            '"refund eur"': {refund.id},
            "-refund": {cancel.id},
            "tool:r.fund.create": set(),
            "tool:%": set(),
            "is:open": both,
            "is:stale": set(),
            "-is:stale,approved": both,
            "is:held": set(),
            "mine:yes": both,
            "mine:no": set(),
            "is:open tier:1 sandbox": {cancel.id},
        }
        assert {word: set(ids(cast.ruth, View.TEAM, word)) for word in found} == found

    def test_find_groups_states_and_claims(self, cast: Cast) -> None:
        held, stale, taken = opened(cast), approved(cast), opened(cast)
        stop(cast, held)
        claim(cast, stale, before={})
        commands.claim(actor=cast.ines, proposal_id=taken.id)
        assert ids(cast.ruth, View.TEAM, "is:held") == [held.id]
        assert ids(cast.ruth, View.TEAM, "is:stale") == [stale.id]
        assert ids(cast.ruth, View.TEAM, "is:claimed") == [taken.id]
        assert ids(cast.ruth, View.MINE, "-is:claimed") == []
        assert ids(cast.ruth, View.TEAM, 'group:"*"') == [taken.id, held.id, stale.id]

    def test_leave_counts_of_the_lists_and_count_what_fits(self, cast: Cast) -> None:
        opened(cast)
        opened(cast, tier=2)
        page = listed(cast.ruth, View.MINE, "tier:2")
        assert (page.mine, page.matched, len(page.rows)) == (2, 1, 1)
        assert [term.word for term in page.terms] == ["tier:2"]

    def test_apply_to_what_is_decided(self, cast: Cast) -> None:
        yes, no = opened(cast), opened(cast)
        approve(yes, cast.ruth)
        reject(no, cast.ruth)
        assert ids(cast.ruth, View.DECIDED, "is:rejected") == [no.id]
        assert ids(cast.ruth, View.DECIDED, "mine:yes") == []

    def test_page_on_and_count_arrivals_that_fit(self, cast: Cast) -> None:
        cards = opened_many(cast, 2 * PAGE_ROWS + 4, both_tiers=True)
        as_of = clock.now()
        first = listed(cast.ruth, View.MINE, "tier:2", as_of=as_of)
        second = listed(cast.ruth, View.MINE, "tier:2", as_of=as_of, after=first.next)
        seen = [row.card.id for row in (*first.rows, *second.rows)]
        assert seen == [card.id for card in cards if card.tier == 2]
        opened(cast)
        opened(cast, tier=2)
        assert listed(cast.ruth, View.MINE, "tier:2", as_of=as_of).fresh == 1
        assert listed(cast.ruth, View.TEAM, as_of=as_of).fresh == 2


class TestBlind:
    def test_lists_are_equal_before_and_after_another_vote(self, cast: Cast) -> None:
        cards = [opened(cast, tier=2) for _ in range(3)]
        at = clock.now()

        def seen() -> list[QueuePage]:
            with clock.frozen(at):
                return [
                    listed(cast.ruth, view, words, sort=sort)
                    for view in (View.MINE, View.TEAM, View.WAITING)
                    for words in ("", "is:claimed", "mine:yes", "needs:2")
                    for sort in (None, Sort.NEWEST, Sort.TIER)
                ]

        with clock.frozen(at):
            commands.claim(actor=cast.ines, proposal_id=cards[1].id)
        before = seen()
        approve(cards[1], cast.ines)
        approve(cards[2], cast.ines)
        assert seen() == before

    def test_costs_the_same_for_many_rows_as_for_few(self, cast: Cast) -> None:
        counts = []
        for more in (3, 30):
            for _ in range(more):
                opened(cast)
            with CaptureQueriesContext(connection) as asked:
                listed(cast.ruth, View.TEAM, as_of=clock.now())
            counts.append(len(asked))
        assert counts[0] == counts[1]


def chain_of(*people: Actor) -> tuple[Principal, ...]:
    """Return a chain of these people as owners."""
    return tuple(
        Principal(
            role=PrincipalRole.OWNER,
            actor_kind="person",
            actor_id=one.id,
            label=one.label,
            person_id=UUID(one.id),
        )
        for one in people
    )
