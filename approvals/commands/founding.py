"""Noting when a tenant first has people enough; from then on they agree to further ones."""

from approvals.models import Quorum
from approvals.queries.founding import had_quorum, has_quorum
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def note_quorum(*, actor: Actor) -> bool:
    """Keep, in the transaction that changes people, that there are enough; True: from now on.

    It follows from the facts of that transaction, and so has none of its own. Rows are never taken
    back: else whoever removes reviewers could go on alone.
    """
    if had_quorum(actor=actor) or not has_quorum(actor=actor):
        return False
    Quorum.objects.bulk_create([Quorum(tenant_id=actor.tenant_id)], ignore_conflicts=True)
    return True
