"""Plans of agents that run elsewhere: one request, several changes, one decision of people."""

from collections.abc import Sequence
from uuid import UUID

from approvals.cards import ExternalCall, PlanStep, Progress, Subject
from approvals.commands.external import chain_of, content_of, facts_of, require_key, tool_of
from approvals.commands.external_schemas import require_fits
from approvals.commands.plans import open_plan
from approvals.kinds import require_permit
from approvals.models import Proposal
from approvals.policies import external
from approvals.queries.external import progress_of
from approvals.states import EXTERNAL, PLAN, Act
from console.kernel.actors import Actor
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command


@command
def propose_plan(
    *, actor: Actor, subject: UUID, calls: Sequence[ExternalCall]
) -> tuple[Progress, ...]:
    """Have the rules say who decides about several changes of an external agent as one.

    The same plan for the same subject gets the live one; another one supersedes it. Each change is
    dispatched and reported as one that was proposed by itself, in order.

    Args:
        subject: the agent's own name for what the plan is about.
        calls: each names the subject of its change, too.

    Returns:
        The plan, and then its changes in their order.

    Raises:
        NotAllowed: the actor is no key with `approvals.propose`.
        Unavailable, or what the stops say: a stop stands against one of the changes.
        PlanOfOthers, StepDoesNotFollow: they make no plan.
        BadInput: a title would pass for another one, or is too long.
    """
    require_key(actor)
    key = UUID(actor.id)
    for call in calls:
        require_plain_line("title", call.title)
        require_fits(actor, call.tool, call.args)
    for call in sorted(calls, key=lambda one: one.tool):
        require_permit(
            actor=actor,
            act=Act.OPEN,
            agent=external.agent_id_of(actor.id),
            tool=call.tool,
            tier=call.tier,
            subject=Subject(kind=EXTERNAL, id=external.own_id(key, call.subject)),
        )
    # Locked by name, so that two plans that use the same tools wait for each other in one order.
    tools = {name: tool_of(actor, name) for name in sorted({one.tool for one in calls})}
    opened = open_plan(
        actor=actor,
        subject=Subject(kind=PLAN, id=external.own_id(key, subject)),
        changes=[
            PlanStep(
                subject=Subject(kind=EXTERNAL, id=external.own_id(key, one.subject)),
                content=content_of(one),
                facts=facts_of(actor, one, tools[one.tool]),
            )
            for one in calls
        ],
        principals=chain_of(actor),
    )
    cards = (opened.plan, *opened.steps)
    return tuple(progress_of(Proposal.objects.get(pk=card.id)) for card in cards)
