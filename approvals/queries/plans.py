"""A plan with its changes, for its own page and for the page of each of them."""

from uuid import UUID

from approvals import diffs
from approvals.cards import PlanCard, StepCard
from approvals.models import Dispatch, Proposal, Revision
from approvals.queries.people import seen_by
from approvals.queries.queue import cards_of
from approvals.queries.seeing import row_for
from approvals.states import LIVE, PLAN, DispatchState, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query


@query
def plan_of(*, actor: Actor, proposal_id: UUID) -> PlanCard | None:
    """Return the plan that this is, or of which this is one change; None if it is neither.

    Raises:
        NotFound: there is no such proposal, or none that the reader may see.
    """
    row = row_for(actor, proposal_id)
    if row is None or not seen_by(actor).covers(row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return plan_of_row(actor, row)


@query
def first_change(*, actor: Actor, proposal_id: UUID) -> UUID | None:
    """Return the first change of a plan, or None if this is no plan."""
    found = Proposal.objects.filter(tenant_id=actor.tenant_id, plan_id=proposal_id, plan_pos=1)
    return found.values_list("id", flat=True).first()


def plan_of_row(actor: Actor, row: Proposal) -> PlanCard | None:
    """Return the plan of a proposal that was read already; part of another query."""
    whole = row if row.subject_kind == PLAN else row.plan
    if whole is None or not seen_by(actor).covers(whole):
        return None
    steps = _steps(whole)
    return PlanCard(
        id=whole.id,
        title=whole.title,
        steps=steps,
        done=sum(_is_done(one) for one in steps),
        runs=whole.state == ProposalState.DISPATCHED.value
        and any(one.card.state in LIVE for one in steps),
    )


def _steps(plan: Proposal) -> tuple[StepCard, ...]:
    rows = list(Proposal.objects.filter(plan=plan).order_by("plan_pos"))
    contents = {one.proposal_id: one for one in Revision.objects.filter(proposal__in=rows, no=1)}
    sent = {one.proposal_id: one.card() for one in Dispatch.objects.filter(proposal__in=rows)}
    found: list[StepCard] = []
    for row, card in zip(rows, cards_of(rows), strict=True):
        content = contents[row.id].content(row.tool)
        facts = row.facts()
        before = found[-1] if found else None
        found.append(
            StepCard(
                card=card,
                content=content,
                diff=diffs.between(content.before, content.after),
                undo=facts.undo,
                tool_summary=facts.tool_summary,
                close_cause=row.close_cause,
                dispatch=sent.get(row.id),
                waits_for=before.card.plan_pos
                if card.state in LIVE and before is not None and not _is_done(before)
                else None,
            )
        )
    return tuple(found)


def _is_done(step: StepCard) -> bool:
    return (
        step.card.state is ProposalState.DISPATCHED
        and step.dispatch is not None
        and step.dispatch.state is DispatchState.SUCCEEDED
    )
