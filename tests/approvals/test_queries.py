from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import commands, queries
from approvals.cards import Principal, QueuePage, Subject
from approvals.queries import View
from approvals.queries.lists import PAGE_ROWS
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotAllowed, NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    approve,
    approved,
    claim,
    now,
    opened,
    opened_many,
    principals,
    reject,
)
from tests.cast import Cast


def ids(who: Actor, view: View, **other: object) -> list[UUID]:
    return [row.card.id for row in listed(who, view, **other).rows]


def listed(who: Actor, view: View, **other: object) -> QueuePage:
    return queries.awaiting_review(actor=who, view=view, **other)  # type: ignore[arg-type]


class TestAwaitingReview:
    def test_orders_my_turn_by_deadline(self, cast: Cast) -> None:
        two, one = opened(cast, tier=2), opened(cast)
        assert ids(cast.ruth, View.MINE) == [one.id, two.id]
        assert queries.turn_count(actor=cast.ruth) == 2

    def test_has_only_what_the_reader_can_decide_now(self, cast: Cast) -> None:
        mine = opened(cast)
        part = opened(cast, chain=(_owner(cast, cast.ruth),))
        held, voted = opened(cast), opened(cast, tier=2)
        commands.freeze(actor=cast.omar, proposal_ids=[held.id], cause="stop", since=clock.now())
        approve(voted, cast.ruth)
        stale = approved(cast)
        claim(cast, stale, before={})
        assert ids(cast.ruth, View.MINE) == [mine.id]
        waiting = listed(cast.ruth, View.WAITING).rows
        assert {row.card.id: row.note for row in waiting} == {
            part.id: "you have a part in it",
            held.id: "held by a stop",
            voted.id: "you voted",
            stale.id: "the target changed",
        }

    def test_is_nobodys_turn_without_the_right_or_a_group(self, cast: Cast) -> None:
        opened(cast, tier=2)
        loose = cast.add("loose", roles=("reviewer",))
        assert ids(loose, View.MINE) == []
        assert ids(cast.omar, View.MINE) == []
        assert len(ids(cast.omar, View.WAITING)) == 1

    def test_lists_decided_ones_newest_first(self, cast: Cast) -> None:
        first, then = opened(cast), opened(cast)
        reject(then, cast.ruth)
        approve(first, cast.ruth)
        assert ids(cast.noor, View.DECIDED) == [first.id, then.id]

    def test_holds_arrivals_back_and_keeps_what_left(self, cast: Cast) -> None:
        gone, stays = opened(cast), opened(cast)
        as_of = clock.now()
        fresh = opened(cast)
        approve(gone, cast.ines)
        page = listed(cast.ruth, View.MINE, as_of=as_of)
        assert [row.card.id for row in page.rows] == [gone.id, stays.id]
        assert page.rows[0].card.state is ProposalState.APPROVED
        assert (page.fresh, page.mine) == (1, 2)
        assert ids(cast.ruth, View.MINE) == [stays.id, fresh.id]

    @pytest.mark.parametrize("view", list(View))
    def test_pages_without_gaps_or_repeats(self, cast: Cast, view: View) -> None:
        cards = opened_many(cast, PAGE_ROWS + 3)
        for card in cards:
            if view is View.DECIDED:
                commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="x")
        reader = cast.noor if view is View.WAITING else cast.ruth
        first = listed(reader, view)
        second = listed(reader, view, after=first.next)
        seen = [row.card.id for row in (*first.rows, *second.rows)]
        expected = [card.id for card in cards]
        assert seen == (expected[::-1] if view is View.DECIDED else expected)
        assert second.next == ""

    @pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "bnVsbA", "\u00e9", "W251bGwsMSwyXQ"])
    def test_refuses_a_cursor_that_was_not_made_here(self, cast: Cast, cursor: str) -> None:
        for view in View:
            with pytest.raises(BadInput):
                listed(cast.ruth, view, after=cursor)

    def test_shows_nothing_to_whoever_may_see_nothing(self, cast: Cast) -> None:
        nobody = cast.add("nobody", roles=())
        with pytest.raises(NotAllowed):
            listed(nobody, View.MINE)

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        opened(cast)
        assert all(ids(cast.mallory, view) == [] for view in View)

    def test_asks_as_often_for_many_rows_as_for_few(self, cast: Cast) -> None:
        counts = []
        for more in (3, 30):
            for _ in range(more):
                opened(cast)
            with CaptureQueriesContext(connection) as asked:
                listed(cast.ruth, View.MINE)
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 20  # equals, checks, delegations, plans: one each


