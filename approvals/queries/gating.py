"""What people are asked about the gate itself."""

from typing import Final

from approvals.cards import ProposalCard
from approvals.models import Proposal
from approvals.policies import GATE_KIND
from approvals.queries.queue import cards_of
from approvals.states import LIVE
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.transactions import query

_MOST: Final = 100


@query
def gate_waiting(*, actor: Actor, tools: tuple[str, ...]) -> tuple[ProposalCard, ...]:
    """Return the live proposals that would set something of the gate so, oldest first.

    Raises:
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    rows = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        subject_kind=GATE_KIND,
        tool__in=tools,
        state__in=[state.value for state in LIVE],
    )
    return tuple(cards_of(list(rows.order_by("created_at", "id")[:_MOST])))
