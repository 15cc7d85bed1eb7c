"""Keeping why a proposal is somebody's turn again; every move that makes it so says it here."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from approvals.models import Attention, Proposal, Snooze
from approvals.states import AttentionReason


def attend(
    row: Proposal,
    people: Iterable[UUID],
    reason: AttentionReason,
    *,
    at: datetime,
    cause: str = "",
) -> None:
    """Say to these people why it is their turn, and end their putting it off.

    Whether it is their turn at all is decided when they look: rights and groups change.

    Args:
        cause: in machine words what brought it about, where the reason alone does not say it.
    """
    who = sorted(set(people))
    if not who:
        return
    Attention.objects.bulk_create(
        [
            Attention(
                tenant_id=row.tenant_id,
                proposal=row,
                person_id=person,
                reason=reason.value,
                cause=cause,
                at=at,
            )
            for person in who
        ],
        update_conflicts=True,
        unique_fields=["tenant_id", "person", "proposal"],
        update_fields=["reason", "cause", "at"],
    )
    Snooze.objects.filter(proposal=row, person__in=who, until__gt=at).update(until=at)
