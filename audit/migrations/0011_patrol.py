"""How far continuous verification has come; it runs as the sealer, who sees every log."""

from django.db import migrations, models

from console.kernel.schema import Sql, TenantTable

FORWARD = """
CREATE POLICY sealer_patrols ON audit_patrol TO signalbox_sealer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON audit_patrol TO signalbox_sealer;

-- Large parts of events are verified too.
CREATE POLICY sealer_reads ON audit_blob FOR SELECT TO signalbox_sealer USING (true);
GRANT SELECT ON audit_blob TO signalbox_sealer;
"""
BACK = """
REVOKE SELECT ON audit_blob FROM signalbox_sealer;
DROP POLICY sealer_reads ON audit_blob;
REVOKE ALL ON audit_patrol FROM signalbox_sealer;
DROP POLICY sealer_patrols ON audit_patrol;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_parity")]

    operations = [
        migrations.CreateModel(
            name="AuditPatrol",
            fields=[
                ("pk", models.CompositePrimaryKey("log_id", "scope", blank=True, editable=False, primary_key=True, serialize=False)),
                ("log_id", models.UUIDField()),
                ("scope", models.TextField()),
                ("tenant_id", models.UUIDField(null=True)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("next_index", models.BigIntegerField()),
                ("edge", models.BinaryField()),
                ("found", models.IntegerField()),
            ],
            options={
                "db_table": "audit_patrol",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("scope__in", ["newest", "whole"])), name="patrol_scope_known")
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="auditalarm", name="alarm_code_known"),
        migrations.AddConstraint(
            model_name="auditalarm",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__in", ["guards", "log", "meta", "search", "signer"])), name="alarm_code_known"
            ),
        ),
        TenantTable("audit_patrol", grants="SELECT"),
        Sql(FORWARD, BACK),
    ]
