"""A right on one tool stands for the role, for that tool only; on all tools of a plan, for it."""

from functools import partial
from uuid import UUID

import pytest

from agents.runtime import commands as runtime
from approvals import commands, queries
from approvals.cards import OpenedPlan
from approvals.errors import VoteNotEligible
from approvals.queries import View
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.accounts import queries as queries_of_accounts
from console.accounts.states import ObjectKind
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from tests.approvals.desk import approve, claim, now, opened
from tests.approvals.plans import change, claim_step, opened_plan, states_of, steps
from tests.cast import Cast

CANCEL, ADDRESS = "cancel_pending_order", "modify_user_address"


@pytest.fixture
def vera(cast: Cast) -> Actor:
    """Return somebody without a role who may review `cancel_pending_order`."""
    actor = cast.add("vera", roles=(), groups=("care",))
    offered(cast, CANCEL)
    give(cast, actor, CANCEL)
    return actor


def offered(cast: Cast, *tools: str) -> None:
    runtime.register_agent(actor=cast.system, slug="refunds", title="Refunds")
    runtime.register_agent_version(actor=cast.system, agent="refunds", prompt="", tools=list(tools))


def tool_id(cast: Cast, name: str = CANCEL) -> UUID:
    tools = queries_of_accounts.objects_of(actor=cast.system, kind=ObjectKind.TOOL)
    return next(tool.id for tool in tools if tool.label == name)


def give(cast: Cast, person: Actor, *tools: str) -> None:
    for name in tools:
        accounts.give_grant(
            actor=cast.system,
            person_id=UUID(person.id),
            kind="tool",
            object_id=tool_id(cast, name),
        )


def take(cast: Cast, person: Actor, name: str) -> None:
    accounts.take_grant(
        actor=cast.noor, person_id=UUID(person.id), kind="tool", object_id=tool_id(cast, name)
    )


class TestRightOnOneTool:
    def test_lets_vote_on_it(self, cast: Cast, vera: Actor) -> None:
        card = opened(cast)
        assert now(cast, card, vera).refusal == ""
        assert approve(card, vera).state is ProposalState.APPROVED
        assert "Vera" in [line.name for line in now(cast, card).reviewers]

    def test_lists_only_its_proposals(self, cast: Cast, vera: Actor) -> None:
        card, other = opened(cast), opened(cast, tool="modify_user_address")
        page = queries.awaiting_review(actor=vera, view=View.MINE)
        assert [row.card.id for row in page.rows] == [card.id]
        assert queries.turn_count(actor=vera) == 1
        with pytest.raises(NotFound):
            now(cast, other, vera)
        assert cast.client("vera").get(f"/reviews/{card.id}/").status_code == 200
        assert cast.client("vera").get(f"/reviews/{other.id}/").status_code == 404

    def test_lets_nobody_vote_on_another(self, cast: Cast, vera: Actor) -> None:
        with pytest.raises(VoteNotEligible):
            approve(opened(cast, tool="modify_user_address"), vera)

    def test_counts_no_more_once_it_is_taken(self, cast: Cast, vera: Actor) -> None:
        card = opened(cast)
        approve(card, vera)
        take(cast, vera, CANCEL)
        assert claim(cast, card).code == "proposal.reopened"


@pytest.fixture
def planned(cast: Cast) -> OpenedPlan:
    """Return a plan of two tools, on which rights can be given."""
    offered(cast, CANCEL, ADDRESS, "exchange_delivered_order_items")
    changes = steps(change(1, tool=CANCEL), change(2, tool=ADDRESS), change(3, tool=CANCEL))
    return opened_plan(cast, changes=changes)


