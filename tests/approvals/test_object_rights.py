"""A right on one tool stands for the role, for that tool only."""

from uuid import UUID

import pytest

from agents.runtime import commands as runtime
from approvals import queries
from approvals.errors import VoteNotEligible
from approvals.queries import View
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.accounts import queries as queries_of_accounts
from console.accounts.states import ObjectKind
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from tests.approvals.desk import approve, claim, now, opened
from tests.cast import Cast


@pytest.fixture
def vera(cast: Cast) -> Actor:
    """Return somebody without a role who may review `cancel_pending_order`."""
    actor = cast.add("vera", roles=(), groups=("care",))
    runtime.register_agent(actor=cast.system, slug="refunds", title="Refunds")
    runtime.register_agent_version(
        actor=cast.system, agent="refunds", prompt="", tools=["cancel_pending_order"]
    )
    accounts.give_grant(
        actor=cast.system, person_id=UUID(actor.id), kind="tool", object_id=tool_id(cast)
    )
    return actor


def tool_id(cast: Cast) -> UUID:
    (tool,) = queries_of_accounts.objects_of(actor=cast.system, kind=ObjectKind.TOOL)
    return tool.id


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
        accounts.take_grant(
            actor=cast.noor, person_id=UUID(vera.id), kind="tool", object_id=tool_id(cast)
        )
        assert claim(cast, card).code == "proposal.reopened"
