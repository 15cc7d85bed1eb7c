"""Keeping what was shown to a session: nobody approves what was never on their screen."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from approvals import policies
from approvals.models import Revision, Served
from approvals.queries.serving import views_served
from approvals.states import DECIDABLE
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def serve_parts(
    *,
    actor: Actor,
    proposal_id: UUID,
    revision_no: int,
    parts: Iterable[str],
    view: str = "fields",
    around: bool = True,
) -> None:
    """Keep that these parts of a revision were shown to the session that asks.

    Call it after the page is made, with exactly what it shows whole. Only sessions of people are
    kept, only while there is something to decide, and each part once. Nothing that others see
    depends on it, and it records no event: the vote's own event carries the digest of the view.

    Args:
        parts: names as `diffs.parts_of` gives them, of this revision.
        view: which view of the change it was; part of the vote's view digest.
        around: what stands around the change was shown, too: who asks, why, what undoes it.
    """
    if not policies.is_interactive(actor):
        return
    revision = Revision.objects.filter(
        proposal_id=proposal_id,
        no=revision_no,
        proposal__state__in=[state.value for state in DECIDABLE],
    ).first()
    if revision is None:
        return
    shown = {*parts, *([policies.PAGE] if around else [])}
    if not _new(actor, revision, shown):
        return
    _take_turn(actor.session, revision.id)
    new = _new(actor, revision, shown)  # the same page in another tab may have come first
    if new:
        Served.objects.create(
            tenant_id=actor.tenant_id,
            proposal_id=proposal_id,
            revision=revision,
            person_id=UUID(actor.id),
            session=actor.session,
            view=view,
            parts=new,
            served_at=clock.now(),
        )


def _new(actor: Actor, revision: Revision, shown: set[str]) -> list[str]:
    """Return the parts that this session has not been shown before."""
    seen = {part for one in views_served(actor, revision) for part in one.parts}
    return sorted(shown - seen)


def _take_turn(session: str, revision_id: UUID) -> None:
    """Wait for whoever keeps parts of this revision for this session, until that is committed."""
    key = canonical.digest(["served", session, str(revision_id)])[:8]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key, "big", signed=True)]
        )
