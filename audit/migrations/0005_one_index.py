"""One index of events instead of two: entries name the place of their event in it.

An append writes every index, so the one on `id` alone was a fifth of what the trail costs beside a plain
INSERT. `(epoch, xid, id)` serves the sealer, `must_audit` and every look-up of an event by its entry.
"""

from django.db import migrations

from console.kernel.schema import Sql

# Only the owner passes these guards, and only inside this transaction. An entry whose event is gone keeps
# a place where no event can be, so a trail that was tampered with migrates too, and verify_audit names it.
FORWARD = """
ALTER TABLE audit_entry
  ADD COLUMN event_epoch integer NOT NULL DEFAULT 0,
  ADD COLUMN event_xid xid8 NOT NULL DEFAULT '0';
ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_entry DISABLE TRIGGER append_only;
UPDATE audit_entry n SET event_epoch = e.epoch, event_xid = e.xid
  FROM audit_event e WHERE e.id = n.event_id;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_entry ALTER COLUMN event_epoch DROP DEFAULT, ALTER COLUMN event_xid DROP DEFAULT;
CREATE INDEX audit_event_place ON audit_event (epoch, xid, id);
DROP INDEX audit_event_epoch_xid, audit_event_id;
"""
BACK = """
CREATE INDEX audit_event_epoch_xid ON audit_event (epoch, xid);
CREATE INDEX audit_event_id ON audit_event (id);
DROP INDEX audit_event_place;
ALTER TABLE audit_entry DROP COLUMN event_xid, DROP COLUMN event_epoch;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_received_at")]

    operations = [Sql(FORWARD, BACK)]
