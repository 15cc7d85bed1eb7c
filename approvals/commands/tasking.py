"""Looking at a decision once more: reviews open with it and are closed by somebody else, once."""

from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards.reviewing import ReviewTaskCard
from approvals.commands import sampling
from approvals.commands.desk import must_lock
from approvals.commands.remarks import needed_text, text_of
from approvals.errors.breaking import BreakGlassByMachine, ReviewClosed
from approvals.events.reviewing import ReviewTaskClosed, ReviewTaskOpened
from approvals.models import LABEL_LENGTH, BreakGlassUse, Proposal, ReviewTask
from approvals.queries.people import oneself
from approvals.queries.reviewing import require_answerer, seen_task
from approvals.states import ReviewKind, ReviewVerdict
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def close_review_task(
    *, actor: Actor, task_id: UUID, verdict: ReviewVerdict, note: str = ""
) -> ReviewTaskCard:
    """Say what one thinks of a decision that others, or a rule, made.

    Args:
        note: needed but for agreeing with a sample.

    Raises:
        BreakGlassByMachine: the actor is no person in a session of their own.
        NotFound: there is no such task, or of no tool that they may see.
        ReviewNotEligible: it is about them, they had a part in the request, or are no reviewer.
        ReviewClosed: somebody answered already.
        BadInput: the note is missing.
    """
    if not policies.is_interactive(actor):
        raise BreakGlassByMachine("Only people who are signed in review; ask a reviewer.")
    verdict = ReviewVerdict(verdict)
    row = seen_task(actor, task_id)
    plain = row.kind == ReviewKind.SAMPLE.value and verdict is ReviewVerdict.AGREE
    said = text_of(note, "note") if plain else needed_text(note, "note", "Say what you found.")
    desk = must_lock(actor=actor, proposal_id=row.proposal_id)
    mine = desk.voters(among=oneself(actor))
    require_answerer(UUID(actor.id), row, mine, desk.requirement, desk.principals)
    at = clock.now()
    closed = ReviewTask.objects.filter(pk=row.id, closed_at__isnull=True).update(
        closed_at=at,
        closed_by_id=UUID(actor.id),
        closed_by_label=actor.label[:LABEL_LENGTH],
        verdict=verdict.value,
        note=said,
    )
    row = seen_task(actor, task_id)
    if not closed:
        raise ReviewClosed(f"{row.closed_by_label} answered this already; there is nothing to do.")
    record(
        ReviewTaskClosed(
            proposal_id=row.proposal_id,
            task_id=row.id,
            why=row.kind,
            verdict=verdict.value,
            reason=said,
        ),
        actor=actor,
    )
    if row.kind == ReviewKind.SAMPLE.value:
        sampling.count(row, actor=actor, at=at)
    return row.card()


def open_for_use(proposal: Proposal, use: BreakGlassUse, *, actor: Actor, at: datetime) -> None:
    """Open the review of a use of break-glass; part of the command that uses it."""
    row = ReviewTask.objects.create(
        tenant_id=proposal.tenant_id,
        kind=ReviewKind.BREAK_GLASS.value,
        proposal=proposal,
        decision_id=use.decision_id,
        about_person_id=use.person_id,
        about_label=use.person_label,
        opened_at=at,
    )
    record(
        ReviewTaskOpened(
            proposal_id=proposal.id,
            task_id=row.id,
            why=row.kind,
            decision_id=use.decision_id,
            about_person=use.person_id,
        ),
        actor=actor,
    )
