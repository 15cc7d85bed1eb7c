from django.db import migrations, models
from django.db.models import Q

REASONS = [
    "answered", "approved", "blocked", "break_glass", "checks", "dead_end", "executed", "expired", "failed",
    "opened", "rejected", "reminded", "reopened", "revised", "rule_allows", "rule_turned", "superseded", "test",
    "unknown", "widened", "withdrawn",
]


class Migration(migrations.Migration):

    dependencies = [("approvals", "0023_unanswered")]

    operations = [
        migrations.RemoveConstraint(model_name="notice", name="notice_reason_known"),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=Q(("reason__in", REASONS)), name="notice_reason_known"
            ),
        ),
    ]
