"""What is said about a proposal, and what waits for an answer."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from approvals.cards import AskedCard, CommentCard, RevisionCard, Subject, ThreadLine
from approvals.errors import NotYours
from approvals.models import Comment, PrincipalRow, Proposal, Revision
from approvals.policies import GOVERNED_KINDS
from approvals.queries.editing import seen_row
from approvals.states import LIVE, CommentKind, PrincipalRole, ProposalState
from console.kernel import clock, tenancy
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_ASKING = [CommentKind.QUESTION.value, CommentKind.REQUEST_CHANGES.value]
_LIVE = {state.value for state in LIVE}
_MOST = 200


@query
def thread(*, actor: Actor, proposal_id: UUID) -> tuple[ThreadLine, ...]:
    """Return what was said, oldest first, each with its answer.

    Raises:
        NotFound: there is no such proposal, or of no tool that the reader may see.
    """
    return thread_of(seen_row(actor, proposal_id))


def thread_of(row: Proposal) -> tuple[ThreadLine, ...]:
    """Return what `thread` does of a row that was read already."""
    said = Comment.objects.filter(proposal=row).select_related("revision")
    cards = [
        one.card(revision_no=one.revision.no) for one in said.order_by("said_at", "id")[:_MOST]
    ]
    answers = {card.answers: card for card in cards if card.answers is not None}
    return tuple(
        ThreadLine(
            comment=card,
            answer=answers.get(card.id),
            waits=card.kind.value in _ASKING and card.id not in answers,
        )
        for card in cards
        if card.answers is None
    )


@query
def asked(*, actor: Actor, comment_id: UUID) -> AskedCard:
    """Return a question with all that its answer has to know.

    Raises:
        NotFound: nothing of that id was asked.
    """
    found = (
        Comment.objects.filter(tenant_id=actor.tenant_id, pk=comment_id, kind__in=_ASKING)
        .select_related("revision")
        .first()
    )
    if found is None:
        raise NotFound("There is no such question here.")
    row = Proposal.objects.filter(pk=found.proposal_id).first()
    if row is None:
        raise NotFound("There is no such question here.")
    now = Revision.objects.get(proposal=row, no=row.revision_no)
    return AskedCard(
        comment=found.card(revision_no=found.revision.no),
        subject=Subject(kind=row.subject_kind, id=row.subject_id),
        title=row.title,
        tier=row.tier,
        revision_no=now.no,
        digest=bytes(now.digest).hex(),
        content=now.content(row.tool),
        live=ProposalState(row.state) in LIVE,
        answered=Comment.objects.filter(answers=found).exists(),
    )


@query
def unanswered(
    *, actor: Actor, subject_kind: str = "", older_than_s: float, limit: int
) -> tuple[CommentCard, ...]:
    """Return what was asked, about subjects of a kind if named, and has no answer, oldest first."""
    rows = Comment.objects.filter(
        tenant_id=actor.tenant_id,
        kind__in=_ASKING,
        said_at__range=_asked_within(older_than_s),
        answered_by__isnull=True,
    ).select_related("revision")
    if subject_kind:
        rows = rows.filter(proposal__subject_kind=subject_kind)
    found = rows.order_by("said_at", "id")[:limit]
    return tuple(one.card(revision_no=one.revision.no) for one in found)


@query
def answerer_of(*, actor: Actor, proposal_id: UUID) -> UUID | None:
    """Return the person who answers what is asked about a proposal: who asked for the change.

    None where its agent answers, or nobody has to any more.
    """
    row = Proposal.objects.filter(tenant_id=actor.tenant_id, pk=proposal_id).first()
    if row is None or row.subject_kind not in GOVERNED_KINDS or row.state not in _LIVE:
        return None
    return _starters(row).values_list("person_id", flat=True).first()


def answers_for(actor: Actor, proposal_id: UUID) -> None:
    """Raise unless this person answers what is asked about a proposal.

    Raises:
        NotFound, NotAllowed: the actor does not see it.
        NotYours: its agent answers, or another person does.
    """
    row = seen_row(actor, proposal_id)
    mine = row.subject_kind in GOVERNED_KINDS and _starters(row).filter(person_id=actor.id).exists()
    if not mine:
        raise NotYours("Only whoever proposed this answers what is asked; leave a note instead.")


def _starters(row: Proposal) -> QuerySet[PrincipalRow]:
    return PrincipalRow.objects.filter(
        proposal=row, role=PrincipalRole.STARTER.value, person_id__isnull=False
    )


def tenants_unanswered(*, older_than_s: float) -> frozenset[UUID]:
    """Return the tenants in which `unanswered` may find something: one question, and only ids."""
    since, until = _asked_within(older_than_s)
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute("SELECT approvals_tenants_unanswered(%s, %s)", [since, until])
        return frozenset(row[0] for row in cursor.fetchall())


def _asked_within(older_than_s: float) -> tuple[datetime, datetime]:
    """Return when a question was asked that waits this long, and for no more than a day."""
    before = clock.now() - timedelta(seconds=older_than_s)
    return before - timedelta(days=1), before


@query
def current(*, actor: Actor, proposal_id: UUID) -> RevisionCard:
    """Return the revision that counts now.

    Raises:
        NotFound: there is no such proposal, or of no tool that the reader may see.
    """
    row = seen_row(actor, proposal_id)
    return Revision.objects.get(proposal=row, no=row.revision_no).card(row.tool)


@query
def first(*, actor: Actor, proposal_id: UUID) -> RevisionCard:
    """Return what the agent had proposed.

    Raises:
        NotFound: there is no such proposal, or of no tool that the reader may see.
    """
    row = seen_row(actor, proposal_id)
    return Revision.objects.get(proposal=row, no=1).card(row.tool)
