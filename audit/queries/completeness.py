"""How much of the trail an answer can draw on."""

from typing import Final

from audit.cards import Completeness
from audit.models import AuditHead, AuditLog, AuditSearchState
from audit.queries import places
from console.kernel.actors import Actor
from console.kernel.transactions import query

MOST_COUNTED: Final = 10_000


def tenant_log(actor: Actor) -> AuditLog | None:
    return AuditLog.objects.filter(tenant_id=actor.tenant_id).first()


@query
def completeness(*, actor: Actor) -> Completeness:
    """Return how far sealing and searching have come for this tenant."""
    return completeness_of(tenant_log(actor), actor=actor)


def completeness_of(log: AuditLog | None, *, actor: Actor) -> Completeness:
    sealed = searched = 0
    if log is not None:
        head = AuditHead.objects.filter(log_id=log.id).order_by("-size").values_list("size").first()
        state = AuditSearchState.objects.filter(log_id=log.id).values_list("next_index").first()
        sealed, searched = head[0] if head else 0, state[0] if state else 0
    unsealed = places.count_unsealed(actor.tenant_id, most=MOST_COUNTED + 1)
    return Completeness(searched=searched, sealed=sealed, unsealed=unsealed)
