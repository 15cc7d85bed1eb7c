from itertools import product

import pytest

from approvals.states import (
    BIRTHS,
    DECIDABLE,
    FINAL,
    LIVE,
    NEXT,
    NEXT_DISPATCH,
    REJECT_LABELS,
    DispatchState,
    ProposalState,
    RejectCode,
)


class TestNext:
    def test_has_a_row_for_every_state(self) -> None:
        assert set(NEXT) == set(ProposalState)
        assert set(NEXT_DISPATCH) == set(DispatchState)

    def test_leaves_no_final_state(self) -> None:
        assert all(not NEXT[state] for state in FINAL)

    def test_reaches_dispatch_only_from_approved(self) -> None:
        assert [s for s in ProposalState if ProposalState.DISPATCHED in NEXT[s]] == [
            ProposalState.APPROVED
        ]

    def test_reaches_approval_only_from_open(self) -> None:
        assert [s for s in ProposalState if ProposalState.APPROVED in NEXT[s]] == [
            ProposalState.OPEN
        ]

    @pytest.mark.parametrize(
        ("was", "now"), list(product(sorted(LIVE), sorted(FINAL - {ProposalState.DISPATCHED})))
    )
    def test_lets_every_live_state_end(self, was: ProposalState, now: ProposalState) -> None:
        never = {
            (ProposalState.OPEN, ProposalState.BLOCKED),
            (ProposalState.STALE, ProposalState.BLOCKED),
            (ProposalState.APPROVED, ProposalState.REJECTED),
        }
        assert (now in NEXT[was]) is ((was, now) not in never)

    def test_is_born_open_approved_or_blocked(self) -> None:
        assert {ProposalState.OPEN, ProposalState.APPROVED, ProposalState.BLOCKED} == BIRTHS

    def test_decides_only_what_is_open_or_stale(self) -> None:
        assert {ProposalState.OPEN, ProposalState.STALE} == DECIDABLE


class TestRejectCode:
    def test_has_a_label_for_each(self) -> None:
        assert set(REJECT_LABELS) == set(RejectCode)
