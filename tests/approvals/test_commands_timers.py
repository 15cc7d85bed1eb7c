"""The timers that pulse looks at: laid with the clock, climbed once, never needed to be right."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from approvals import commands, queries
from approvals.commands import desk, timing
from approvals.errors import ProposalExpired
from approvals.models import Timer
from approvals.states import ProposalState
from console.kernel import clock, tenancy
from console.kernel import pulse as duties
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import CARE_THEN_FINANCE, asking, due, happened, sweep
from tests.approvals.desk import (
    approve,
    approved,
    claim,
    content,
    now,
    opened,
    pulse,
    reject,
)
from tests.approvals.sql import refused, run
from tests.cast import Cast

MINUTE = timedelta(minutes=1)


class TestLay:
    def test_dates_deadline_and_rungs_from_the_opening(self, cast: Cast) -> None:
        card = opened(cast)
        assert due(cast, card) == {
            "decide": card.opened_at + 60 * MINUTE,
            "remind": card.opened_at + 30 * MINUTE,
            "widen": card.opened_at + 48 * MINUTE,
        }

    def test_follows_the_state(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        execute_by = now(cast, card).card.execute_by
        assert due(cast, card) == {"execute": execute_by}
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert due(cast, card)["decide"] == card.decide_by
        approve(card, cast.ines)
        assert set(due(cast, card)) == {"execute"}
        claim(cast, card)
        assert due(cast, card) == {}

    def test_sleeps_under_a_stop_and_wakes_with_the_time_that_was_left(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 20 * MINUTE):
            commands.freeze(
                actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now()
            )
        assert due(cast, card) == {}
        with clock.frozen(card.opened_at + 50 * MINUTE):
            commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="stop")
        assert due(cast, card) == {
            "decide": card.opened_at + 90 * MINUTE,
            "remind": card.opened_at + 60 * MINUTE,
            "widen": card.opened_at + 78 * MINUTE,
        }

    def test_begins_anew_when_the_target_changed(self, cast: Cast) -> None:
        card = approved(cast)
        image = {"orders": {"#W1": {"status": "delivered"}}}
        at = card.opened_at + 10 * MINUTE
        with clock.frozen(at):
            claim(cast, card, before=image)
            assert set(due(cast, card)) == {"decide"}  # nobody is reminded of what is stale
            commands.refresh(actor=cast.system, proposal_id=card.id, content=content(before=image))
        assert due(cast, card) == {
            "decide": at + 60 * MINUTE,
            "remind": at + 30 * MINUTE,
            "widen": at + 48 * MINUTE,
        }

    def test_lays_each_moment_once(self, cast: Cast) -> None:
        card = opened(cast)
        with refused("timer_once"):
            run(
                cast,
                "INSERT INTO approvals_timer (id, tenant_id, proposal_id, kind, step, clock_no) "
                "SELECT gen_random_uuid(), tenant_id, proposal_id, kind, step, clock_no "
                "FROM approvals_timer WHERE proposal_id = %(id)s LIMIT 1",
                id=card.id,
            )


class TestLook:
    def test_reminds_then_widens_then_expires(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, **CARE_THEN_FINANCE)
        card = opened(cast)
        assert now(cast, card, cast.ines).refusal != ""
        sweep(cast, card.opened_at + 30 * MINUTE)
        assert happened(cast, card) == ["proposal.opened", "proposal.reminded"]
        seen = queries.clock_of(actor=cast.ruth, proposal_id=card.id)
        assert seen.next_widening == card.opened_at + 48 * MINUTE
        sweep(cast, card.opened_at + 48 * MINUTE)
        assert happened(cast, card)[-1] == "proposal.widened"
        assert queries.clock_of(actor=cast.ruth, proposal_id=card.id).next_widening is None
        detail = now(cast, card, cast.ines)
        assert detail.refusal == ""
        assert detail.requirement.people == 1
        with clock.frozen(card.opened_at + 50 * MINUTE):
            assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_acts_at_the_moment_and_not_before(self, cast: Cast) -> None:
        card = opened(cast)
        half = card.opened_at + 30 * MINUTE
        sweep(cast, half - timedelta(microseconds=1))
        assert happened(cast, card) == ["proposal.opened"]
        sweep(cast, half)
        assert happened(cast, card)[-1] == "proposal.reminded"

    def test_does_nothing_twice(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        asking(monkeypatch, **CARE_THEN_FINANCE)
        card = opened(cast)
        at = card.opened_at + 50 * MINUTE
        for seconds in (0, 20, 40):
            sweep(cast, at + timedelta(seconds=seconds))
        found = happened(cast, card)
        assert found == ["proposal.opened", "proposal.reminded", "proposal.widened"]

    def test_does_it_once_when_many_look_at_once(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, **CARE_THEN_FINANCE)
        cards = [opened(cast) for _ in range(4)]
        with in_tenant(cast.tenant_id, read_only=True):
            timers = list(
                Timer.objects.filter(proposal__in=[card.id for card in cards], kind="widen")
            )
        barrier = Barrier(8)

        def look(_: int) -> int:
            try:
                barrier.wait()
                return sum(timing.look(actor=pulse(cast), timer_id=each.pk) for each in timers)
            finally:
                connection.close()

        with clock.frozen(cards[-1].opened_at + 50 * MINUTE), ThreadPoolExecutor(8) as pool:
            sum(pool.map(look, range(8)))
            commands.settle_due(actor=pulse(cast))
        for card in cards:
            assert happened(cast, card).count("proposal.widened") == 1

    def test_lets_a_locked_one_wait_for_the_next_round(self, cast: Cast) -> None:
        card = opened(cast)
        at = card.decide_by
        with (
            ThreadPoolExecutor(1) as pool,
            in_tenant(cast.tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1 FROM approvals_proposal WHERE id = %s FOR UPDATE", [card.id])
            assert pool.submit(_swept, cast, at).result() == 0
        assert now(cast, card).card.state is ProposalState.OPEN
        assert sweep(cast, at) == 1

    def test_is_not_stopped_by_one_that_breaks(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cards = [opened(cast), opened(cast)]
        broken = cards[0].id
        real = desk.lock

        def lock(**values: Any) -> Any:
            if values["proposal_id"] == broken:
                raise RuntimeError("disk on fire")
            return real(**values)

        monkeypatch.setattr(timing, "lock", lock)
        assert sweep(cast, cards[1].decide_by) == 1
        assert now(cast, cards[1]).card.state is ProposalState.EXPIRED
        monkeypatch.undo()
        assert sweep(cast, cards[1].decide_by + timedelta(seconds=timing.LEASE_S)) == 1
        assert now(cast, cards[0]).card.state is ProposalState.EXPIRED


class TestLeaseDue:
    def test_gives_a_timer_to_one_and_gives_it_back_later(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 30 * MINUTE):
            assert len(timing.lease_due(actor=pulse(cast))) == 1
            assert timing.lease_due(actor=pulse(cast)) == ()
        later = card.opened_at + 30 * MINUTE + timedelta(seconds=timing.LEASE_S)
        with clock.frozen(later):
            assert len(timing.lease_due(actor=pulse(cast))) == 1


class TestTenantsDue:
    def test_names_tenants_and_nothing_else(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 29 * MINUTE):
            assert cast.tenant_id not in queries.tenants_due()
        with clock.frozen(card.opened_at + 30 * MINUTE):
            assert cast.tenant_id in queries.tenants_due()
            commands.settle_due(actor=pulse(cast))
            assert cast.tenant_id not in queries.tenants_due()

    def test_is_all_that_reaches_over_the_wall(self, cast: Cast) -> None:
        opened(cast)
        with tenancy.unscoped(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM approvals_timer")
            assert cursor.fetchone() == (0,)

    def test_saves_the_duty_a_visit_to_each_tenant(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def directory() -> list[Any]:
            asked.append("all")
            return []

        monkeypatch.setattr(tenancy, "_directory", [directory])
        monkeypatch.setattr(queries, "tenants_due", frozenset)
        assert duties.run_once("approvals.settle") == 0
        assert asked == []


class TestWithoutPulse:
    """Nothing here calls a sweeper: the commands themselves hold the deadlines."""

    def test_a_late_vote_is_gone(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired) as late:
            approve(card, cast.ruth)
        assert late.value.status == 410
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_a_late_reject_is_gone_too(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            reject(card, cast.ruth)
        detail = now(cast, card)
        assert (detail.card.state, detail.decision) == (ProposalState.EXPIRED, None)

    def test_a_late_dispatch_is_refused(self, cast: Cast) -> None:
        card = approved(cast)
        execute_by = now(cast, card).card.execute_by
        assert execute_by is not None
        with clock.frozen(execute_by):
            answer = claim(cast, card)
        assert answer.code == "proposal.expired"
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_an_expired_one_blocks_no_other(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by):
            again = opened(cast, subject=card.subject)
        assert again.id != card.id
        assert now(cast, again).card.state is ProposalState.OPEN

    def test_a_question_ends_by_itself(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 10 * MINUTE):
            assert pause(cast, card) == 1
        assert now(cast, card).card.decide_by == card.decide_by + 30 * MINUTE
        with clock.frozen(card.decide_by + 29 * MINUTE):
            assert approve(opened(cast), cast.ruth).state is ProposalState.APPROVED
            assert now(cast, card, cast.ruth).refusal == ""
        with clock.frozen(card.decide_by + 30 * MINUTE), pytest.raises(ProposalExpired):
            approve(card, cast.ruth)


class TestQuestion:
    def test_gives_back_what_it_did_not_use(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 10 * MINUTE):
            pause(cast, card)
            assert pause(cast, card) == 0
            assert now(cast, card).frozen_causes == ()
        with clock.frozen(card.opened_at + 15 * MINUTE):
            commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="question")
        assert now(cast, card).card.decide_by == card.decide_by + 5 * MINUTE
        assert due(cast, card)["decide"] == card.decide_by + 5 * MINUTE

    def test_holds_a_window_for_half_an_hour_in_all(self, cast: Cast) -> None:
        card = opened(cast)
        for start, minutes in ((5, 20), (30, 10), (45, 0)):
            with clock.frozen(card.opened_at + start * MINUTE):
                assert pause(cast, card) == int(minutes > 0)
            with clock.frozen(card.opened_at + (start + minutes) * MINUTE):
                commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="question")
        assert now(cast, card).card.decide_by == card.decide_by + 30 * MINUTE

    def test_lets_people_decide_meanwhile(self, cast: Cast) -> None:
        card = opened(cast)
        pause(cast, card)
        assert approve(card, cast.ruth).state is ProposalState.APPROVED
        assert claim(cast, card).args

    def test_and_a_stop_count_once(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 10 * MINUTE):
            pause(cast, card)
        with clock.frozen(card.opened_at + 20 * MINUTE):
            commands.freeze(
                actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now()
            )
        with clock.frozen(card.opened_at + 60 * MINUTE):
            commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="stop")
        assert now(cast, card).card.decide_by == card.decide_by + 50 * MINUTE

    def test_saves_nothing_that_is_over(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by):
            assert pause(cast, card) == 0
        assert now(cast, card).card.state is ProposalState.EXPIRED


def pause(cast: Cast, card: Any) -> int:
    return commands.freeze(
        actor=cast.omar, proposal_ids=[card.id], cause="question", since=clock.now()
    )


def _swept(cast: Cast, at: Any) -> int:
    try:
        return sweep(cast, at)
    finally:
        connection.close()
