"""A plan's targets are looked at before its changes run: each as the ones before it leave it."""

from typing import Any
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import Claimed, Content, OpenedPlan, PlanStep, ProposalCard, Subject
from approvals.errors import AlreadyDecided, NotEditable
from approvals.queries.probing import unprobed
from approvals.states import HANDED_BACK, DispatchState, ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.clocks import happened
from tests.approvals.desk import agent, approve, facts, now, reject
from tests.approvals.letters import CONTRACT, CONTRACTS, DRAWER, KIND, TOOL
from tests.approvals.plans import opened_plan, outcome_of, states_of
from tests.approvals.test_views import text
from tests.approvals.test_views_page import page_of
from tests.cast import Cast

COUNT = 3


def stamped(no: int) -> dict[str, Any]:
    return {"letters": {"L1": {"to": "Mia", "stamps": no}}}


def content(no: int, **other: Any) -> Content:
    """Return the change that puts stamp `no` beside those of the earlier changes."""
    values: dict[str, Any] = {
        "tool": TOOL,
        "contract_hash": CONTRACT,
        "args": {"to": "Mia", "stamps": no},
        "before": stamped(no - 1),
        "after": stamped(no),
    }
    return Content(**{**values, **other})


def planned(cast: Cast, *, tier: int = 2) -> OpenedPlan:
    """Open a plan of three changes of one letter that lies in the drawer."""
    run = uuid7()
    changes = [
        PlanStep(
            subject=Subject(kind=KIND, id=uuid7()),
            content=content(no),
            facts=facts(tier, title=f"Put stamp {no} on it", run_id=run),
        )
        for no in range(1, COUNT + 1)
    ]
    there = {"to": "Mia", "stamps": 0}
    DRAWER.update({one.subject.id: there for one in changes})
    return opened_plan(cast, changes=changes)


def agreed(cast: Cast) -> OpenedPlan:
    plan = planned(cast)
    for person in (cast.ruth, cast.ines):
        approve(plan.plan, person)
    return plan


def letter_of(plan: OpenedPlan) -> dict[str, Any]:
    return DRAWER[plan.steps[0].subject.id]


def claimed(cast: Cast, plan: OpenedPlan, no: int) -> Any:
    return commands.claim_dispatch(
        actor=agent(cast), proposal_id=plan.steps[no - 1].id, call_key=uuid7(), content=content(no)
    )


def made(cast: Cast, plan: OpenedPlan, no: int) -> None:
    """Make one change: the letter has one more stamp."""
    found = claimed(cast, plan, no)
    assert isinstance(found, Claimed)
    letter_of(plan)["stamps"] = no
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=found.dispatch_id,
        outcome=DispatchState.SUCCEEDED,
        after=stamped(no),
        evidence={},
    )


def look(cast: Cast, proposal_id: UUID) -> bool:
    return commands.probe(actor=cast.system, proposal_id=proposal_id, every_s=0)


