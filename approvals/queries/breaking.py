"""Who holds the right to break glass, what it was used for, and what bars its next use."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count

from approvals.cards import Principal, Requirement, Voter
from approvals.cards.reviewing import GlassCard, GlassUse, GrantCard
from approvals.errors.breaking import BreakGlassBarred
from approvals.models import BreakGlassGrant, BreakGlassUse, Decision, Proposal, ReviewTask
from approvals.policies.breaking import require_breakable, skipped
from approvals.policies.people import require_beside, require_outside
from approvals.policies.planning import require_whole
from approvals.queries.delegating import joined_to
from approvals.states import ReviewKind
from console.accounts import queries as people
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import query

_MOST_GRANTS: Final = 200


@query
def break_glass_grants(*, actor: Actor) -> tuple[GrantCard, ...]:
    """Return to whom the right was lent, newest first.

    Raises:
        NotAllowed: the actor does not manage people.
    """
    require(actor, Permission.ACCOUNTS_MANAGE)
    at = clock.now()
    rows = BreakGlassGrant.objects.filter(tenant_id=actor.tenant_id)
    counted = rows.annotate(used=Count("uses")).order_by("-granted_at", "-id")[:_MOST_GRANTS]
    return tuple(row.card(at=at, uses=row.used) for row in counted)


# -- shared with commands and other queries ------------------------------------------------------


def require_reviewed(person_id: UUID) -> None:
    """Raise while nobody else has looked at the last use of this person.

    The unique index `break_glass_one_open` repeats it.
    """
    waits = ReviewTask.objects.filter(
        kind=ReviewKind.BREAK_GLASS.value, about_person_id=person_id, closed_at__isnull=True
    ).first()
    if waits is not None:
        raise BreakGlassBarred(
            "Your last use of break-glass is not reviewed yet; ask somebody else to close its "
            "review under Duties first.",
            review_task=str(waits.id),
        )


def still_stands(actor: Actor, decision: Decision) -> bool:
    """Say whether what somebody decided by break-glass still counts.

    Not once the right was taken away or the person has left; that its hour ended changes nothing.
    """
    use = BreakGlassUse.objects.select_related("grant").filter(decision=decision).first()
    if use is None or use.grant.revoked_at is not None:
        return False
    return people.person_card(actor=actor, person_id=use.person_id).active


def glass_of(
    actor: Actor,
    row: Proposal,
    requirement: Requirement,
    principals: Collection[Principal],
    voters: Iterable[Voter],
    *,
    at: datetime,
) -> GlassCard | None:
    """Return what a holder of the right may do with a proposal; None for anybody else."""
    if not actor.is_person:
        return None
    grant = BreakGlassGrant.objects.filter(
        tenant_id=actor.tenant_id,
        person_id=UUID(actor.id),
        revoked_at__isnull=True,
        granted_at__lte=at,
        expires_at__gt=at,
    ).first()
    if grant is None:
        return None
    refusal = ""
    try:
        require_may_break(actor, row, principals)
    except ConsoleError as said:
        refusal = said.message
    passed_over = skipped(voters, requirement, principals, by=UUID(actor.id))
    return GlassCard(expires_at=grant.expires_at, skips=len(passed_over), refusal=refusal)


def require_may_break(actor: Actor, row: Proposal, principals: Collection[Principal]) -> None:
    """Raise the first reason why a holder of the right may not use it on this proposal at all."""
    person_id = UUID(actor.id)
    require_outside(person_id, principals)
    require_beside(joined_to(actor).people, principals)
    require_breakable(row.subject_kind)
    require_whole(row.plan_pos)
    require_reviewed(person_id)


def uses_of(row: Proposal) -> tuple[GlassUse, ...]:
    """Return the uses of break-glass on a proposal, oldest first."""
    tasks = ReviewTask.objects.filter(proposal=row, kind=ReviewKind.BREAK_GLASS.value)
    found = {task.decision_id: task for task in tasks}
    if not found:
        return ()
    uses = BreakGlassUse.objects.filter(proposal=row).select_related("revision")
    return tuple(
        use.card(found[use.decision_id], revision_no=use.revision.no)
        for use in uses.order_by("used_at", "id")
    )