class TestRightOnEveryToolOfAPlan:
    def test_shows_the_plan_and_lets_vote_on_it(self, cast: Cast, planned: OpenedPlan) -> None:
        vera = cast.add("vera", roles=(), groups=("care",))
        give(cast, vera, CANCEL, ADDRESS)
        page = queries.awaiting_review(actor=vera, view=View.MINE)
        assert [(row.card.id, row.turn is not None) for row in page.rows] == [
            (planned.plan.id, True)
        ]
        assert queries.turn_count(actor=vera) == 1
        assert cast.client("vera").get(f"/reviews/{planned.plan.id}/").status_code == 200
        detail = now(cast, planned.plan, vera)
        assert "Vera" in [line.name for line in detail.reviewers if not line.refusal]
        assert approve(planned.plan, vera).state is ProposalState.DISPATCHED

    def test_counts_no_more_once_one_is_taken(self, cast: Cast, planned: OpenedPlan) -> None:
        vera = cast.add("vera", roles=(), groups=("care",))
        give(cast, vera, CANCEL, ADDRESS)
        approve(planned.plan, vera)
        take(cast, vera, ADDRESS)
        assert claim_step(cast, planned, 1, tool=CANCEL).code == "plan.broken"
        assert set(states_of(cast, planned)) == {"withdrawn"}

    def test_keeps_a_plan_from_being_a_dead_end(self, cast: Cast, planned: OpenedPlan) -> None:
        vera = cast.add("vera", roles=(), groups=("care",))
        give(cast, vera, CANCEL, ADDRESS)
        for person in (cast.ruth, cast.ines):
            accounts.set_membership(
                actor=cast.system, person_id=UUID(person.id), roles=(), groups=(), active=True
            )
        assert not now(cast, planned.plan).unfillable
        take(cast, vera, ADDRESS)
        commands.check_dead_ends(actor=cast.system)
        assert now(cast, planned.plan).unfillable


class TestRightOnSomeToolsOfAPlan:
    @pytest.mark.parametrize("tools", [(CANCEL,), (ADDRESS, "exchange_delivered_order_items")])
    def test_shows_nothing_of_it(
        self, cast: Cast, planned: OpenedPlan, tools: tuple[str, ...]
    ) -> None:
        wanda = cast.add("wanda", roles=(), groups=("care",))
        give(cast, wanda, *tools)
        for view in View:
            rows = queries.awaiting_review(actor=wanda, view=view).rows
            assert planned.plan.id not in {row.card.id for row in rows}
        browser, api = cast.client("wanda"), cast.api("wanda")
        plan = planned.plan.id
        for part in ("", "?view=raw"):
            assert browser.get(f"/reviews/{plan}/{part}").status_code == 404
        root = f"/api/v1/approvals/proposals/{plan}"
        for path in ("", "/plan", "/diff?view=fields", "/explain", "/claims", "/comments"):
            assert api.get(f"{root}{path}").status_code in {404, 405}, path
        with pytest.raises(NotFound):
            commands.claim(actor=wanda, proposal_id=plan)
        with pytest.raises(VoteNotEligible):
            approve(planned.plan, wanda)

    def test_shows_the_change_of_that_tool_and_nothing_of_the_others(
        self, cast: Cast, planned: OpenedPlan
    ) -> None:
        wanda = cast.add("wanda", roles=(), groups=("care",))
        give(cast, wanda, ADDRESS)
        first, second, third = planned.steps
        browser = cast.client("wanda")
        page = browser.get(f"/reviews/{second.id}/").content.decode()
        assert "note 2" in page
        assert "takes a right on the tool of every change" in page
        assert "data-vote-bar" not in page
        for word in ("note 3", CANCEL, str(first.id), str(third.id), str(planned.plan.id)):
            assert word not in page
        for other in (first, third):
            assert browser.get(f"/reviews/{other.id}/").status_code == 404

    def test_is_nobodys_where_a_tool_takes_no_rights(self, cast: Cast) -> None:
        offered(cast, CANCEL)
        vera = cast.add("vera", roles=(), groups=("care",))
        give(cast, vera, CANCEL)
        plan = opened_plan(cast, changes=steps(change(1, tool=CANCEL), change(2)))
        see = partial(now, cast, plan.plan)
        with pytest.raises(NotFound):
            see(vera)
        assert see(cast.ruth).card.id == plan.plan.id
