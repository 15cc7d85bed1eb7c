"""What people agreed to and this room itself carries out."""

from typing import Final
from uuid import UUID

from approvals.models import Proposal
from approvals.policies import GOVERNED_KINDS
from approvals.states import ProposalState
from console.kernel.actors import Actor
from console.kernel.transactions import query

_MOST_AT_ONCE: Final = 20


@query
def to_carry_out(*, actor: Actor) -> list[UUID]:
    """Return what people agreed to about rules, people and the gate, what lapses first in front."""
    rows = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        state=ProposalState.APPROVED.value,
        subject_kind__in=GOVERNED_KINDS,
    )
    return list(rows.order_by("execute_by").values_list("id", flat=True)[:_MOST_AT_ONCE])
