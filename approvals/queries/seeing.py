"""Which proposals there are for one reader: all, and of planted checks their own.

`Proposal.objects` knows no checks, so that whatever counts, adds up or tells never meets one. Only
what shows or locks a proposal for the person who opened it asks here.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from approvals.models import Proposal
from console.kernel.actors import Actor, ActorKind

LOCKABLE: Final = "(%(all)s OR NOT is_check OR check_for = %(person)s)"


def rows_for(actor: Actor) -> QuerySet[Proposal]:
    """Return what the actor may meet; rights on tools are another question."""
    own = Q(is_check=False)
    if actor.is_person:
        own |= Q(check_for=UUID(actor.id))
    return Proposal.with_checks.filter(own)


def row_for(actor: Actor, proposal_id: UUID) -> Proposal | None:
    """Return one proposal, or None if there is none for this actor."""
    return rows_for(actor).filter(pk=proposal_id).first()


def lockable(actor: Actor) -> Mapping[str, Any]:
    """Return the values with which `LOCKABLE` selects what a command of the actor may lock."""
    return {
        "all": actor.kind is ActorKind.SYSTEM,  # pulse ends checks, too
        "person": UUID(actor.id) if actor.is_person else None,
    }
