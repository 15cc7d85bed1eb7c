"""What a reviewer's desk keeps: who is at work on what, why it is whose turn, what waits, views."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from approvals.cards import ClaimCard, SavedViewCard
from approvals.models.columns import LABEL_LENGTH, own, words
from approvals.states import AttentionReason
from console.kernel.models import TenantRow

VIEW_NAME_LENGTH = 60

ADDRESS_LENGTH = 1000


class Claim(TenantRow):
    """Somebody is at work on a proposal until the lease ends; the row stays and is taken again."""

    proposal = own("Proposal", "claims")
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    person_label = models.CharField(max_length=LABEL_LENGTH)
    since = models.DateTimeField()
    lease_until = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "proposal", "person"], name="claim_once"),
            models.CheckConstraint(
                condition=Q(lease_until__gte=F("since")), name="claim_ends_after_it_began"
            ),
        ]

    def card(self) -> ClaimCard:
        return ClaimCard(
            proposal_id=self.proposal_id,
            person_id=self.person_id,
            name=self.person_label,
            since=self.since,
            until=self.lease_until,
        )


class Attention(TenantRow):
    """Why, and since when, a proposal is one person's turn again.

    Whose turn it is at all is never stored: it follows from rights and groups, which change.
    """

    proposal = own("Proposal", "attention")
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12)
    cause = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "person", "proposal"], name="attention_once"
            ),
            models.CheckConstraint(
                condition=words("reason", AttentionReason), name="attention_reason_known"
            ),
        ]


class Snooze(TenantRow):
    """A person puts a proposal off; it ends by time, or when the proposal becomes another one."""

    proposal = own("Proposal", "snoozes")
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField()
    row_version = models.IntegerField()  # of the proposal, as it was put off

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "person", "proposal"], name="snooze_once"),
            models.CheckConstraint(condition=Q(until__gte=F("at")), name="snooze_ends_later"),
        ]


class SavedView(TenantRow):
    """A list that a person kept by name: the query of its address."""

    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    name = models.CharField(max_length=VIEW_NAME_LENGTH)
    address = models.CharField(max_length=ADDRESS_LENGTH)
    is_default = models.BooleanField(default=False)

    class Meta:
        db_table = "approvals_saved_view"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "person", "name"], name="saved_view_name_once"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "person"],
                condition=Q(is_default=True),
                name="saved_view_one_default",
            ),
        ]

    def card(self) -> SavedViewCard:
        return SavedViewCard(
            id=self.id, name=self.name, address=self.address, is_default=self.is_default
        )
