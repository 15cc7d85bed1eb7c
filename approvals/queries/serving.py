"""What was shown to whom: to the session that asks, and nothing of others."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from approvals import diffs, policies
from approvals.cards import Reading, ViewServed
from approvals.models import Revision, Served
from console.kernel import prepared
from console.kernel.actors import Actor
from console.kernel.transactions import query

_REVISION: Final = "WHERE proposal_id = %(proposal)s AND no = %(no)s"


@query
def served_parts(*, actor: Actor, proposal_id: UUID, revision_no: int) -> frozenset[str]:
    """Return the names of the parts of a revision that the session that asks was shown."""
    shown = views_served(actor, revision_at(proposal_id, revision_no))
    return frozenset(part for one in shown for part in one.parts)


@query
def parts_needed(*, actor: Actor, proposal_id: UUID, revision_no: int) -> Collection[str]:
    """Return the names of the parts that whoever approves a revision must have been shown."""
    return reading_of(actor=actor, proposal_id=proposal_id, revision_no=revision_no).parts


@query
def reading_of(  # the decorator reads the actor
    *,
    actor: Actor,  # noqa: ARG001
    proposal_id: UUID,
    revision_no: int,
) -> Reading:
    """Return what there is to read of a revision, and how long that usually takes."""
    return reading_in(revision_at(proposal_id, revision_no))


# -- shared with commands ------------------------------------------------------------------------


def revision_at(proposal_id: UUID, revision_no: int) -> Revision | None:
    """Return a revision of a proposal, which never changes, so reading it needs no lock."""
    found = prepared.rows(Revision, _REVISION, {"proposal": proposal_id, "no": revision_no})
    return found[0] if found else None


def reading_in(revision: Revision | None) -> Reading:
    """Return what there is to read; of a revision that is not there, the page."""
    if revision is None:
        return Reading(parts=(policies.PAGE,), expected_s=policies.expected_s(fields=0, chars=0))
    diff = diffs.between(*revision.images())
    return Reading(
        parts=(policies.PAGE, *(part.name for part in diffs.parts_of(diff))),
        expected_s=policies.expected_s(fields=len(diff.changes), chars=diffs.changed_chars(diff)),
    )


def views_served(actor: Actor, revision: Revision | None) -> tuple[ViewServed, ...]:
    """Return what the session was shown of a revision, oldest first."""
    if revision is None or not policies.is_interactive(actor):
        return ()
    rows = Served.objects.filter(
        tenant_id=actor.tenant_id,
        revision=revision,
        session=actor.session,
        person_id=UUID(actor.id),
    )
    return tuple(row.card() for row in rows.order_by("served_at", "id"))
