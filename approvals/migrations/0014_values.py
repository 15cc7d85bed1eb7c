import uuid

from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import Sql

WAITS = Q(("state__in", ["open", "stale"]))
# A set of groups as one value: an index under row-level security answers equality, not overlap. The text of
# an array quotes what it has to, so that two sets never have the same one.
KEY = """
CREATE FUNCTION approvals_asked_key() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.asked_key := md5(NEW.asked_groups::text)::uuid;
  RETURN NEW;
END $$;
CREATE TRIGGER proposal_asked_key BEFORE INSERT OR UPDATE OF asked_groups, asked_key ON approvals_proposal
  FOR EACH ROW EXECUTE FUNCTION approvals_asked_key();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER proposal_asked_key;

-- What is there already, in every tenant and without an event: it repeats what the trail has.
ALTER TABLE approvals_proposal NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_proposal DISABLE TRIGGER must_audit;
UPDATE approvals_proposal SET asked_groups = asked_groups;
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER must_audit;
ALTER TABLE approvals_proposal FORCE ROW LEVEL SECURITY;
"""
DROP_KEY = "DROP FUNCTION approvals_asked_key() CASCADE;"


def waiting(name, *fields):
    return migrations.AddIndex(
        "proposal", models.Index(condition=WAITS, fields=["tenant_id", *fields], name=name)
    )


class Migration(migrations.Migration):

    dependencies = [("approvals", "0013_attention")]

    operations = [
        migrations.AddField(
            "proposal", "asked_key", models.UUIDField(default=uuid.UUID(int=0), editable=False)
        ),
        Sql(KEY, DROP_KEY),
        waiting("proposal_asked", "asked_key"),
        waiting("proposal_waiting_tool", "tool"),
        waiting("proposal_waiting_agent", "agent_id", "agent_label"),
    ]
