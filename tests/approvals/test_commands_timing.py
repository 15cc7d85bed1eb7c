from datetime import datetime, timedelta

import pytest

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import ProposalState
from console.kernel import clock, tenancy
from console.kernel import pulse as duties
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from tests.approvals.desk import approve, approved, claim, now, opened, pulse
from tests.cast import Cast


def freeze_as(actor: Actor, card: ProposalCard, since: datetime | None = None) -> int:
    return commands.freeze(
        actor=actor, proposal_ids=[card.id], cause="stop", since=since or card.opened_at
    )


def thaw_as(actor: Actor, card: ProposalCard) -> int:
    return commands.thaw(actor=actor, proposal_ids=[card.id], cause="stop")


def freeze(cast: Cast, card: ProposalCard, since: datetime, cause: str = "stop") -> int:
    return commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause=cause, since=since)


def thaw(cast: Cast, card: ProposalCard, cause: str = "stop") -> int:
    return commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause=cause)


class TestFreeze:
    def test_keeps_the_remaining_time(self, cast: Cast) -> None:
        card = opened(cast)
        start = card.opened_at
        with clock.frozen(start + timedelta(minutes=50)):
            # The sweep came late: the stop was ten minutes earlier.
            assert freeze(cast, card, start + timedelta(minutes=40)) == 1
        with clock.frozen(start + timedelta(hours=5)):
            assert commands.settle_due(actor=pulse(cast)) == 0
            assert thaw(cast, card) == 1
            detail = now(cast, card)
        assert detail.card.state is ProposalState.OPEN
        assert detail.card.decide_by == start + timedelta(hours=5, minutes=20)

    def test_counts_overlapping_stops_once(self, cast: Cast) -> None:
        card = opened(cast)
        start = card.opened_at
        with clock.frozen(start + timedelta(minutes=20)):
            freeze(cast, card, start + timedelta(minutes=10), "a")
            freeze(cast, card, start + timedelta(minutes=20), "b")
        with clock.frozen(start + timedelta(minutes=30)):
            thaw(cast, card, "a")
            assert now(cast, card).card.decide_by == card.decide_by
        with clock.frozen(start + timedelta(minutes=40)):
            thaw(cast, card, "b")
        assert now(cast, card).card.decide_by == card.decide_by + timedelta(minutes=30)

    def test_saves_what_was_not_over_when_the_stop_came(self, cast: Cast) -> None:
        card = opened(cast)
        before = card.decide_by - timedelta(seconds=1)
        with clock.frozen(card.decide_by + timedelta(minutes=5)):
            freeze(cast, card, before)
            assert now(cast, card).card.state is ProposalState.OPEN

    def test_comes_too_late_for_what_was_over(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by + timedelta(minutes=5)):
            freeze(cast, card, card.decide_by)
            assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_takes_an_approval_that_lapses_under_it_back_to_people(self, cast: Cast) -> None:
        card = approved(cast)
        execute_by = now(cast, card).card.execute_by
        assert execute_by is not None
        freeze(cast, card, clock.now())
        with clock.frozen(execute_by + timedelta(minutes=1)):
            assert commands.settle_due(actor=pulse(cast)) == 1
            thaw(cast, card)
            detail = now(cast, card, cast.ruth)
            assert detail.card.state is ProposalState.OPEN
            assert detail.my_vote is None
            assert detail.card.decide_by == execute_by + timedelta(minutes=61)
            assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_changes_nothing_the_second_time_or_at_the_end(self, cast: Cast) -> None:
        card = opened(cast)
        assert [freeze(cast, card, clock.now()) for _ in range(2)] == [1, 0]
        assert [thaw(cast, card) for _ in range(2)] == [1, 0]
        commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="x")
        assert freeze(cast, card, clock.now()) == 0

    def test_hides_proposals_from_another_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        for act in (freeze_as, thaw_as):
            with pytest.raises(NotFound):
                act(cast.mallory, card)


class TestSettleDue:
    def test_expires_what_nobody_decided(self, cast: Cast) -> None:
        card, later = opened(cast), opened(cast, tier=2)
        with clock.frozen(card.decide_by):
            assert commands.settle_due(actor=pulse(cast)) == 1
            assert commands.settle_due(actor=pulse(cast)) == 0
        detail = now(cast, card)
        assert detail.card.state is ProposalState.EXPIRED
        assert detail.close_cause == "decide_by"
        assert detail.decision is None
        assert now(cast, later).card.state is ProposalState.OPEN

    def test_expires_what_was_not_run_in_time(self, cast: Cast) -> None:
        card = approved(cast)
        execute_by = now(cast, card).card.execute_by
        assert execute_by is not None
        with clock.frozen(execute_by - timedelta(microseconds=1)):
            assert commands.settle_due(actor=pulse(cast)) == 0
        with clock.frozen(execute_by):
            assert commands.settle_due(actor=pulse(cast)) == 1
        assert now(cast, card).close_cause == "execute_by"

    def test_leaves_what_was_dispatched(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card)
        with clock.frozen(clock.now() + timedelta(days=1)):
            assert commands.settle_due(actor=pulse(cast)) == 0

    def test_is_a_duty_of_pulse(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tenancy, "_directory", [lambda: [cast.tenant_id]])
        card = opened(cast)
        names = {duty.name: duty.every_s for duty in duties.duties()}
        assert names["approvals.settle"] == 1.0
        with clock.frozen(card.decide_by):
            assert duties.run_once("approvals.settle") == 1
        assert now(cast, card).card.state is ProposalState.EXPIRED
