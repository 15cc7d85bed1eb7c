"""Whether the target of a proposal was ever found changed, however the proposal ended then."""

from typing import ClassVar

from django.db import migrations, models

from console.kernel.schema import Sql

STALED = """
CREATE FUNCTION approvals_proposal_staled_at() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.staled_at := CASE
    WHEN TG_OP = 'UPDATE' AND OLD.staled_at IS NOT NULL THEN OLD.staled_at
    WHEN NEW.state = 'stale' THEN NEW.moved_at
  END;
  RETURN NEW;
END $$;

-- What is there already, in every tenant and without an event: a stale one keeps what was found, and one on a
-- new base has a revision that says so. One that was edited while it was stale, before this, is not known.
ALTER TABLE approvals_proposal NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_revision NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_proposal DISABLE TRIGGER must_audit;
UPDATE approvals_proposal p SET staled_at = p.moved_at
 WHERE p.observed_before IS NOT NULL
    OR EXISTS (SELECT 1 FROM approvals_revision r WHERE r.proposal_id = p.id AND r.cause = 'drift');
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER must_audit;
ALTER TABLE approvals_revision FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_proposal FORCE ROW LEVEL SECURITY;

CREATE TRIGGER proposal_staled_at BEFORE INSERT OR UPDATE ON approvals_proposal
  FOR EACH ROW EXECUTE FUNCTION approvals_proposal_staled_at();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER proposal_staled_at;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0029_schemas")]

    operations: ClassVar = [
        migrations.AddField(
            "proposal", "staled_at", models.DateTimeField(editable=False, null=True)
        ),
        Sql(STALED, "DROP FUNCTION approvals_proposal_staled_at() CASCADE;"),
    ]
