"""Plans for tests: one order of a shop, changed step by step."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from approvals import commands, queries
from approvals.cards import Claimed, Content, OpenedPlan, PlanStep, ProposalCard, Subject
from approvals.models import Proposal
from approvals.states import PLAN, DispatchState
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import CONTRACT, agent, approve, facts, principals
from tests.cast import Cast

RUN = uuid7()
COUNT = 3  # changes of a plan, unless a test says otherwise


def order(note: str, *, status: str = "pending") -> dict[str, Any]:
    return {"orders": {"#W1": {"status": status, "total": 41800, "note": note}}}


def change(no: int, **other: Any) -> Content:
    """Return the change that turns note `no - 1` into note `no`."""
    values: dict[str, Any] = {
        "tool": "set_note",
        "contract_hash": CONTRACT,
        "args": {"order_id": "#W1", "note": f"note {no}"},
        "before": order(f"note {no - 1}"),
        "after": order(f"note {no}"),
    }
    return Content(**{**values, **other})


def steps(*contents: Content, tier: int = 1, **other: Any) -> tuple[PlanStep, ...]:
    return tuple(
        PlanStep(
            subject=Subject(kind="tool_call", id=uuid7()),
            content=content,
            facts=facts(tier, title=f"Set note {no}", run_id=other.get("run_id", RUN)),
        )
        for no, content in enumerate(contents, 1)
    )


def opened_plan(
    cast: Cast,
    count: int = 3,
    *,
    tier: int = 1,
    changes: Sequence[PlanStep] | None = None,
    subject: UUID | None = None,
    actor: Actor | None = None,
) -> OpenedPlan:
    return commands.open_plan(
        actor=actor or agent(cast),
        subject=Subject(kind=PLAN, id=subject or uuid7()),
        changes=changes or steps(*(change(no) for no in range(1, count + 1)), tier=tier),
        principals=principals(cast),
    )


def running(cast: Cast, done: int, **other: Any) -> OpenedPlan:
    """Return a plan that people agreed to, with its first changes made."""
    plan = opened_plan(cast, COUNT, **other)
    approve(plan.plan, cast.ruth)
    for no in range(1, done + 1):
        run_step(cast, plan, no)
    return plan


def claim_step(cast: Cast, plan: OpenedPlan, no: int, **other: Any) -> Any:
    return commands.claim_dispatch(
        actor=agent(cast),
        proposal_id=plan.steps[no - 1].id,
        call_key=other.pop("key", None) or uuid7(),
        content=other.pop("content", None) or change(no, **other),
    )


def report_step(cast: Cast, claimed: Any, outcome: DispatchState, no: int = 1) -> None:
    assert isinstance(claimed, Claimed), claimed
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=claimed.dispatch_id,
        outcome=outcome,
        after=change(no).after,
        evidence={"no": no},
    )


def run_step(cast: Cast, plan: OpenedPlan, no: int) -> None:
    """Make one change of an approved plan."""
    report_step(cast, claim_step(cast, plan, no), DispatchState.SUCCEEDED, no)


def state_of(cast: Cast, card: ProposalCard) -> str:
    with in_tenant(cast.tenant_id, read_only=True):
        return Proposal.objects.get(pk=card.id).state


def states_of(cast: Cast, plan: OpenedPlan) -> list[str]:
    """Return the states of the changes, in their order."""
    return [state_of(cast, card) for card in plan.steps]


def outcome_of(cast: Cast, card: ProposalCard) -> str:
    """Return how the dispatch of a proposal stands; "" without one."""
    found = queries.proposal(actor=cast.system, proposal_id=card.id).dispatch
    return found.state.value if found else ""
