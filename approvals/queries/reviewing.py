"""Decisions that somebody looks at once more."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from approvals import diffs, policies
from approvals.cards import Principal, Requirement, Voter
from approvals.cards.reviewing import GlassUse, ReviewTaskCard, ReviewTaskDetail
from approvals.errors.breaking import ReviewNotEligible
from approvals.models import (
    BreakGlassUse,
    Decision,
    Dispatch,
    PolicyVersion,
    PrincipalRow,
    Proposal,
    RequirementRow,
    ReviewTask,
    StandingUse,
)
from approvals.queries.people import oneself, seen_by, voters_on
from approvals.states import Basis, Outcome
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import query


@query
def review_tasks(
    *,
    actor: Actor,
    closed: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> tuple[ReviewTaskCard, ...]:
    """Return what waits to be looked at, or what was, newest first, as far as the reader may see.

    Args:
        before: (opened_at, id) of the last one that was seen.
    """
    rows = _seen(actor).filter(closed_at__isnull=not closed)
    if before is not None:
        at, last = before
        rows = rows.filter(Q(opened_at__lt=at) | Q(opened_at=at, id__lt=last))
    return tuple(row.card() for row in rows.order_by("-opened_at", "-id")[:limit])


@query
def review_task(*, actor: Actor, task_id: UUID) -> ReviewTaskDetail:
    """Return one of them with the exact change as it was decided.

    Raises:
        NotFound: there is none, or of no tool that the reader may see.
    """
    row = seen_task(actor, task_id)
    decision = Decision.objects.select_related("revision").get(pk=row.decision_id)
    content = decision.revision.content(row.proposal.tool)
    ran = Dispatch.objects.filter(decision=decision).values_list("state", flat=True).first()
    return ReviewTaskDetail(
        card=row.card(),
        revision_no=decision.revision.no,
        digest=bytes(decision.digest).hex(),
        content=content,
        diff=diffs.between(content.before, content.after),
        outcome=Outcome(decision.outcome),
        basis=Basis(decision.basis),
        decided_at=decision.decided_at,
        voided_at=decision.voided_at,
        ran=ran or "",
        use=_use_of(row, decision),
        rules=_rules_of(row),
        refusal=_refusal(actor, row),
    )


# -- shared with commands ------------------------------------------------------------------------


def seen_task(actor: Actor, task_id: UUID) -> ReviewTask:
    """Return a task that the actor may look at."""
    row = _seen(actor).filter(pk=task_id).first()
    if row is None:
        raise NotFound("There is no such duty here; look at the list of duties.")
    return row


def require_answerer(
    person_id: UUID,
    row: ReviewTask,
    voters: Mapping[UUID, Voter],
    requirement: Requirement,
    principals: Collection[Principal],
) -> None:
    """Raise unless this person could have decided the proposal and did not.

    Triggers and constraints of the table repeat the first two.
    """
    if row.about_person_id == person_id:
        raise ReviewNotEligible(
            "This is about your own use of break-glass; somebody else closes it."
        )
    if any(principal.person_id == person_id for principal in principals):
        raise ReviewNotEligible("You had a part in the request; somebody else has to look at it.")
    if StandingUse.objects.filter(proposal=row.proposal, standing__maker_id=person_id).exists():
        raise ReviewNotEligible(
            "It was approved on your own standing approval; somebody else looks at it."
        )
    voter = voters.get(person_id)
    if voter is None or policies.who_refusal(voter, requirement, principals) is not None:
        raise ReviewNotEligible(
            "Only who could have decided this looks at it once more; ask a reviewer of its groups."
        )


def _seen(actor: Actor) -> QuerySet[ReviewTask]:
    rows = ReviewTask.objects.filter(tenant_id=actor.tenant_id).select_related("proposal")
    reach = seen_by(actor)
    if reach.tools is None:
        return rows
    return rows.filter(proposal__in=Proposal.objects.filter(reach.rows))


def _refusal(actor: Actor, row: ReviewTask) -> str:
    if row.closed_at is not None or not actor.is_person:
        return ""
    try:
        require_answerer(
            UUID(actor.id),
            row,
            voters_on(actor=actor, row=row.proposal, among=oneself(actor)),
            RequirementRow.newest(row.proposal).card(),
            [one.card() for one in PrincipalRow.objects.filter(proposal=row.proposal)],
        )
    except ConsoleError as refusal:
        return refusal.message
    return ""


def _rules_of(row: ReviewTask) -> tuple[tuple[str, UUID], ...]:
    keys = [key.partition("/") for key in row.rules]
    versions = PolicyVersion.objects.filter(pk__in=[version for version, _, _ in keys])
    named = {str(one.id): one for one in versions}
    return tuple(
        (f"{named[version].policy}/{rule}", named[version].id)
        for version, _, rule in keys
        if version in named
    )


def _use_of(row: ReviewTask, decision: Decision) -> GlassUse | None:
    found = BreakGlassUse.objects.filter(decision=decision).first()
    return found.card(row, revision_no=decision.revision.no) if found else None
