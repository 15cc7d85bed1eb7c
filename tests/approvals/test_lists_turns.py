"""Whose turn it is and why, and putting it off."""

from dataclasses import replace
from datetime import timedelta

from approvals import commands
from approvals.cards import Block, ProposalCard, Slot
from approvals.commands.desk import must_lock
from approvals.models import Attention
from approvals.queries import View
from approvals.states import AttentionReason, SnoozeFor
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command, in_tenant
from tests.approvals.desk import (
    agent,
    approve,
    claim,
    content,
    opened,
)
from tests.approvals.test_lists import chain_of, ids, listed, row_of, stop
from tests.cast import Cast


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
        card = opened(cast, chain=chain_of(cast.noor))
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
