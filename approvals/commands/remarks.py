"""Rows of a thread: each is written under the lock of its proposal, with its event."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from approvals.cards import CommentCard
from approvals.commands.desk import Desk
from approvals.events import ProposalAnswered, ProposalAsked, ProposalNoted
from approvals.models import LABEL_LENGTH, NOTE_LENGTH, Comment, Revision
from approvals.states import CommentKind
from audit.commands import record
from audit.events import Event
from console.kernel.errors import BadInput, NotFound
from console.kernel.ids import uuid7

ASKING = frozenset({CommentKind.QUESTION, CommentKind.REQUEST_CHANGES})


def text_of(text: str, name: str, *, most: int = NOTE_LENGTH) -> str:
    """Return what somebody typed, bare.

    Raises:
        BadInput: it is too long, or holds what cannot be stored.
    """
    # A browser counts a line break as one character and sends two.
    text = text.replace("\r\n", "\n").strip()
    said = (
        "No NUL." if "\x00" in text else f"At most {most} characters." if len(text) > most else ""
    )
    if said:
        raise BadInput(f"{name.capitalize()}: {said}", fields={name: said})
    return text


def needed_text(text: str, name: str, wanted: str, *, most: int = NOTE_LENGTH) -> str:
    """Return what somebody typed, bare; `wanted` is what they read when they typed nothing.

    Raises:
        BadInput: it is empty, too long, or holds what cannot be stored.
    """
    said = text_of(text, name, most=most)
    if not said:
        raise BadInput(f"{name.capitalize()}: {wanted}", fields={name: wanted})
    return said


def said_before(desk: Desk, kind: CommentKind, text: str, about: Revision) -> CommentCard | None:
    """Return what this author said already in the same words, while it stands as it was said.

    A question stands until it is answered, a note until somebody says something after it.
    """
    said = Comment.objects.filter(proposal=desk.row)
    if kind in ASKING:
        rows = list(said.filter(kind=kind.value, answered_by__isnull=True))
    else:
        rows = list(said.order_by("-said_at", "-id")[:1])
    same = (kind.value, text, about.id, desk.actor.kind.value, desk.actor.id[:80])
    for row in rows:
        if same == (row.kind, row.text, row.revision_id, row.author_kind, row.author_id):
            return row.card(revision_no=about.no)
    return None


def insert(
    desk: Desk,
    *,
    kind: CommentKind,
    text: str,
    at: datetime,
    revision: Revision | None = None,
    answers: Comment | None = None,
    pauses: bool = False,
) -> CommentCard:
    """Write one thing said, about the current revision unless another is named."""
    about = revision or desk.revision
    row = Comment(
        id=uuid7(),
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        revision=about,
        digest=about.digest,
        kind=kind.value,
        text=text,
        author_kind=desk.actor.kind.value,
        author_id=desk.actor.id[:80],
        author_label=desk.actor.label[:LABEL_LENGTH],
        answers=answers,
        said_at=at,
    )
    receipt = record(_event(row, about, pauses=pauses), actor=desk.actor)
    row.event_uid = receipt.uid
    row.save(force_insert=True)
    return row.card(revision_no=about.no)


def question(comment_id: UUID) -> Comment:
    """Return what was asked; what is asked never changes, so no lock is needed."""
    kinds = [kind.value for kind in ASKING]
    found = Comment.objects.filter(pk=comment_id, kind__in=kinds).first()
    if found is None:
        raise NotFound("There is no such question here.")
    return found


def answer_of(asked: Comment) -> CommentCard | None:
    """Return the one answer that something asked has got."""
    found = Comment.objects.filter(answers=asked).select_related("revision").first()
    return found.card(revision_no=found.revision.no) if found else None


def _event(row: Comment, about: Revision, *, pauses: bool) -> Event:
    if row.kind == CommentKind.NOTE:
        return ProposalNoted(
            proposal_id=row.proposal_id, comment_id=row.id, revision_no=about.no, reason=row.text
        )
    if row.answers_id is not None:
        return ProposalAnswered(
            proposal_id=row.proposal_id,
            comment_id=row.id,
            answers=row.answers_id,
            text_digest=sha256(row.text.encode()).hexdigest(),
        )
    return ProposalAsked(
        proposal_id=row.proposal_id,
        comment_id=row.id,
        comment_kind=row.kind,
        revision_no=about.no,
        digest=bytes(about.digest).hex(),
        pauses=pauses,
        reason=row.text,
    )
