"""The right to break glass, its uses, and decisions that somebody looks at once more."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from approvals.cards.reviewing import GlassUse, GrantCard, ReviewTaskCard
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, own, words
from approvals.models.policy import NAME_LENGTH
from approvals.policies.breaking import MOST_GRANT_MINUTES, TICKET_LENGTH
from approvals.policies.sampling import ENOUGH_ANSWERS
from approvals.states import ReviewKind, ReviewVerdict
from console.kernel.models import TenantRow

_OPEN = Q(closed_at__isnull=True)
_GLASS = Q(kind=ReviewKind.BREAK_GLASS.value)


def _person(*, null: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey("accounts.Person", models.PROTECT, related_name="+", null=null)


class BreakGlassGrant(TenantRow):
    """The right to break glass, lent to one person; it may be taken away once and nothing else."""

    person = _person()
    person_label = models.CharField(max_length=LABEL_LENGTH)
    reason = models.TextField()
    granted_by = _person()
    granted_by_label = models.CharField(max_length=LABEL_LENGTH)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by_label = models.CharField(max_length=LABEL_LENGTH, default="")

    class Meta:
        db_table = "approvals_break_glass_grant"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(person=F("granted_by")), name="break_glass_not_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("granted_at"))
                & Q(expires_at__lte=F("granted_at") + timedelta(minutes=MOST_GRANT_MINUTES)),
                name="break_glass_grant_bounded",
            ),
            models.CheckConstraint(
                condition=Q(reason__regex=r"\S"), name="break_glass_grant_has_reason"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "id", "person"], name="break_glass_grant_of_person"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "person", "-expires_at"], name="break_glass_grant_newest"
            ),
            models.Index(fields=["tenant_id", "-granted_at", "-id"], name="break_glass_grant_list"),
        ]

    def is_live(self, *, at: datetime) -> bool:
        return self.revoked_at is None and self.granted_at <= at < self.expires_at

    def card(self, *, at: datetime, uses: int = 0) -> GrantCard:
        return GrantCard(
            id=self.id,
            person_id=self.person_id,
            person=self.person_label,
            reason=self.reason,
            granted_by=self.granted_by_label,
            granted_at=self.granted_at,
            expires_at=self.expires_at,
            revoked_at=self.revoked_at,
            revoked_by=self.revoked_by_label,
            live=self.is_live(at=at),
            uses=uses,
        )


class BreakGlassUse(TenantRow):
    """One decision that one person made in place of all who were asked; never changed."""

    proposal = own("Proposal", "break_glass")
    revision = own("Revision", "break_glass")
    decision = own("Decision", "break_glass")
    grant = own("BreakGlassGrant", "uses")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    person = _person()
    person_label = models.CharField(max_length=LABEL_LENGTH)
    reason = models.TextField()
    ticket = models.CharField(max_length=TICKET_LENGTH)
    session = models.CharField(max_length=64)
    stepup_at = models.DateTimeField()  # when the session last proved who it is
    served_at = models.DateTimeField()  # since when it had been shown all that it saw
    view_digest = models.BinaryField(max_length=DIGEST_BYTES)
    skipped = ArrayField(models.UUIDField(), default=list)
    event_uid = models.UUIDField()
    used_at = models.DateTimeField()

    class Meta:
        db_table = "approvals_break_glass"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "decision"], name="break_glass_once_per_decision"
            ),
            models.CheckConstraint(
                condition=Q(reason__regex=r"\S", ticket__regex=r"\S"),
                name="break_glass_has_reason_and_ticket",
            ),
            models.CheckConstraint(
                condition=Q(session__regex="^[0-9a-f]{64}$"), name="break_glass_has_session"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "proposal", "used_at"], name="break_glass_of"),
            models.Index(fields=["tenant_id", "grant"], name="break_glass_by_grant"),
        ]

    def card(self, task: "ReviewTask", *, revision_no: int) -> GlassUse:
        return GlassUse(
            person=self.person_label,
            at=self.used_at,
            reason=self.reason,
            ticket=self.ticket,
            told=len(self.skipped),
            revision_no=revision_no,
            task_id=task.id,
            reviewed=task.closed_at is not None,
        )


class RuleTurn(TenantRow):
    """A rule of a version that asks people about what it allowed; only a new version ends that."""

    version = own("PolicyVersion", "turns")
    rule = models.CharField(max_length=NAME_LENGTH)
    task = own("ReviewTask", "turned")  # the review whose answer did it
    answered = models.IntegerField()
    disagreed = models.IntegerField()
    turned_at = models.DateTimeField()

    class Meta:
        db_table = "approvals_rule_turn"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "version", "rule"], name="rule_turn_once"),
            models.CheckConstraint(
                condition=Q(answered__gte=ENOUGH_ANSWERS, disagreed__gte=1)
                & Q(disagreed__lte=F("answered")),
                name="rule_turn_after_enough_answers",
            ),
        ]


class ReviewTask(TenantRow):
    """A decision that somebody looks at once more; it is closed once, and nothing else changes."""

    kind = models.CharField(max_length=12)
    proposal = own("Proposal", "review_tasks")
    decision = own("Decision", "review_tasks")
    about_person = _person(null=True)  # who broke glass
    about_label = models.CharField(max_length=LABEL_LENGTH, default="")
    rules = ArrayField(models.TextField(), default=list)  # "version/rule" that spoke for people
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = _person(null=True)
    closed_by_label = models.CharField(max_length=LABEL_LENGTH, default="")
    verdict = models.CharField(max_length=8, default="")
    note = models.TextField(default="")

    class Meta:
        db_table = "approvals_review_task"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("kind", ReviewKind), name="review_task_kind_known"
            ),
            models.CheckConstraint(
                condition=(_GLASS & Q(about_person__isnull=False))
                | (Q(kind=ReviewKind.SAMPLE.value) & Q(about_person__isnull=True)),
                name="review_task_about_somebody",
            ),
            models.CheckConstraint(
                condition=(_OPEN & Q(closed_by__isnull=True, verdict="", note=""))
                | (
                    Q(closed_at__isnull=False, closed_by__isnull=False)
                    & words("verdict", ReviewVerdict)
                ),
                name="review_task_closed_whole",
            ),
            models.CheckConstraint(
                condition=_OPEN
                | Q(note__regex=r"\S")
                | Q(kind=ReviewKind.SAMPLE.value, verdict=ReviewVerdict.AGREE.value),
                name="review_task_has_note",
            ),
            models.CheckConstraint(
                condition=_OPEN | Q(about_person__isnull=True) | ~Q(closed_by=F("about_person")),
                name="review_task_closed_by_another",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "kind", "decision"], name="review_task_once"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "about_person"],
                condition=_GLASS & _OPEN,
                name="break_glass_one_open",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "-opened_at", "-id"], name="review_task_newest"),
            models.Index(
                fields=["tenant_id", "-opened_at", "-id"],
                condition=_OPEN,
                name="review_task_open",
            ),
            models.Index(fields=["tenant_id", "proposal"], name="review_task_of_proposal"),
            GinIndex(fields=["rules"], name="review_task_of_rule"),
        ]

    def card(self) -> ReviewTaskCard:
        return ReviewTaskCard(
            id=self.id,
            kind=ReviewKind(self.kind),
            proposal_id=self.proposal_id,
            title=self.proposal.title,
            tool=self.proposal.tool,
            tier=self.proposal.tier,
            agent=self.proposal.agent_label,
            about=self.about_label,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            closed_by=self.closed_by_label,
            verdict=ReviewVerdict(self.verdict) if self.verdict else None,
            note=self.note,
        )
