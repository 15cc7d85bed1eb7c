"""Which targets nobody has looked at for a while."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef

from approvals.models import Probe, Proposal
from approvals.policies import external
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import query

_WATCHED = [ProposalState.OPEN.value, ProposalState.APPROVED.value]


@query
def unprobed(*, actor: Actor, older_than_s: int, tier: int, limit: int) -> list[UUID]:
    """Return proposals of a tier whose target was last looked at so long ago, oldest first.

    Of a plan the plan itself, while people decide and while changes of it wait for their turn.
    Nobody here can look at the targets of agents that run elsewhere.
    """
    since = clock.now() - timedelta(seconds=older_than_s)
    recent = Probe.objects.filter(proposal=OuterRef("pk"), probed_at__gt=since)
    old = Proposal.objects.filter(tenant_id=actor.tenant_id, tier=tier, created_at__lte=since)
    old = old.filter(~Exists(recent)).exclude(agent_id__startswith=external.OUTSIDE)
    waiting = old.filter(plan__isnull=True, state__in=_WATCHED).order_by("decide_by", "id")
    rows = Proposal.objects.filter(tenant_id=actor.tenant_id, plan__isnull=False)
    running = old.filter(pk__in=rows.filter(state=ProposalState.APPROVED.value).values("plan"))
    # What runs comes first: it has minutes.
    first = list(running.order_by("decide_by", "id").values_list("id", flat=True)[:limit])
    return [*first, *waiting.values_list("id", flat=True)[: limit - len(first)]]