class TestLook:
    def test_finds_nothing_while_each_target_is_what_the_changes_before_will_leave(
        self, cast: Cast
    ) -> None:
        plan = planned(cast)
        assert not look(cast, plan.plan.id)
        assert not look(cast, plan.steps[2].id), "the page of a change looks at the whole plan"
        assert now(cast, plan.plan).card == plan.plan
        assert states_of(cast, plan) == ["open"] * COUNT

    def test_makes_a_plan_that_waits_stale_with_then_proposed_and_now(self, cast: Cast) -> None:
        plan = planned(cast)
        approve(plan.plan, cast.ines)
        letter_of(plan)["to"] = "Tom"
        assert look(cast, plan.steps[1].id)

        detail = now(cast, plan.plan)
        marks = {line.path: (line.then, line.now, line.mark) for line in detail.drift}
        assert detail.card.state is ProposalState.STALE
        # The later changes start from what the first one would leave, so they are as they were.
        assert {path: mark for path, mark in marks.items() if mark[2] != "same"} == {
            "1. letters L1 to": ("Mia", "Tom", "drifted")
        }
        assert marks["2. letters L1 stamps"] == ("1", "1", "same")
        assert detail.history[-1].action == "proposal.staled"
        assert states_of(cast, plan) == ["open"] * COUNT
        with pytest.raises(AlreadyDecided):
            approve(plan.plan, cast.ruth)
        assert "1. letters L1 to" in page_of(cast, plan.plan)

    def test_finds_a_later_target_that_no_change_before_touches(self, cast: Cast) -> None:
        plan = planned(cast)
        last = plan.steps[2].subject.id
        DRAWER[last] = {**letter_of(plan), "stamps": 0}
        CONTRACTS[last] = "2" * 64
        assert look(cast, plan.plan.id)
        assert now(cast, plan.plan).card.state is ProposalState.STALE

    def test_breaks_a_plan_that_runs_before_its_turn_comes(self, cast: Cast) -> None:
        plan = agreed(cast)
        made(cast, plan, 1)
        assert not look(cast, plan.plan.id), "the first change was the plan's own"
        letter_of(plan)["to"] = "Tom"
        assert look(cast, plan.plan.id)

        assert states_of(cast, plan) == ["dispatched", "withdrawn", "withdrawn"]
        assert outcome_of(cast, plan.plan) == "failed"
        assert "plan.broken" in happened(cast, plan.plan)
        assert happened(cast, plan.steps[1])[-2:] == ["proposal.staled", "proposal.decided"]
        assert not look(cast, plan.plan.id)

    def test_says_nothing_while_a_change_is_being_made(self, cast: Cast) -> None:
        plan = agreed(cast)
        assert isinstance(claimed(cast, plan, 1), Claimed)
        letter_of(plan)["stamps"] = 1  # done, and not reported yet
        assert not look(cast, plan.plan.id)
        assert states_of(cast, plan) == ["dispatched", "approved", "approved"]

    def test_leaves_what_cannot_be_looked_at(self, cast: Cast) -> None:
        plan = planned(cast)
        del DRAWER[plan.steps[1].subject.id]
        assert not look(cast, plan.plan.id)


class TestDuty:
    def test_looks_at_plans_that_wait_and_that_run_every_five_minutes(self, cast: Cast) -> None:
        waits, runs, low = planned(cast), agreed(cast), planned(cast, tier=1)
        for plan in (waits, runs, low):
            letter_of(plan)["to"] = "Tom"
        with clock.frozen(clock.later(low.plan.opened_at, seconds=301)):
            assert unprobed(actor=cast.system, older_than_s=300, tier=2, limit=9) == [
                runs.plan.id,
                waits.plan.id,
            ]
            assert commands.probe_due(actor=cast.system) == 2
            assert commands.probe_due(actor=cast.system) == 0
        assert now(cast, waits.plan).card.state is ProposalState.STALE
        assert states_of(cast, runs) == ["withdrawn"] * COUNT
        assert now(cast, low.plan).card.state is ProposalState.OPEN


def stale(cast: Cast) -> ProposalCard:
    plan = planned(cast)
    letter_of(plan)["to"] = "Tom"
    assert look(cast, plan.plan.id)
    return plan.plan


class TestStalePlan:
    def test_is_not_put_on_another_base(self, cast: Cast) -> None:
        card = stale(cast)
        page = page_of(cast, card)
        assert "A plan is never put on another base" in page
        assert "Put it on the new base" not in page
        with pytest.raises(NotEditable):
            commands.rebase(
                actor=cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest
            )

    def test_is_handed_back_with_all_of_its_changes(self, cast: Cast) -> None:
        card = stale(cast)
        answer = cast.client("ruth").post(
            f"/reviews/{card.id}/hand-back/", {"revision_no": 1, "seen_digest": card.digest}
        )
        assert answer.status_code == 302, text(answer)
        plan = queries.plan_of(actor=cast.ruth, proposal_id=card.id)
        assert plan is not None
        for one in (card, *(step.card for step in plan.steps)):
            ending = queries.ending_of(actor=cast.system, proposal_id=one.id)
            assert (ending.state, ending.cause) == (ProposalState.WITHDRAWN, HANDED_BACK)

    def test_is_rejected(self, cast: Cast) -> None:
        card = stale(cast)
        reject(card, cast.ruth)
        assert now(cast, card).card.state is ProposalState.REJECTED

    def test_is_what_a_reader_of_the_highest_tier_finds(self, cast: Cast) -> None:
        plan = planned(cast)
        letter_of(plan)["to"] = "Tom"
        page = text(cast.client("ruth").get(f"/reviews/{plan.steps[2].id}/"))
        assert "people decide about the plan as a whole" in page
        assert "It cannot be approved any more" in page_of(cast, plan.plan)
