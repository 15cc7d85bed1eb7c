"""Fifty people press Record at the same moment, with real threads, barriers and commits."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, connections

from approvals import commands
from approvals.cards import Claimed, ProposalCard, VoteReceipt
from approvals.commands import timing
from approvals.errors import AlreadyDecided, ProposalExpired
from approvals.models import Decision, Dispatch, Proposal, Vote
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approve, approved, claim, now, opened, pulse, reject
from tests.cast import Cast, password_hash, signed_in

PEOPLE = 50


def crowd(cast: Cast, count: int) -> list[Actor]:
    """Return reviewers, every second one of finance, the others of care."""
    actors = []
    for n in range(count):
        made = accounts.add_person(
            actor=cast.system,
            email=f"p{n}.{uuid7().hex[-12:]}@meridian.example",
            name=f"P{n}",
            roles=("reviewer",),
            groups=(("care", "finance")[n % 2],),
            password_hash=password_hash(),
        )
        actors.append(signed_in(cast.tenant_id, made.person))
    return actors


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all of them at the same moment; return results and refusals in order."""
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        except ConsoleError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


class TestFiftyVoters:
    def test_make_one_decision_of_tier_1(self, cast: Cast) -> None:
        people = crowd(cast, PEOPLE)
        card = opened(cast)
        found = at_once([partial(approve, card, who) for who in people])

        receipts = [one for one in found if isinstance(one, VoteReceipt)]
        refusals = [one for one in found if isinstance(one, AlreadyDecided)]
        assert (len(receipts), len(refusals)) == (1, PEOPLE - 1)
        winner = people[found.index(receipts[0])]
        assert all(
            one.message.startswith(f"This was approved by {winner.label} at 20") for one in refusals
        )
        assert self._refusals(cast) == ["proposal.decided"] * (PEOPLE - 1)
        self._one_decision(cast, card, votes=1)

    def test_make_one_decision_of_tier_2(self, cast: Cast) -> None:
        people = crowd(cast, PEOPLE)
        card = opened(cast, tier=2)
        found = at_once([partial(approve, card, who) for who in people])

        receipts = [one for one in found if isinstance(one, VoteReceipt)]
        refusals = [one for one in found if isinstance(one, AlreadyDecided)]
        assert len(receipts) + len(refusals) == PEOPLE
        assert [one.state for one in receipts].count(ProposalState.APPROVED) == 1
        decision = now(cast, card).decision
        assert decision is not None
        assert len(decision.people) == 2
        assert all(" and ".join(decision.people) in one.message for one in refusals)
        assert self._refusals(cast) == ["proposal.decided"] * len(refusals)
        self._one_decision(cast, card, votes=len(receipts))

    def test_never_approve_and_reject(self, cast: Cast) -> None:
        people = crowd(cast, 10)
        card = opened(cast)
        acts = [partial((reject, approve)[n % 2], card, who) for n, who in enumerate(people)]
        found = at_once(acts)
        assert sum(isinstance(one, VoteReceipt) for one in found) == 1
        self._one_decision(cast, card, votes=1)

    def _refusals(self, cast: Cast) -> list[str]:
        """Return the codes of all refused votes of the tenant, from the trail's own bytes."""
        with in_tenant(cast.tenant_id, read_only=True), connection.cursor() as cursor:
            cursor.execute("SELECT envelope FROM audit_event")
            told = [json.loads(bytes(envelope)) for (envelope,) in cursor.fetchall()]
        return [one["bind"]["code"] for one in told if one["action"] == "vote.refused"]

    def _one_decision(self, cast: Cast, card: ProposalCard, *, votes: int) -> None:
        with in_tenant(cast.tenant_id):
            assert Decision.objects.filter(proposal_id=card.id).count() == 1
            assert Vote.objects.filter(proposal_id=card.id).count() == votes
        actions = [line.action for line in now(cast, card).history]
        assert actions.count("proposal.decided") == 1
        assert actions.count("vote.cast") == votes


class TestOnePerson:
    def test_pressing_twice_votes_once(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        found = at_once([lambda: approve(card, cast.ruth)] * 8)
        assert {one.event_uid for one in found} == {found[0].event_uid}
        assert sum(not one.repeated for one in found) == 1


class TestTwoDispatches:
    def test_run_once(self, cast: Cast) -> None:
        card = approved(cast)
        found = at_once([lambda: claim(cast, card)] * 8)
        assert sum(isinstance(one, Claimed) for one in found) == 1
        assert {one.code for one in found if not isinstance(one, Claimed)} == {"dispatch.duplicate"}
        with in_tenant(cast.tenant_id):
            assert Dispatch.objects.filter(proposal_id=card.id).count() == 1

    def test_lose_against_a_withdrawn_vote_or_win_for_good(self, cast: Cast) -> None:

        for _ in range(5):
            card = approved(cast)
            got, vote = at_once(
                [
                    partial(claim, cast, card),
                    partial(commands.withdraw_vote, actor=cast.ruth, proposal_id=card.id),
                ]
            )
            state = now(cast, card).card.state
            if isinstance(got, Claimed):
                assert isinstance(vote, AlreadyDecided)
                assert state is ProposalState.DISPATCHED
            else:
                assert isinstance(vote, VoteReceipt)
                assert state is ProposalState.OPEN


class TestAVoteThatWaits:
    def test_on_the_lock_past_the_deadline_does_not_count(self, cast: Cast) -> None:
        card = opened(cast)
        is_held, may_go = threading.Event(), threading.Event()

        def hold() -> None:
            with in_tenant(cast.tenant_id):
                Proposal.objects.select_for_update().get(pk=card.id)
                is_held.set()
                may_go.wait(30)
            connections.close_all()

        def vote() -> Any:
            try:
                return approve(card, cast.ruth)
            except ConsoleError as refusal:
                return refusal
            finally:
                connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        assert is_held.wait(30)
        with ThreadPoolExecutor(1) as pool:
            voting = pool.submit(vote)
            self._wait_for_a_waiter(card)
            # It came in time and waited for the lock; the deadline passes meanwhile.
            with clock.frozen(card.decide_by):
                may_go.set()
                answer = voting.result(30)
        holder.join()
        assert isinstance(answer, ProposalExpired)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_settling_skips_what_somebody_holds(self, cast: Cast) -> None:
        card = opened(cast)
        with (
            in_tenant(cast.tenant_id),
            clock.frozen(card.decide_by + timedelta(seconds=1)),
            ThreadPoolExecutor(1) as pool,
        ):
            Proposal.objects.select_for_update().get(pk=card.id)
            settling = pool.submit(self._settle, cast)
            assert settling.result(30) == 0

    def _settle(self, cast: Cast) -> int:
        try:
            return timing.settle_due(actor=pulse(cast))
        finally:
            connections.close_all()

    def _wait_for_a_waiter(self, card: ProposalCard) -> None:
        """Return as soon as PostgreSQL says that a session waits for a row of proposals."""
        sql = """SELECT 1 FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')
          AND pid IN (SELECT pid FROM pg_stat_activity WHERE
          datname = current_database() AND query LIKE '%%approvals_proposal%%')"""
        for _ in range(100_000):
            with connection.cursor() as cursor:
                cursor.execute(sql)
                if cursor.fetchone():
                    return
        raise AssertionError(card.id)


class TestSessions:
    def test_of_one_browser_vote_once_at_the_same_moment(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        other = replace(cast.ines, session=cast.ruth.session)
        found = at_once([lambda: approve(card, cast.ruth), lambda: approve(card, other)])
        assert sum(isinstance(one, VoteReceipt) for one in found) == 1
        assert now(cast, card).card.state is ProposalState.OPEN
