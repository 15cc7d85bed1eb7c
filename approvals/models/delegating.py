"""Who may decide in the place of whom, for a time."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from approvals.cards import May
from approvals.cards.delegating import DelegationCard
from approvals.models.columns import LABEL_LENGTH, REASON_LENGTH
from approvals.policies.delegating import LONGEST
from console.kernel.models import TenantRow

_GROUP_LENGTH = 63  # of a group's slug


def _person(*, null: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey("accounts.Person", models.PROTECT, related_name="+", null=null)


class Delegation(TenantRow):
    """One place of one person, lent to another; it is ended once and nothing else changes."""

    from_person = _person()
    from_label = models.CharField(max_length=LABEL_LENGTH)
    to_person = _person()
    to_label = models.CharField(max_length=LABEL_LENGTH)
    group = models.CharField(max_length=_GROUP_LENGTH)  # whose place the other may fill
    reason = models.CharField(max_length=REASON_LENGTH)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # by a person, before its time
    ended_by = _person(null=True)
    ended_by_label = models.CharField(max_length=LABEL_LENGTH, default="")
    lapsed_at = models.DateTimeField(null=True)  # when pulse put on record that its time was over

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(from_person=F("to_person")), name="delegation_not_self"
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("made_at"), until__lte=F("made_at") + LONGEST),
                name="delegation_bounded",
            ),
            models.CheckConstraint(
                condition=Q(group__regex=r"\S", reason__regex=r"\S"), name="delegation_says_why"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_by_label="")
                | Q(ended_at__isnull=False, ended_by__isnull=False, ended_at__lt=F("until")),
                name="delegation_ended_whole",
            ),
            models.CheckConstraint(
                condition=Q(lapsed_at__isnull=True)
                | Q(ended_at__isnull=True, lapsed_at__gte=F("until")),
                name="delegation_lapsed_in_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "-made_at", "-id"], name="delegation_newest"),
            models.Index(
                fields=["tenant_id", "until"],
                condition=Q(ended_at__isnull=True, lapsed_at__isnull=True),
                name="delegation_open",
            ),
            models.Index(fields=["tenant_id", "from_person"], name="delegation_from"),
            models.Index(fields=["tenant_id", "to_person"], name="delegation_to"),
        ]

    def covers(self, at: datetime) -> bool:
        """Say whether it lasted at that moment."""
        over = self.until if self.ended_at is None else self.ended_at
        return self.made_at <= at < over

    def card(
        self, *, at: datetime, why_silent: str = "", may_end: May | None = None
    ) -> DelegationCard:
        return DelegationCard(
            id=self.id,
            from_id=self.from_person_id,
            from_person=self.from_label,
            to_id=self.to_person_id,
            to_person=self.to_label,
            group=self.group,
            reason=self.reason,
            made_at=self.made_at,
            until=self.until,
            ended_at=self.ended_at,
            ended_by=self.ended_by_label,
            live=self.covers(at),
            why_silent=why_silent if self.covers(at) else "",
            may_end=may_end if self.covers(at) else None,
        )
