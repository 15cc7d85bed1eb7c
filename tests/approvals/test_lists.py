from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import commands, queries
from approvals.cards import Block, ListPlace, Principal, ProposalCard, QueuePage, QueueRow, Slot
from approvals.commands.desk import must_lock
from approvals.models import Attention
from approvals.queries import Sort, View, lists
from approvals.queries.lists import MOST_COUNTED, PAGE_ROWS
from approvals.states import AttentionReason, PrincipalRole, SnoozeFor
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.transactions import command, in_tenant
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
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
        others = [opened(cast, chain=_chain(cast.ruth)) for _ in range(4)]
        mine = opened_many(cast, PAGE_ROWS)
        first = listed(cast.ruth, View.TEAM)
        second = listed(cast.ruth, View.TEAM, after=first.next)
        seen = [row.card.id for row in (*first.rows, *second.rows)]
        assert seen == [card.id for card in (*mine, *others)]
        assert second.next == ""

    def test_keep_what_was_decided_in_its_place(self, cast: Cast) -> None:
        cards = [opened(cast) for _ in range(3)]
        part = opened(cast, chain=_chain(cast.ruth))
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


class TestTurn:
    def test_begins_with_the_opening(self, cast: Cast) -> None:
        card = opened(cast)
        turn = row_of(cast.ruth, card).turn
        assert turn is not None
        assert (turn.reason, turn.cause, turn.at) == ("opened", "", card.opened_at)
        assert row_of(cast.omar, card).turn is None

    def test_comes_back_with_the_voided_vote(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        approve(card, cast.ines)
        claim(cast, card, before={"orders": {"#W1": {"status": "shipped"}}})
        base = content(before={"orders": {"#W1": {"status": "shipped"}}})
        commands.refresh(actor=agent(cast), proposal_id=card.id, content=base)
        for who in (cast.ruth, cast.ines):
            turn = row_of(who, card, View.MINE).turn
            assert turn is not None
            assert (turn.reason, turn.cause) == ("voided", "drift")
        peer = cast.add("peer", roles=("reviewer",), groups=("care",))
        turn = row_of(peer, card, View.MINE).turn
        assert turn is not None
        assert turn.reason == AttentionReason.REOPENED

    def test_is_not_told_to_whoever_took_a_vote_back(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        turn = row_of(cast.ruth, card, View.MINE).turn
        assert turn is not None
        assert turn.reason == AttentionReason.OPENED

    def test_is_told_to_those_who_are_asked_later(self, cast: Cast) -> None:
        loose = cast.add("loose", roles=("reviewer",))
        card = opened(cast, tier=2)
        assert ids(loose) == []
        _ask_for(actor=cast.system, card=card, groups=("*",))
        turn = row_of(loose, card, View.MINE).turn
        assert turn is not None
        assert (turn.reason, turn.cause) == ("widened", "widened")
        assert _reasons(cast, card) == {loose.id: "widened"}

    def test_follows_the_newest_requirement_and_the_groups_of_now(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        assert ids(replace(cast.ruth, groups=frozenset()), View.MINE) == []
        assert ids(cast.ruth, View.TEAM, "needs:2") == [card.id]


class TestSnooze:
    def test_hides_from_the_own_list_alone_until_its_time(self, cast: Cast) -> None:
        card = opened(cast)
        at = clock.now()
        with clock.frozen(at):
            until = commands.snooze(
                actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.QUARTER
            )
            page = listed(cast.ruth)
            assert until == at + timedelta(minutes=15)
            assert (page.rows, page.mine, page.snoozed) == ((), 0, 1)
            assert ids(cast.ines) == [card.id]
            assert ids(cast.ruth, View.MINE, "is:snoozed") == [card.id]
            assert row_of(cast.ruth, card).snoozed_until == until
            assert row_of(cast.ruth, card).turn is None
            assert ids(cast.ruth, View.WAITING) == []
        with clock.frozen(until):
            assert ids(cast.ruth) == [card.id]

    def test_ends_before_the_deadline(self, cast: Cast) -> None:
        card = opened(cast)
        until = commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.DAY)
        assert until == card.decide_by - timedelta(minutes=15)
        with clock.frozen(card.decide_by - timedelta(minutes=10)):
            late = commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.DAY)
        assert late == card.decide_by - timedelta(minutes=5)

    def test_ends_when_the_proposal_changes_or_asks_anew(self, cast: Cast) -> None:
        card = opened(cast, chain=_chain(cast.noor))
        commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.HOUR)
        stop(cast, card)
        commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="stop")
        assert ids(cast.ruth) == [card.id]

    def test_tells_nothing_of_a_hidden_vote(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.HOUR)
        approve(card, cast.ines)
        assert ids(cast.ruth) == []

    def test_is_taken_back(self, cast: Cast) -> None:
        card = opened(cast)
        commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.HOUR)
        commands.wake(actor=cast.ruth, proposal_id=card.id)
        assert ids(cast.ruth) == [card.id]


class TestNeighbour:
    def test_walks_the_filtered_list_both_ways(self, cast: Cast) -> None:
        cards = [opened(cast, tier=1 + n % 2) for n in range(6)]
        ones = [card.id for card in cards if card.tier == 1]
        assert self.walk(cast, ones[0], back=False) == ones[1:]
        assert self.walk(cast, ones[2], back=True) == ones[1::-1]

    def test_crosses_from_my_turn_to_the_others(self, cast: Cast) -> None:
        part, mine = opened(cast, chain=_chain(cast.ruth)), opened(cast)
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
        part, gone = opened(cast, chain=_chain(cast.ruth)), approved(cast)
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


def _chain(*people: Actor) -> tuple[Principal, ...]:
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


@command
def _ask_for(*, actor: Actor, card: ProposalCard, groups: tuple[str, ...]) -> None:
    desk = must_lock(actor=actor, proposal_id=card.id)
    slot = Slot(groups=groups, n=1)
    wider = replace(desk.requirement, blocks=(*desk.requirement.blocks, Block(slots=(slot,))))
    desk.ask(wider, cause="widened", at=clock.now())


def _reasons(cast: Cast, card: ProposalCard) -> dict[str, str]:
    with in_tenant(cast.tenant_id):
        rows = Attention.objects.filter(proposal_id=card.id)
        return {str(row.person_id): row.reason for row in rows}
