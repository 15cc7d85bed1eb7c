"""What a proposal asks of people before it may run."""

from decimal import Decimal
from typing import ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from approvals import policies
from approvals.cards import Requirement
from approvals.models.columns import own, words
from approvals.models.proposal import Proposal
from approvals.states import OnExpiry
from console.kernel.models import TenantRow

OPENED: Final = "opened"  # why the first requirement of a proposal is there


class RequirementRow(TenantRow):
    """Who must agree, frozen when the proposal opened; a later row may ask more, never less.

    The newest row counts.
    """

    proposal = own("Proposal", "requirements")
    no = models.IntegerField(default=1)
    cause = models.CharField(max_length=12, default=OPENED)
    blocks = models.JSONField()
    people = models.SmallIntegerField()
    asked_groups = ArrayField(models.CharField(max_length=63))
    blind = models.BooleanField()
    decide_s = models.IntegerField()
    execute_s = models.IntegerField()
    on_expiry = models.CharField(max_length=12)
    explanation = models.TextField()
    stepup_s = models.IntegerField(default=0)
    deny_threshold = models.SmallIntegerField(default=1)
    ladder = models.JSONField(default=list)
    batch_most = models.SmallIntegerField(default=0)
    standing = models.BooleanField(default=False)
    sample = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal)
    policy_version = models.UUIDField(null=True)

    class Meta:
        db_table = "approvals_requirement"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "no"], name="requirement_no_once"
            ),
            models.CheckConstraint(condition=Q(people__gte=1), name="requirement_needs_somebody"),
            models.CheckConstraint(
                condition=words("on_expiry", OnExpiry), name="requirement_on_expiry"
            ),
            models.CheckConstraint(
                condition=Q(
                    decide_s__gt=0,
                    execute_s__gt=0,
                    stepup_s__gte=0,
                    deny_threshold__gte=1,
                    batch_most__gte=0,
                    sample__gte=0,
                    sample__lte=1,
                ),
                name="requirement_in_bounds",
            ),
        ]

    @classmethod
    def of(
        cls, proposal: Proposal, requirement: Requirement, *, no: int = 1, cause: str = OPENED
    ) -> "RequirementRow":
        """Return the row that freezes a requirement."""
        return cls(
            tenant_id=proposal.tenant_id,
            proposal=proposal,
            no=no,
            cause=cause,
            blocks=policies.requirement_as_dict(requirement),
            people=requirement.people,
            asked_groups=sorted(policies.asked_groups(requirement)),
            blind=requirement.blind,
            decide_s=requirement.decide_s,
            execute_s=requirement.execute_s,
            on_expiry=requirement.on_expiry,
            explanation=requirement.explanation,
            stepup_s=requirement.stepup_s,
            deny_threshold=requirement.deny_threshold,
            ladder=policies.ladder_as_list(requirement.ladder),
            batch_most=requirement.batch_most,
            standing=requirement.standing,
            sample=Decimal(requirement.sample),
            policy_version=requirement.policy_version,
        )

    @classmethod
    def newest(cls, proposal: Proposal) -> "RequirementRow":
        """Return the row that counts."""
        return cls.objects.filter(proposal=proposal).latest("no")

    def card(self) -> Requirement:
        return Requirement(
            blocks=policies.blocks_from(self.blocks),
            blind=self.blind,
            decide_s=self.decide_s,
            execute_s=self.execute_s,
            on_expiry=self.on_expiry,
            explanation=self.explanation,
            stepup_s=self.stepup_s,
            deny_threshold=self.deny_threshold,
            ladder=policies.ladder_from(self.ladder),
            batch_most=self.batch_most,
            standing=self.standing,
            sample=f"{self.sample.normalize():f}",
            policy_version=self.policy_version,
        )
