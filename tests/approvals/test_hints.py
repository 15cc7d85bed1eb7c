"""What open pages are told of a proposal: that something happened, and at most how it ended."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from approvals import commands
from approvals.cards import ProposalCard
from approvals.events import QUEUE
from approvals.states import SETTLED, CommentKind, ProposalState
from console.kernel import live
from console.kernel.models import OutboxRow
from tests.approvals.desk import agent, approve, approved, claim, opened, reject
from tests.approvals.plans import opened_plan
from tests.cast import Cast

FIELDS = {"topic", "seq", "id", "rev"}


def told(cast: Cast) -> list[dict[str, Any]]:
    """Return what goes over the wire, of the lists and of proposals, and forget it."""
    rows = OutboxRow.objects.filter(
        tenant_id=cast.tenant_id, kind="hint", target__regex=r"^(reviews\.queue$|proposal:)"
    ).order_by("id")
    found = [live.hint_of(row.target, 1, row.payload) for row in rows]
    rows.delete()
    return found


def withdraw(cast: Cast, card: ProposalCard) -> None:
    commands.withdraw(actor=agent(cast), proposal_id=card.id, cause="the run ended")


def words(hints: list[dict[str, Any]]) -> set[tuple[UUID, str]]:
    return {(UUID(one["id"]), one["settled"]) for one in hints if "settled" in one}


class TestHints:
    @pytest.mark.parametrize(
        ("settle", "word"),
        [
            (lambda cast, card: approve(card, cast.ruth), "approved"),
            (lambda cast, card: reject(card, cast.ruth), "rejected"),
            (withdraw, "withdrawn"),
        ],
    )
    def test_of_what_settles_carry_how_and_no_more(
        self, cast: Cast, settle: Callable[[Cast, ProposalCard], None], word: str
    ) -> None:
        card = opened(cast)
        told(cast)
        settle(cast, card)
        hints = told(cast)
        assert {one["topic"] for one in hints} == {QUEUE, f"proposal:{card.id}"}
        for one in hints:
            assert one == {**one, "id": str(card.id), "rev": 0, "settled": word}
            assert set(one) == {*FIELDS, "settled"}

    def test_of_a_hand_over_carry_that(self, cast: Cast) -> None:
        card = approved(cast)
        told(cast)
        claim(cast, card)
        assert words(told(cast)) == {(card.id, "dispatched")}

    def test_of_anything_else_are_references(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        commands.ask(
            actor=cast.ruth, proposal_id=card.id, kind=CommentKind.QUESTION, text="Why twice?"
        )
        hints = told(cast)
        assert hints
        assert all(set(one) == FIELDS for one in hints)

    def test_of_a_hidden_vote_are_none_until_it_settles(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        told(cast)
        approve(card, cast.ines)
        assert told(cast) == []
        approve(card, cast.ruth)
        assert words(told(cast)) == {(card.id, "approved")}

    def test_of_a_plan_tell_the_lists_of_the_plan_alone(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        told(cast)
        approve(plan.plan, cast.ruth)
        assert words(told(cast)) == {(plan.plan.id, "approved"), (plan.plan.id, "dispatched")}

    def test_have_the_words_for_what_nobody_decides_any_more(self) -> None:
        assert {str(state) for state in SETTLED} == live._topics["proposal"].settled
        for state in ProposalState:
            sent = live.hint_of(QUEUE, 1, {"settled": state.value})
            assert ("settled" in sent) is (state not in {ProposalState.OPEN, ProposalState.STALE})

    @pytest.mark.parametrize("text", ["", "<b>approved</b>", "Approved", "approved by Ruth", None])
    def test_drop_what_is_no_such_word(self, text: str | None) -> None:
        assert set(live.hint_of(QUEUE, 1, {"settled": text})) == FIELDS

    def test_of_other_topics_have_no_word(self) -> None:
        for name in ("reviews.claims", "proposal.claims:1", "controls", "nowhere"):
            assert set(live.hint_of(name, 1, {"settled": "approved"})) == FIELDS
