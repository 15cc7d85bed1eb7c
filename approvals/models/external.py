"""Tools of agents that run elsewhere: what they may be called here, and how much is at stake."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.cards import ExternalToolCard
from approvals.models.columns import LABEL_LENGTH, REASON_LENGTH
from console.kernel.models import TenantRow


class ExternalTool(TenantRow):
    """A tool that external agents may name. Only its end is ever added; else it is made anew.

    What two people have to agree to names their proposal: `external_tool_was_agreed`.
    """

    name = models.CharField(max_length=120)
    tier = models.SmallIntegerField()  # the least; a request may only ask for more
    summary = models.CharField(max_length=REASON_LENGTH)
    # What a reviewer may edit the arguments by; without one nobody can.
    args_schema = models.JSONField(null=True)
    added_by = models.CharField(max_length=LABEL_LENGTH)
    agreed_by = models.UUIDField(null=True)  # the proposal
    retired_at = models.DateTimeField(null=True)
    end_agreed_by = models.UUIDField(null=True)

    class Meta:
        db_table = "approvals_external_tool"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(tier__in=[1, 2]), name="external_tool_tier_known"),
            models.UniqueConstraint(
                fields=["tenant_id", "name"],
                condition=Q(retired_at__isnull=True),
                name="external_tool_once",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "agreed_by"], name="external_tool_agreed_once"
            ),
        ]

    def card(self) -> ExternalToolCard:
        return ExternalToolCard(
            id=self.id,
            name=self.name,
            tier=self.tier,
            summary=self.summary,
            args_schema=self.args_schema,
            added_by=self.added_by,
            added_at=self.created_at,
            agreed_by=self.agreed_by,
            retired_at=self.retired_at,
            end_agreed_by=self.end_agreed_by,
        )
