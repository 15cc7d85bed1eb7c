"""Approvals that people give in advance, and each use of one."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from approvals.models.columns import LABEL_LENGTH, REASON_LENGTH, own
from console.kernel.models import TenantRow


class Standing(TenantRow):
    """One person's word on calls that are to come; it is only ever used up or revoked."""

    vote = own("Vote", "standings")  # the approval that it was given with
    proposal = own("Proposal", "standings")
    maker = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    maker_label = models.CharField(max_length=LABEL_LENGTH)
    tier = models.SmallIntegerField()
    tool = models.CharField(max_length=120)
    contract_hash = models.CharField(max_length=64)
    agent_id = models.CharField(max_length=80)
    agent_label = models.CharField(max_length=LABEL_LENGTH)
    conditions = models.JSONField()
    free = models.JSONField()
    uses = models.SmallIntegerField()
    uses_left = models.SmallIntegerField()
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stepup_s = models.IntegerField()  # how fresh the sign-in had to be; 0: nobody asked
    reason = models.CharField(max_length=REASON_LENGTH)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=LABEL_LENGTH, default="")
    revoke_reason = models.CharField(max_length=REASON_LENGTH, default="")

    class Meta:
        db_table = "approvals_standing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(tier=1), name="standing_tier_1"),
            models.CheckConstraint(
                condition=Q(uses_left__gte=0, uses_left__lte=F("uses")),
                name="standing_uses_not_negative",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "vote"],
                condition=Q(revoked_at__isnull=True),
                name="standing_one_per_vote",
            ),
            models.UniqueConstraint(fields=["tenant_id", "id"], name="standing_of_tenant"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "tool", "agent_id", "ends_at", "id"],
                condition=Q(revoked_at__isnull=True, uses_left__gt=0),
                name="standing_that_speaks",
            ),
            models.Index(fields=["tenant_id", "-made_at", "-id"], name="standing_newest"),
        ]


class StandingUse(TenantRow):
    """A proposal that a standing approval spoke for; counted once, however often it reopens."""

    standing = own("Standing", "spent")
    proposal = own("Proposal", "standing_uses")
    used_at = models.DateTimeField()

    class Meta:
        db_table = "approvals_standing_use"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="standing_use_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "standing", "-used_at"], name="standing_use_newest")
        ]
