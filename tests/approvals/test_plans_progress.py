"""How far a plan comes: against a table that shares no code, at each of its places."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from approvals import commands
from approvals.cards import Claimed, NotClaimed, OpenedPlan
from approvals.errors import ProposalFrozen
from approvals.states import DispatchState, ProposalState
from console.accounts import commands as accounts
from console.kernel import clock
from tests.approvals.clocks import happened, sweep
from tests.approvals.desk import approve, now, pulse, reject
from tests.approvals.plans import (
    COUNT,
    claim_step,
    opened_plan,
    order,
    outcome_of,
    report_step,
    run_step,
    running,
    states_of,
)
from tests.approvals.policies.rules import rule, spoken
from tests.cast import Cast

MADE, LEFT = "dispatched", "withdrawn"


def succeeds(cast: Cast, plan: OpenedPlan, no: int) -> None:
    run_step(cast, plan, no)


def fails(cast: Cast, plan: OpenedPlan, no: int) -> None:
    report_step(cast, claim_step(cast, plan, no), DispatchState.FAILED, no)


def is_lost(cast: Cast, plan: OpenedPlan, no: int) -> None:
    report_step(cast, claim_step(cast, plan, no), DispatchState.UNKNOWN, no)


def drifts(cast: Cast, plan: OpenedPlan, no: int) -> None:
    found = claim_step(cast, plan, no, before=order("somebody else's"))
    assert isinstance(found, NotClaimed)
    assert found.code == "proposal.stale"


def is_another_call(cast: Cast, plan: OpenedPlan, no: int) -> None:
    found = claim_step(cast, plan, no, args={"order_id": "#W1", "note": "more"})
    assert isinstance(found, NotClaimed)
    assert found.code == "dispatch.other_call"


def is_denied(cast: Cast, plan: OpenedPlan, no: int) -> None:
    spoken(cast, rule("stop", "deny", match={"tool": "set_note"}))
    found = claim_step(cast, plan, no)
    assert isinstance(found, NotClaimed)
    assert found.code == "policy.denied"


def asks_for_more(cast: Cast, plan: OpenedPlan, no: int) -> None:
    two = {"all": [{"slots": [{"groups": ["care"], "n": 1}, {"groups": ["finance"], "n": 1}]}]}
    spoken(cast, rule("more", "hold", match={"tool": "set_note"}, require=two))
    found = claim_step(cast, plan, no)
    assert isinstance(found, NotClaimed)
    assert found.code == "plan.broken"


def loses_its_voter(cast: Cast, plan: OpenedPlan, no: int) -> None:
    member = cast.members["ruth"]
    accounts.set_membership(
        actor=cast.noor, person_id=member.id, roles=("auditor",), groups=(), active=True
    )
    found = claim_step(cast, plan, no)
    assert isinstance(found, NotClaimed)
    assert found.code == "plan.broken"


def is_too_late(cast: Cast, plan: OpenedPlan, no: int) -> None:
    by = now(cast, plan.steps[no - 1]).card.execute_by
    assert by is not None
    sweep(cast, by + timedelta(seconds=1))


# What becomes of the change itself and of the plan's own hand-over; "" goes on.
HAPPENS: Final[dict[Callable[[Cast, OpenedPlan, int], None], tuple[str, str]]] = {
    succeeds: (MADE, ""),
    fails: (MADE, "failed"),
    is_lost: (MADE, "unknown"),
    drifts: (LEFT, "failed"),
    is_another_call: (LEFT, "failed"),
    is_denied: ("blocked", "failed"),
    asks_for_more: (LEFT, "failed"),
    loses_its_voter: (LEFT, "failed"),
    is_too_late: ("expired", "failed"),
}


def expected(act: Any, no: int) -> tuple[list[str], str]:
    """Return the states of three changes, and how the plan stands, by the table alone."""
    own, whole = HAPPENS[act]
    before = [MADE] * (no - 1)
    rest = COUNT - no
    if not whole:
        return [*before, own, *["approved"] * rest], "claimed" if rest else "succeeded"
    return [*before, own, *[LEFT] * rest], whole


class TestProgress:
    @pytest.mark.parametrize("no", range(1, COUNT + 1))
    @pytest.mark.parametrize("act", HAPPENS, ids=lambda act: act.__name__)
    def test_is_what_the_table_says(self, cast: Cast, act: Any, no: int) -> None:
        plan = running(cast, no - 1)
        act(cast, plan, no)

        assert (states_of(cast, plan), outcome_of(cast, plan.plan)) == expected(act, no)
        broken = bool(HAPPENS[act][1])
        assert ("plan.broken" in happened(cast, plan.plan)) is broken
        if broken and no < COUNT:
            found = claim_step(cast, plan, no + 1)
            assert isinstance(found, NotClaimed), "what was withdrawn never runs"

    def test_goes_in_order(self, cast: Cast) -> None:
        plan = running(cast, 0)
        for no in (2, 3):
            found = claim_step(cast, plan, no)
            assert isinstance(found, NotClaimed)
            assert (found.code, found.state) == ("plan.not_yet", ProposalState.APPROVED)
        first = claim_step(cast, plan, 1)
        assert isinstance(claim_step(cast, plan, 2), NotClaimed), "the first one runs"
        report_step(cast, first, DispatchState.SUCCEEDED)
        assert isinstance(claim_step(cast, plan, 2), Claimed)

    @pytest.mark.parametrize("happened_after_all", [True, False])
    @pytest.mark.parametrize("no", [2, COUNT])
    def test_follows_what_people_find_out(
        self, cast: Cast, no: int, *, happened_after_all: bool
    ) -> None:
        plan = running(cast, no - 1)
        is_lost(cast, plan, no)
        dispatch = now(cast, plan.steps[no - 1]).dispatch
        assert dispatch is not None
        commands.report_outcome(
            actor=cast.system,
            dispatch_id=dispatch.id,
            outcome=DispatchState.SUCCEEDED if happened_after_all else DispatchState.FAILED,
            after={},
            evidence={"found": "I looked."},
        )
        whole = "succeeded" if happened_after_all and no == COUNT else "failed"
        assert outcome_of(cast, plan.plan) == whole

    def test_waits_under_a_stop_and_goes_on_after_it(self, cast: Cast) -> None:
        plan = running(cast, 1)
        ids = [card.id for card in plan.steps]
        commands.freeze(actor=pulse(cast), proposal_ids=ids, cause="a stop", since=clock.now())
        found = claim_step(cast, plan, 2)
        assert isinstance(found, NotClaimed)
        assert (found.code, found.state) == ("proposal.frozen", ProposalState.APPROVED)
        commands.thaw(actor=pulse(cast), proposal_ids=ids, cause="a stop")
        run_step(cast, plan, 2)

    def test_is_not_approved_under_a_stop(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        ids = [plan.plan.id, *(card.id for card in plan.steps)]
        commands.freeze(actor=pulse(cast), proposal_ids=ids, cause="a stop", since=clock.now())
        with pytest.raises(ProposalFrozen):
            approve(plan.plan, cast.ruth)
        reject(plan.plan, cast.ruth)
