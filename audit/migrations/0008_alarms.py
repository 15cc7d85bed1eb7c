"""Alarms about the trail, and what the duties that watch it saw."""

from django.db import migrations, models

from console.kernel.schema import SharedTable, TenantTable


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_meta_proofs")]

    operations = [
        migrations.CreateModel(
            name="AuditAlarm",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant_id", "code", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("code", models.TextField()),
                ("sentences", models.JSONField()),
                ("raised_at", models.DateTimeField()),
                ("cleared_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "audit_alarm",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("code__in", ["guards", "log", "signer"])), name="alarm_code_known")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditWatch",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("body", models.JSONField()),
            ],
            options={"db_table": "audit_watch"},
        ),
        TenantTable("audit_alarm"),
        SharedTable(
            "audit_watch",
            reason="Grants and triggers guard every tenant's trail alike.",
            grants="SELECT, INSERT, UPDATE",
        ),
    ]
