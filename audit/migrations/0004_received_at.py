"""The receive time as PostgreSQL keeps time: a default of one function instead of three.

Every INSERT looks each function of a default up anew, prepared or not. The sealer turns the time into the
microseconds of the leaf; both forms hold whole microseconds, so nothing is rounded.
"""

from django.db import migrations, models

from console.kernel.schema import Sql

FORWARD = """
ALTER TABLE audit_event ALTER COLUMN received_us DROP DEFAULT;
ALTER TABLE audit_event ALTER COLUMN received_us TYPE timestamptz
  USING timestamptz 'epoch' + received_us * interval '1 microsecond';
ALTER TABLE audit_event RENAME COLUMN received_us TO received_at;
ALTER TABLE audit_event ALTER COLUMN received_at SET DEFAULT clock_timestamp();
"""
BACK = """
ALTER TABLE audit_event ALTER COLUMN received_at DROP DEFAULT;
ALTER TABLE audit_event ALTER COLUMN received_at TYPE bigint
  USING (extract(epoch FROM received_at) * 1000000)::bigint;
ALTER TABLE audit_event RENAME COLUMN received_at TO received_us;
ALTER TABLE audit_event ALTER COLUMN received_us
  SET DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_agent_label")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[Sql(FORWARD, BACK)],
            state_operations=[
                migrations.RemoveField("auditevent", "received_us"),
                migrations.AddField(
                    "auditevent", "received_at", models.DateTimeField(), preserve_default=False
                ),
            ],
        )
    ]
