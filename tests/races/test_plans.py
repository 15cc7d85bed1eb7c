"""Workers and reviewers meet at one plan at the same moment, with real threads and commits."""

from collections import Counter
from functools import partial
from typing import Any

from approvals import commands
from approvals.cards import Claimed, NotClaimed
from approvals.states import DispatchState
from tests.approvals import test_plans_targets as targets
from tests.approvals.desk import agent, approve
from tests.approvals.plans import (
    change,
    claim_step,
    opened_plan,
    outcome_of,
    report_step,
    run_step,
    states_of,
    steps,
)
from tests.cast import Cast
from tests.races.test_votes import at_once, crowd

WORKERS = 6


class TestClaim:
    def test_of_the_next_change_waits_for_the_one_that_runs(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        approve(plan.plan, cast.ruth)
        first = claim_step(cast, plan, 1)
        early = at_once([partial(claim_step, cast, plan, 2)] * WORKERS)
        assert {one.code for one in early if isinstance(one, NotClaimed)} == {"plan.not_yet"}
        assert len(early) == WORKERS
        report_step(cast, first, DispatchState.SUCCEEDED)

        got = at_once([partial(claim_step, cast, plan, 2)] * WORKERS)
        assert Counter(type(one) for one in got) == {Claimed: 1, NotClaimed: WORKERS - 1}

    def test_meets_the_failure_of_the_one_before(self, cast: Cast) -> None:
        for _ in range(5):
            plan = opened_plan(cast, 3, changes=steps(*(change(no) for no in (1, 2, 3))))
            approve(plan.plan, cast.ruth)
            first = claim_step(cast, plan, 1)
            acts: list[Any] = [partial(claim_step, cast, plan, 2)] * 2
            at_once([*acts, partial(report_step, cast, first, DispatchState.FAILED)])

            assert states_of(cast, plan) == ["dispatched", "withdrawn", "withdrawn"]
            assert outcome_of(cast, plan.plan) == "failed"

    def test_meets_reviewers_who_take_their_word_back(self, cast: Cast) -> None:
        for _ in range(5):
            plan = opened_plan(cast, 2)
            approve(plan.plan, cast.ruth)
            run_step(cast, plan, 1)
            found = at_once(
                [
                    partial(claim_step, cast, plan, 2),
                    partial(commands.withdraw_vote, actor=cast.ruth, proposal_id=plan.plan.id),
                ]
            )
            ran = isinstance(found[0], Claimed)
            assert states_of(cast, plan)[1] == ("dispatched" if ran else "withdrawn")


class TestLook:
    def test_at_the_targets_meets_the_claim_of_the_next_change(self, cast: Cast) -> None:
        for _ in range(5):
            plan = targets.agreed(cast)
            targets.made(cast, plan, 1)
            targets.letter_of(plan)["to"] = "Tom"
            found = at_once(
                [
                    partial(targets.claimed, cast, plan, 2),
                    partial(targets.look, cast, plan.plan.id),
                ]
            )
            ran = isinstance(found[0], Claimed)
            assert found[1] is not ran
            rest = ["dispatched", "approved"] if ran else ["withdrawn", "withdrawn"]
            assert states_of(cast, plan) == ["dispatched", *rest]


class TestVote:
    def test_of_many_hands_a_plan_over_once(self, cast: Cast) -> None:
        people = crowd(cast, WORKERS)
        plan = opened_plan(cast, 3)
        at_once([partial(approve, plan.plan, who) for who in people])
        assert states_of(cast, plan) == ["approved"] * 3
        assert outcome_of(cast, plan.plan) == "claimed"


class TestOpen:
    def test_of_one_subject_is_one_plan(self, cast: Cast) -> None:
        subject = steps(change(1))[0].subject.id
        found = at_once([partial(opened_plan, cast, 2, subject=subject)] * WORKERS)
        assert len({one.plan.id for one in found}) == 1

    def test_of_plans_and_ends_of_runs_do_not_wait_for_each_other(self, cast: Cast) -> None:
        plans = [opened_plan(cast, 3) for _ in range(4)]
        ends = [
            partial(
                commands.withdraw, actor=agent(cast), proposal_id=card.id, cause="the run ended"
            )
            for plan in plans
            for card in (*plan.steps[::-1], plan.plan)
        ]
        found = at_once(ends)
        assert not [one for one in found if one is not None]
        assert {state for plan in plans for state in states_of(cast, plan)} == {"withdrawn"}
