"""Which targets nobody has looked at for a while."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef

from approvals.models import Probe, Proposal
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import query

_WATCHED = [ProposalState.OPEN.value, ProposalState.APPROVED.value]


@query
def unprobed(*, actor: Actor, older_than_s: int, tier: int, limit: int) -> list[UUID]:
    """Return proposals of a tier whose target was last looked at so long ago, oldest first."""
    since = clock.now() - timedelta(seconds=older_than_s)
    recent = Probe.objects.filter(proposal=OuterRef("pk"), probed_at__gt=since)
    waiting = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        plan__isnull=True,  # what a later change starts from is not there yet
        state__in=_WATCHED,
        tier=tier,
        created_at__lte=since,
    )
    found = waiting.filter(~Exists(recent)).order_by("decide_by", "id")
    return list(found.values_list("id", flat=True)[:limit])
