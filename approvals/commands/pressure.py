"""How much may wait for people at once: what floods them is asked to come back later.

Counted under an advisory lock of the tenant that lasts until the transaction ends, so that of two
openings at the same moment the second one counts the first. What waits already is never taken away
for something newer; whoever comes too early tries again.
"""

from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from approvals.cards import Subject
from approvals.errors import Backpressure
from approvals.models import Proposal
from approvals.states import DECIDABLE
from console.kernel import canonical

# approvals.md A21: open proposals, at most.
MOST_OF_RUN: Final = 10
MOST_OF_AGENT: Final = 50
MOST_OF_TENANT: Final = 1_000


def require_room(tenant_id: UUID, *, subject: Subject, agent_id: str, run_id: UUID | None) -> None:
    """Refuse one more proposal that waits for people when there are as many as there may be.

    Args:
        subject: of the proposal that is opened; what waits for it already is not one more.

    Raises:
        Backpressure: of the run, the agent or the tenant; nothing of what waits is changed.
    """
    key = int.from_bytes(canonical.digest([str(tenant_id), "open proposals"])[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    others = Proposal.objects.filter(
        tenant_id=tenant_id,
        plan__isnull=True,  # a plan waits once, however many changes it holds
        state__in=[state.value for state in DECIDABLE],
    ).exclude(subject_kind=subject.kind, subject_id=subject.id)
    waiting = others.aggregate(
        of_run=Count("pk", filter=Q(run_id=run_id, run_id__isnull=False)),
        of_agent=Count("pk", filter=Q(agent_id=agent_id) & ~Q(agent_id="")),
        of_tenant=Count("pk"),
    )
    for name, most, whose in (
        ("of_run", MOST_OF_RUN, "this run"),
        ("of_agent", MOST_OF_AGENT, "this agent"),
        ("of_tenant", MOST_OF_TENANT, "the whole tenant"),
    ):
        if waiting[name] >= most:
            raise Backpressure(
                f"{most} requests of {whose} wait for people already; wait until some are decided, "
                "then ask again.",
                most=most,
                whose=name.removeprefix("of_"),
            )
