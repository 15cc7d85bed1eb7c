"""What is said about a proposal's content, and when its target was last looked at."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.cards import CommentCard
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, own, words
from approvals.states import CommentKind
from console.kernel.models import TenantRow


class Comment(TenantRow):
    """Something said about one revision; never changed. It decides nothing."""

    proposal = own("Proposal", "comments")
    revision = own("Revision", "comments")  # that its author had in mind
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    kind = models.CharField(max_length=16)
    text = models.TextField()
    author_kind = models.CharField(max_length=12)
    author_id = models.CharField(max_length=80)
    author_label = models.CharField(max_length=LABEL_LENGTH)
    answers = models.ForeignKey(
        "self", models.PROTECT, null=True, db_constraint=False, related_name="answered_by"
    )
    said_at = models.DateTimeField()
    event_uid = models.UUIDField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=words("kind", CommentKind), name="comment_kind_known"),
            models.CheckConstraint(condition=Q(text__regex=r"\S"), name="comment_says_something"),
            models.CheckConstraint(
                condition=Q(kind=CommentKind.ANSWER.value, answers__isnull=False)
                | (~Q(kind=CommentKind.ANSWER.value) & Q(answers__isnull=True)),
                name="comment_answers_something",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "answers"],
                condition=Q(answers__isnull=False),
                name="comment_answered_once",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "id"], name="comment_of_proposal_id"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "proposal", "said_at"], name="comment_thread"),
            models.Index(
                fields=["tenant_id", "said_at"],
                condition=words("kind", {CommentKind.QUESTION, CommentKind.REQUEST_CHANGES}),
                name="comment_asked",
            ),
            models.Index(  # of all tenants: pulse asks which of them have something to answer
                fields=["said_at"],
                condition=words("kind", {CommentKind.QUESTION, CommentKind.REQUEST_CHANGES}),
                name="comment_asked_lately",
            ),
        ]

    def card(self, *, revision_no: int) -> CommentCard:
        return CommentCard(
            id=self.id,
            proposal_id=self.proposal_id,
            revision_no=revision_no,
            kind=CommentKind(self.kind),
            text=self.text,
            author_kind=self.author_kind,
            author_id=self.author_id,
            author=self.author_label,
            answers=self.answers_id,
            at=self.said_at,
            event_uid=self.event_uid,
        )


class Probe(TenantRow):
    """When the target of a proposal was last looked at; a counter, not a fact."""

    proposal = own("Proposal", "probes")
    probed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="probe_once"),
        ]