def _owner(cast: Cast, actor: Actor) -> Principal:
    return replace(principals(cast)[1], actor_id=actor.id, person_id=UUID(actor.id))


class TestProposal:
    def test_is_missing_for_another_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NotFound):
            now(cast, card, cast.mallory)

    def test_is_refused_to_whoever_may_see_nothing(self, cast: Cast) -> None:
        card = opened(cast)
        nobody = cast.add("nobody", roles=())
        with pytest.raises((NotFound, NotAllowed)):
            now(cast, card, nobody)

    def test_says_why_the_reader_may_not_vote(self, cast: Cast) -> None:
        card = opened(cast)
        assert now(cast, card, cast.omar).refusal == (
            "You started this; someone else has to decide this."
        )
        assert now(cast, card, cast.ruth).refusal == ""

    def test_says_the_same_as_the_refusal_of_the_vote(self, cast: Cast) -> None:
        viewer = cast.add("viewer", roles=("operator",))
        loose = cast.add("loose", roles=("reviewer",))
        card = opened(cast, tier=2)
        for who in (viewer, loose, cast.omar, cast.noor):
            with pytest.raises(ConsoleError) as refused:
                approve(card, who)
            assert str(refused.value) == now(cast, card, who).refusal

    def test_names_everybody_with_reasons(self, cast: Cast) -> None:
        cast.add("loose", roles=("reviewer",))
        lines = now(cast, opened(cast, tier=2), cast.noor).reviewers
        assert {line.name: line.refusal for line in lines} == {
            "Ruth": "",
            "Ines": "",
            "Loose": "is in no review group that this needs",
        }

    def test_says_that_the_time_is_over_before_pulse_does(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by):
            assert "time to decide is over" in now(cast, card, cast.ruth).refusal


class TestBlind:
    def test_hides_the_first_vote_until_the_own_one(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ines, note="looks right")
        detail = now(cast, card, cast.ruth)
        assert detail.blind
        assert detail.given is None
        assert all(line.vote is None for line in detail.reviewers)
        assert [line.action for line in detail.history] == ["proposal.opened"]

    def test_ends_with_the_own_vote(self, cast: Cast) -> None:
        peer = cast.add("peer", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        approve(card, peer)
        approve(card, cast.ruth)
        detail = now(cast, card, cast.ruth)
        assert (detail.blind, detail.given) == (False, 2)

    @pytest.mark.parametrize("who", ["omar", "noor"])
    def test_is_not_for_those_who_cannot_vote(self, cast: Cast, who: str) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ines)
        assert now(cast, card, getattr(cast, who)).given == 1

    def test_ends_with_the_decision(self, cast: Cast) -> None:
        third = cast.add("third", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        approve(card, cast.ines)
        approve(card, cast.ruth)
        assert now(cast, card, third).given == 2

    def test_raises_no_hint(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        before = self.hints(cast)
        approve(card, cast.ines)
        commands.withdraw_vote(actor=cast.ines, proposal_id=card.id)
        assert self.hints(cast) == before
        approve(card, cast.ines)
        approve(card, cast.ruth)
        assert self.hints(cast) == before + 2

    def hints(self, cast: Cast) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM kernel_outbox WHERE tenant_id = %s AND kind = 'hint'"
                " AND target ~ '^(reviews.queue|proposal:)'",
                [cast.tenant_id],
            )
            return int(cursor.fetchone()[0])


class TestOthers:
    def test_find_the_newest_proposal_of_a_subject(self, cast: Cast) -> None:
        subject = Subject(kind="tool_call", id=uuid7())
        assert queries.proposal_for_subject(actor=cast.system, subject=subject) is None
        opened(cast, subject=subject)
        new = opened(cast, subject=subject, args={"order_id": "#W9"})
        found = queries.proposal_for_subject(actor=cast.system, subject=subject)
        assert found is not None
        assert found.id == new.id
        assert queries.proposal_for_subject(actor=cast.mallory, subject=subject) is None

    def test_find_the_live_proposals_of_runs(self, cast: Cast) -> None:
        live, over = opened(cast), opened(cast)
        commands.withdraw(actor=cast.omar, proposal_id=over.id, cause="x")
        runs = [card.run_id for card in (live, over) if card.run_id]
        found = queries.live_of_runs(actor=cast.system, run_ids=runs)
        assert [card.id for card in found] == [live.id]
