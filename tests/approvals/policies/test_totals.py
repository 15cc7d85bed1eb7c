"""Rules that add up what other calls do, also when those come at the same moment."""

from functools import partial
from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import Call, Claimed, ProposalCard
from approvals.states import ProposalState, Says
from console.kernel import clock
from tests.approvals import desk
from tests.approvals.policies.rules import rule, spoken
from tests.cast import Cast
from tests.races.test_votes import at_once

DAY = {
    "sum": "/args/amount",
    "by": ["/target/customer"],
    "window": "24h",
    "op": "gt",
    "value": "500.00",
}
REFUND = {"match": {"tool": "refund.*"}}


def limited(cast: Cast, effect: str = "deny", **total: Any) -> None:
    """Allow refunds, and deny or hold what is over 500 a day for a customer."""
    spoken(
        cast,
        rule("fine", "allow", **REFUND),
        rule("day-sum", effect, priority=9, **REFUND, total={**DAY, **total}),
    )


def refund(cast: Cast, amount: Any, customer: str = "mia", **other: Any) -> ProposalCard:
    return desk.opened(
        cast,
        tool="refund.create",
        args={"amount": amount},
        facts_=desk.facts(target={"customer": customer}),
        **other,
    )


class TestTotals:
    def test_add_up_live_and_dispatched_calls(self, cast: Cast) -> None:
        limited(cast)
        first = refund(cast, "300.00")
        claimed = desk.claim(cast, first, tool="refund.create", args={"amount": "300.00"})
        assert isinstance(claimed, Claimed)
        assert refund(cast, "200.00").state is ProposalState.APPROVED
        assert refund(cast, "0.01").state is ProposalState.BLOCKED

    def test_do_not_count_what_never_ran(self, cast: Cast) -> None:
        limited(cast)
        first = refund(cast, "300.00")
        commands.withdraw(actor=desk.agent(cast), proposal_id=first.id, cause="run ended")
        refund(cast, "501.00")  # blocked at its birth
        assert refund(cast, "500.00").state is ProposalState.APPROVED

    def test_keep_customers_and_tools_apart(self, cast: Cast) -> None:
        limited(cast)
        refund(cast, "400.00")
        desk.opened(cast, tool="other.create", args={"amount": "400.00"})
        assert refund(cast, "400.00", customer="yusuf").state is ProposalState.APPROVED
        assert refund(cast, "400.00").state is ProposalState.BLOCKED

    def test_end_with_their_window(self, cast: Cast) -> None:
        limited(cast, window="1s")
        first = refund(cast, "300.00")
        with desk_clock_after(first, seconds=2):
            assert refund(cast, "300.00").state is ProposalState.APPROVED

    def test_count_for_a_hold_when_a_number_is_missing(self, cast: Cast) -> None:
        limited(cast, "hold")
        assert refund(cast, "a lot").state is ProposalState.OPEN
        assert refund(cast, "1.00").state is ProposalState.OPEN  # the other one is no number

    def test_let_the_first_of_two_run_and_make_the_second_wait(self, cast: Cast) -> None:
        limited(cast, "hold")
        first, second = refund(cast, "300.00"), refund(cast, "300.00")
        assert (first.state, second.state) == (ProposalState.APPROVED, ProposalState.OPEN)
        claimed = desk.claim(cast, first, tool="refund.create", args={"amount": "300.00"})
        assert isinstance(claimed, Claimed)

    def test_are_the_same_in_a_simulation_which_writes_nothing(self, cast: Cast) -> None:
        limited(cast)
        refund(cast, "400.00")
        tried = Call(
            tool="refund.create", tier=1, args={"amount": "200"}, target={"customer": "mia"}
        )
        for _ in range(2):
            assert queries.simulate(actor=cast.noor, call=tried).says is Says.DENY
        assert refund(cast, "100.00").state is ProposalState.APPROVED

    @pytest.mark.parametrize("amount", ["100.00", "250.00"])
    def test_cannot_be_passed_at_the_same_moment(self, cast: Cast, amount: str) -> None:
        limited(cast)
        acts = [partial(refund, cast, amount) for _ in range(12)]
        states = [card.state for card in at_once(acts)]
        allowed = 500 // int(float(amount))
        assert states.count(ProposalState.APPROVED) == allowed
        assert states.count(ProposalState.BLOCKED) == 12 - allowed


def desk_clock_after(card: ProposalCard, *, seconds: float) -> Any:
    return clock.frozen(clock.later(card.opened_at, seconds=seconds))
