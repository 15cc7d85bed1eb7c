from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import Governed, TenantTable


class Migration(migrations.Migration):

    dependencies = [("approvals", "0008_notices")]

    operations = [
        migrations.CreateModel(
            name="ExternalTool",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("name", models.CharField(max_length=120)),
                ("tier", models.SmallIntegerField()),
                ("summary", models.CharField(max_length=500)),
                ("added_by", models.CharField(max_length=200)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "approvals_external_tool",
                "constraints": [
                    models.CheckConstraint(condition=Q(("tier__in", [1, 2])), name="external_tool_tier_known"),
                    models.UniqueConstraint(
                        condition=Q(("retired_at__isnull", True)),
                        fields=("tenant_id", "name"),
                        name="external_tool_once",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            "dispatch",
            models.Index(
                condition=Q(("state", "claimed")),
                fields=["tenant_id", "execute_by"],
                name="dispatch_claimed",
            ),
        ),
        TenantTable("approvals_external_tool", grants="SELECT, INSERT, UPDATE (retired_at)"),
        Governed("approvals_external_tool"),
    ]
