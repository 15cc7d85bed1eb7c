"""Plans: opened as one, decided as one, and ended as one when anything goes otherwise."""

from dataclasses import replace
from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import Content
from approvals.commands import pressure
from approvals.errors import (
    AlreadyDecided,
    NotEditable,
    PartOfPlan,
    PlanOfOthers,
    ProposalExpired,
    StepDoesNotFollow,
    VoteByPrincipal,
)
from approvals.errors.breaking import BreakGlassNotOffered
from approvals.models import Proposal
from approvals.policies import planning
from approvals.queries import View
from approvals.queries.breaking import require_may_break
from approvals.states import Basis, Choice, CommentKind, ProposalState
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import happened, ruled, sweep
from tests.approvals.desk import agent, approve, now, opened, reject, vote
from tests.approvals.plans import (
    COUNT,
    change,
    opened_plan,
    order,
    outcome_of,
    run_step,
    running,
    state_of,
    states_of,
    steps,
)
from tests.approvals.policies.rules import rule, spoken, when
from tests.approvals.test_bound_fields import others
from tests.cast import Cast

MADE, LEFT = "dispatched", "withdrawn"


class TestOpenPlan:
    def test_asks_people_once_for_all_of_its_changes(self, cast: Cast) -> None:
        plan = opened_plan(cast, COUNT)

        assert plan.plan.title == "Plan of 3 changes: Set note 1"
        assert (plan.plan.state, plan.plan.steps) == (ProposalState.OPEN, COUNT)
        assert [(one.plan_id, one.plan_pos) for one in plan.steps] == [
            (plan.plan.id, 1), (plan.plan.id, 2), (plan.plan.id, 3),
        ]  # fmt: skip
        for view in (View.MINE, View.TEAM):
            found = queries.awaiting_review(actor=cast.ruth, view=view)
            assert [row.card.id for row in found.rows] == [plan.plan.id]
        assert queries.turn_count(actor=cast.ruth) == 1
        assert happened(cast, plan.plan) == ["plan.proposed", "proposal.opened"]

    def test_asks_for_what_each_change_asks_and_the_highest_tier(self, cast: Cast) -> None:
        low, high = steps(change(1)), steps(change(2), tier=2)
        plan = opened_plan(cast, changes=[*low, *high])

        detail = now(cast, plan.plan)
        assert (detail.card.tier, detail.card.needs) == (2, 2)
        assert (detail.requirement.blind, detail.requirement.stepup_s) == (True, 300)
        assert (detail.requirement.batch_most, detail.requirement.standing) == (0, False)

    def test_adds_up_the_blocks_of_different_rules(self, cast: Cast) -> None:
        groups = {"note 1": "care", "note 2": "finance"}
        spoken(
            cast,
            *(
                rule(
                    group,
                    "hold",
                    match={"tool": "set_note"},
                    when={"all": [when("/args/note", "eq", note)]},
                    require={"all": [{"slots": [{"groups": [group], "n": 1}]}]},
                )
                for note, group in groups.items()
            ),
        )
        plan = opened_plan(cast, 2)
        approve(plan.plan, cast.ruth)
        assert state_of(cast, plan.plan) == "open"
        approve(plan.plan, cast.ines)
        assert states_of(cast, plan) == ["approved"] * 2

    def test_is_blocked_by_a_denial_of_one_change(self, cast: Cast) -> None:
        last = [when("/args/note", "eq", "note 3")]
        spoken(cast, rule("never", "deny", match={"tool": "set_note"}, when={"all": last}))
        plan = opened_plan(cast, COUNT)

        assert plan.plan.state is ProposalState.BLOCKED
        assert states_of(cast, plan) == [LEFT, LEFT, "blocked"]
        assert now(cast, plan.plan).close_cause == "shop-writes/never"

    def test_runs_without_people_where_a_rule_allows_every_change(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", match={"tool": "set_note"}))
        plan = opened_plan(cast, 2)

        assert (plan.plan.state, states_of(cast, plan)) == (
            ProposalState.DISPATCHED, ["approved", "approved"],
        )  # fmt: skip
        decided = now(cast, plan.plan).decision
        assert decided is not None
        assert decided.basis is Basis.RULE
        run_step(cast, plan, 1)

    def test_counts_the_earlier_changes_for_the_later_ones(self, cast: Cast) -> None:
        total = {"sum": "/args/amount", "by": ["/args/order_id"], "window": "24h", "op": "gt"}
        spoken(
            cast,
            rule("fine", "allow", match={"tool": "set_note"}),
            rule("much", "deny", match={"tool": "set_note"}, total={**total, "value": "25.00"}),
        )
        paid = [
            change(no, args={"order_id": "#W1", "note": f"note {no}", "amount": "10.00"})
            for no in range(1, COUNT + 1)
        ]
        assert opened_plan(cast, changes=steps(*paid)).plan.state is ProposalState.BLOCKED
        assert opened_plan(cast, changes=steps(*paid[:2])).plan.state is ProposalState.DISPATCHED

    def test_gives_the_same_plan_again_and_puts_another_in_its_place(self, cast: Cast) -> None:
        first = opened_plan(cast, 2)
        subject = now(cast, first.plan).card.subject.id
        again = opened_plan(cast, 2, subject=subject)
        other = opened_plan(cast, COUNT, subject=subject)

        assert again == first
        assert other.plan.id != first.plan.id
        assert (state_of(cast, first.plan), states_of(cast, first)) == ("superseded", [LEFT, LEFT])

    def test_takes_the_place_of_a_change_that_waits_by_itself(self, cast: Cast) -> None:
        changes = steps(change(1), change(2))
        alone = opened(cast, subject=changes[1].subject)
        opened_plan(cast, changes=changes)

        assert state_of(cast, alone) == "superseded"

    def test_counts_as_one_for_the_flood(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pressure, "MOST_OF_RUN", 2)
        opened_plan(cast, COUNT)

        assert opened_plan(cast, COUNT).plan.state is ProposalState.OPEN

    def test_is_not_asked_again_after_a_rejection(self, cast: Cast) -> None:
        first = opened_plan(cast, 2)
        reject(first.plan, cast.ruth)
        again = opened_plan(cast, 2)

        assert (again.plan.state, states_of(cast, again)) == (ProposalState.BLOCKED, [LEFT, LEFT])
        # Its changes were not rejected one by one, so one of them may be asked for alone.
        alone = steps(change(1))[0]
        assert opened(cast, subject=alone.subject, args=change(1).args).state == "open"

    @pytest.mark.parametrize(
        ("contents", "kind"),
        [
            ([change(1)], PlanOfOthers),
            ([change(no) for no in range(1, 22)], PlanOfOthers),
            ([change(1), change(3)], StepDoesNotFollow),
            ([change(2), change(1)], StepDoesNotFollow),
        ],
    )
    def test_refuses_what_makes_no_plan(
        self, cast: Cast, contents: list[Content], kind: type[Exception]
    ) -> None:
        with pytest.raises(kind):
            opened_plan(cast, changes=steps(*contents))

    def test_refuses_changes_of_two_agents(self, cast: Cast) -> None:
        first, second = steps(change(1), change(2))
        with pytest.raises(PlanOfOthers):
            opened_plan(
                cast,
                changes=[first, replace(second, facts=replace(second.facts, agent_id="other"))],
            )


class TestDigest:
    @pytest.mark.parametrize("name", ["tool", "contract_hash", "args", "before"])
    def test_differs_with_every_bound_field_of_every_change(self, name: str) -> None:
        contents = [change(1), change(2)]
        whole = planning.combined(contents).digest
        for place, content in enumerate(contents):
            value = getattr(content, name)
            for other in others(value) if not isinstance(value, str) else [f"{value}x"]:
                changed = [*contents]
                changed[place] = replace(content, **dict[str, Any]({name: other}))
                assert planning.combined(changed).digest != whole

    def test_differs_with_order_and_length(self) -> None:
        one, two, three = (change(no) for no in (1, 2, 3))
        digests = {
            planning.combined(each).digest
            for each in ([one, two], [two, one], [one, two, three], [one, one, two])
        }
        assert len(digests) == 4

    def test_is_of_no_single_proposal(self) -> None:
        whole = planning.combined([change(1), change(2)])
        assert replace(whole, children=()).digest != whole.digest


class TestFollows:
    def test_takes_missing_for_null_and_other_fields_for_unknown(self) -> None:
        first = change(1, after={"orders": {"#W1": {"status": "pending"}}})
        later = change(2, before={"orders": {"#W1": {"note": None, "paid": True}}})
        facts = [one.facts for one in steps(first, later)]
        planning.require_plan([first, later], facts)

        wrong = change(2, before={"orders": {"#W1": {"note": ""}}})
        with pytest.raises(StepDoesNotFollow):
            planning.require_plan([first, wrong], facts)

    def test_is_what_the_gate_plans_a_later_change_on(self) -> None:
        left = planning.overlaid(planning.overlaid({}, change(1)), change(2))
        assert planning.as_left(order("note 0"), left) == order("note 2")
        assert planning.as_left({"orders": {"#W2": {"note": "x"}}}, left) == {
            "orders": {"#W2": {"note": "x"}}
        }


class TestVote:
    def test_is_cast_on_the_plan_alone(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        for card in plan.steps:
            for choice in Choice:
                with pytest.raises(PartOfPlan):
                    vote(card, cast.ruth, choice)
            assert "change" in now(cast, card, cast.ruth).refusal
        with pytest.raises(PartOfPlan):
            commands.claim(actor=cast.ruth, proposal_id=plan.steps[0].id)
        with pytest.raises(PartOfPlan):
            commands.ask(
                actor=cast.ruth,
                proposal_id=plan.steps[0].id,
                kind=CommentKind.QUESTION,
                text="Why?",
            )
        approve(plan.plan, cast.ruth)

    def test_rests_on_every_difference_of_every_change(self, cast: Cast) -> None:
        plan = opened_plan(cast, COUNT)
        needed = queries.parts_needed(actor=cast.ruth, proposal_id=plan.plan.id, revision_no=1)
        assert len(needed) == 1 + COUNT  # the page, and one field of each change

    def test_is_nobodys_who_had_a_part(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        for actor in (cast.noor, cast.omar):
            with pytest.raises(VoteByPrincipal):
                approve(plan.plan, actor)

    def test_is_not_replaced_by_break_glass(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        with in_tenant(cast.tenant_id, read_only=True):
            rows = [Proposal.objects.get(pk=card.id) for card in (plan.plan, plan.steps[0])]
        for row, kind in zip(rows, (BreakGlassNotOffered, PartOfPlan), strict=True):
            with pytest.raises(kind):
                require_may_break(cast.ruth, row, ())

    def test_taken_back_while_it_runs_withdraws_the_rest(self, cast: Cast) -> None:
        plan = running(cast, 1)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=plan.plan.id)

        assert states_of(cast, plan) == [MADE, LEFT, LEFT]
        assert outcome_of(cast, plan.plan) == "failed"
        with pytest.raises(AlreadyDecided):
            commands.withdraw_vote(actor=cast.ruth, proposal_id=plan.plan.id)

    def test_of_a_plan_is_no_edit_of_it(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        for card in (plan.plan, plan.steps[0]):
            with pytest.raises(NotEditable):
                commands.edit(
                    actor=cast.ruth,
                    proposal_id=card.id,
                    revision_no=1,
                    seen_digest=card.digest,
                    args={"order_id": "#W2"},
                )


class TestEnd:
    def test_of_the_plan_ends_its_changes(self, cast: Cast) -> None:
        rejected, gone, late = (opened_plan(cast, count) for count in (2, 3, 4))
        reject(rejected.plan, cast.ruth)
        commands.take_back(actor=cast.omar, proposal_id=gone.plan.id)
        sweep(cast, late.plan.decide_by)

        for plan, state in ((rejected, "rejected"), (gone, LEFT), (late, "expired")):
            assert state_of(cast, plan.plan) == state
            assert set(states_of(cast, plan)) == {LEFT}
            assert now(cast, plan.steps[0]).close_cause == f"plan {state}"
            assert happened(cast, plan.steps[0])[-1] == "proposal.decided"

    def test_of_the_plan_is_what_its_calls_are_told(self, cast: Cast) -> None:
        ruled(cast, "park")
        plan = opened_plan(cast, 2)
        with clock.frozen(plan.plan.decide_by), pytest.raises(ProposalExpired):
            approve(plan.plan, cast.ruth)
        endings = [queries.ending_of(actor=cast.system, proposal_id=c.id) for c in plan.steps]
        # The first of them hands the run to a person; once is enough.
        assert [(one.state.value, one.fallback) for one in endings] == [
            ("expired", "park"), ("expired", "refuse"),
        ]  # fmt: skip
        assert {one.proposal_id for one in endings} == {plan.plan.id}

    def test_of_a_change_that_waits_ends_the_plan(self, cast: Cast) -> None:
        plan = opened_plan(cast, COUNT)
        commands.withdraw(actor=agent(cast), proposal_id=plan.steps[1].id, cause="the run ended")

        assert (state_of(cast, plan.plan), states_of(cast, plan)) == (LEFT, [LEFT] * COUNT)
        assert happened(cast, plan.plan)[-1] == "plan.broken"

    def test_taken_back_while_it_runs_keeps_what_was_made(self, cast: Cast) -> None:
        plan = running(cast, 2)
        commands.take_back(actor=cast.omar, proposal_id=plan.plan.id)

        assert states_of(cast, plan) == [MADE, MADE, LEFT]
