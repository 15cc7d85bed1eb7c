"""Who proposed a change of rules, people or the gate is told of questions about it."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

REASONS = [
    "answered", "approved", "asked", "blocked", "break_glass", "checks", "dead_end", "executed", "expired",
    "failed", "opened", "rejected", "reminded", "reopened", "revised", "rule_allows", "rule_turned", "superseded",
    "test", "unknown", "widened", "withdrawn",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0027_values_together")]

    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="notice", name="notice_reason_known"),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=Q(("reason__in", REASONS)), name="notice_reason_known"
            ),
        ),
    ]
