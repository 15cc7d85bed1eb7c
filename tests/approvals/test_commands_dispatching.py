from datetime import timedelta
from typing import Any

import pytest

from approvals import commands
from approvals.cards import Claimed, NotClaimed
from approvals.errors import OutcomeKnown
from approvals.states import DispatchState, ProposalState
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.errors import NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    AFTER,
    agent,
    approve,
    approved,
    claim,
    content,
    now,
    opened,
    reject,
)
from tests.cast import Cast


class TestClaimDispatch:
    def test_gives_the_stored_arguments_once(self, cast: Cast) -> None:
        card = approved(cast)
        got = claim(cast, card)
        assert isinstance(got, Claimed)
        assert got.args == content().args
        detail = now(cast, card)
        assert detail.card.state is ProposalState.DISPATCHED
        assert detail.dispatch is not None
        assert detail.dispatch.state is DispatchState.CLAIMED

    def test_refuses_a_second_call(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card)
        again = claim(cast, card)
        assert isinstance(again, NotClaimed)
        assert again.code == "dispatch.duplicate"

    def test_answers_the_same_call_again_until_its_time_is_over(self, cast: Cast) -> None:
        card, key = approved(cast), uuid7()
        first = claim(cast, card, key=key)
        again = claim(cast, card, key=key)
        assert (again.dispatch_id, again.repeated) == (first.dispatch_id, True)
        with clock.frozen(clock.now() + timedelta(minutes=15)):
            assert claim(cast, card, key=key).code == "dispatch.late"

    def test_never_answers_again_once_the_outcome_is_known(self, cast: Cast) -> None:
        card, key = approved(cast), uuid7()
        report(cast, claim(cast, card, key=key).dispatch_id, "failed")
        assert claim(cast, card, key=key).code == "dispatch.duplicate"

    @pytest.mark.parametrize(
        ("other", "code", "state"),
        [
            ({"tool": "delete_user"}, "dispatch.other_call", ProposalState.APPROVED),
            ({"args": {"order_id": "#W2"}}, "dispatch.other_call", ProposalState.APPROVED),
            ({"contract_hash": "d" * 64}, "proposal.stale", ProposalState.STALE),
            ({"before": {"orders": {"#W1": {}}}}, "proposal.stale", ProposalState.STALE),
            ({"before": {"orders": {"#W1": "gone"}}}, "proposal.stale", ProposalState.STALE),
            ({"before": {"orders": ["#W1"]}}, "proposal.stale", ProposalState.STALE),
            ({"before": {"orders": None}}, "proposal.stale", ProposalState.STALE),
        ],
    )
    def test_refuses_any_change_of_a_bound_field(
        self, cast: Cast, other: dict[str, Any], code: str, state: ProposalState
    ) -> None:
        card = approved(cast)
        got = claim(cast, card, **other)
        assert (got.code, got.state) == (code, state)
        events = [line.action for line in now(cast, card).history]
        assert events[-1] == ("proposal.staled" if "stale" in code else "dispatch.refused")

    def test_keeps_what_it_found_for_people(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card, before={"orders": {"#W1": {"status": "shipped", "total": 41800}}})
        detail = now(cast, card)
        assert {line.path: (line.now, line.mark) for line in detail.drift} == {
            "orders #W1 note": (None, "drifted"),
            "orders #W1 status": ("shipped", "conflict"),
        }
        assert detail.card.decide_by > card.decide_by

    def test_refuses_without_people(self, cast: Cast) -> None:
        one, two, gone = opened(cast), opened(cast, tier=2), opened(cast)
        approve(two, cast.ruth)
        reject(gone, cast.ruth)
        assert claim(cast, one).code == "proposal.open"
        assert claim(cast, two).code == "proposal.open"
        assert claim(cast, gone).code == "proposal.rejected"

    def test_is_too_late_at_the_execute_by_time(self, cast: Cast) -> None:
        card = approved(cast)
        execute_by = now(cast, card).card.execute_by
        assert execute_by is not None
        with clock.frozen(execute_by):
            got = claim(cast, card)
        assert got.code == "proposal.expired"
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_runs_nothing_while_a_stop_holds_it(self, cast: Cast) -> None:
        card = approved(cast)
        commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now())
        assert claim(cast, card).code == "proposal.frozen"
        commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="stop")
        assert isinstance(claim(cast, card), Claimed)

    def test_takes_it_back_to_people_when_a_voter_lost_the_right(self, cast: Cast) -> None:
        card = approved(cast, tier=2)
        accounts.set_membership(
            actor=cast.noor,
            person_id=cast.members["ruth"].id,
            roles=("operator",),
            groups=(),
            active=True,
        )
        assert claim(cast, card).code == "proposal.reopened"
        detail = now(cast, card)
        assert detail.card.state is ProposalState.OPEN
        assert [line.person for line in detail.others] == []
        third = cast.add("third", roles=("reviewer",), groups=("care",))
        assert approve(card, third).state is ProposalState.APPROVED
        assert isinstance(claim(cast, card), Claimed)

    def test_hides_the_proposal_from_another_tenant(self, cast: Cast) -> None:
        card = approved(cast)
        with pytest.raises(NotFound):
            commands.claim_dispatch(
                actor=cast.mallory, proposal_id=card.id, call_key=uuid7(), content=content()
            )


def report(cast: Cast, dispatch_id: Any, outcome: str) -> None:
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=dispatch_id,
        outcome=DispatchState(outcome),
        after=AFTER,
        evidence={"rows": 1},
    )


class TestReportOutcome:
    @pytest.mark.parametrize("outcome", ["succeeded", "failed", "unknown"])
    def test_records_it_once(self, cast: Cast, outcome: str) -> None:
        card = approved(cast)
        got = claim(cast, card)
        report(cast, got.dispatch_id, outcome)
        report(cast, got.dispatch_id, outcome)
        detail = now(cast, card)
        assert detail.dispatch is not None
        assert detail.dispatch.state.value == outcome
        events = [line.action for line in detail.history]
        assert events.count(f"dispatch.{outcome}") == 1

    def test_settles_the_unknown_later(self, cast: Cast) -> None:
        card = approved(cast)
        got = claim(cast, card)
        report(cast, got.dispatch_id, "unknown")
        report(cast, got.dispatch_id, "succeeded")
        assert now(cast, card).history[-1].action == "dispatch.reconciled"

    def test_never_changes_a_known_outcome(self, cast: Cast) -> None:
        got = claim(cast, approved(cast))
        report(cast, got.dispatch_id, "succeeded")
        for other in ("failed", "unknown", "claimed"):
            with pytest.raises(OutcomeKnown):
                report(cast, got.dispatch_id, other)

    def test_hides_the_dispatch_from_another_tenant(self, cast: Cast) -> None:
        got = claim(cast, approved(cast))
        with pytest.raises(NotFound):
            commands.report_outcome(
                actor=cast.mallory,
                dispatch_id=got.dispatch_id,
                outcome=DispatchState.FAILED,
                after={},
                evidence={},
            )
