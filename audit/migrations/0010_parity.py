"""Where the comparison of the search table stands, and what is recorded of acts that were only counted."""

from django.db import migrations, models

from console.kernel.schema import Sql

FORWARD = """
ALTER TABLE audit_search_state ADD COLUMN parity_next bigint NOT NULL DEFAULT 0,
  ADD COLUMN repairs integer NOT NULL DEFAULT 0;
ALTER TABLE audit_repeat ADD COLUMN act text NOT NULL DEFAULT '';
GRANT DELETE ON audit_repeat TO signalbox_app;
"""
BACK = """
REVOKE DELETE ON audit_repeat FROM signalbox_app;
ALTER TABLE audit_repeat DROP COLUMN act;
ALTER TABLE audit_search_state DROP COLUMN parity_next, DROP COLUMN repairs;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_search")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[Sql(FORWARD, BACK)],
            state_operations=[
                migrations.AddField("auditsearchstate", "parity_next", models.BigIntegerField(default=0)),
                migrations.AddField("auditsearchstate", "repairs", models.IntegerField(default=0)),
                migrations.AddField("auditrepeat", "act", models.TextField(default="")),
            ],
        ),
        migrations.RemoveConstraint("auditalarm", "alarm_code_known"),
        migrations.AddConstraint(
            "auditalarm",
            models.CheckConstraint(
                condition=models.Q(("code__in", ["guards", "log", "search", "signer"])), name="alarm_code_known"
            ),
        ),
    ]
