"""A cheaper INSERT of events: the leaf hash is computed at sealing, checks are policies."""

from pathlib import Path

from django.db import migrations

from console.kernel.schema import Sql

SQL = Path(__file__).parent / "0002_lighter_append.sql"
BACK = """
DROP POLICY fits_a_leaf ON audit_event;
DROP POLICY keep_known ON audit_event;
ALTER TABLE audit_event
  ADD CONSTRAINT audit_event_keep_known CHECK (keep IN ('short', 'standard', 'long')),
  ADD CONSTRAINT audit_event_fits_a_leaf CHECK (octet_length(envelope) <= 16356),
  ADD COLUMN leaf_hash bytea NOT NULL GENERATED ALWAYS AS (
    sha256('\\x0053420001'::bytea || uuid_send(event_uid) || int8send(received_us) || envelope)
  ) STORED;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[Sql(SQL.read_text(encoding="utf-8"), BACK)],
            state_operations=[migrations.RemoveField("auditevent", "leaf_hash")],
        )
    ]
