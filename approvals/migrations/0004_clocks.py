import django.db.models.deletion
from django.db import migrations, models

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import APP_ROLE, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_timer ADD CONSTRAINT timer_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
"""
DROP_KEYS = "ALTER TABLE approvals_timer DROP CONSTRAINT timer_of_proposal;"

COLUMNS = f"GRANT UPDATE (window_s, clock_no, extensions) ON approvals_proposal TO {APP_ROLE};"
DROP_COLUMNS = (
    f"REVOKE UPDATE (window_s, clock_no, extensions) ON approvals_proposal FROM {APP_ROLE};"
)

# Proposals that were open before there were timers get the one of their deadline. The tables are read as
# their owner, whom forced row-level security would show nothing.
BACKFILL = """
ALTER TABLE approvals_proposal NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_freeze NO FORCE ROW LEVEL SECURITY;
INSERT INTO approvals_timer (id, tenant_id, proposal_id, kind, step, clock_no, due_at)
SELECT gen_random_uuid(), p.tenant_id, p.id, 'decide', 0, p.clock_no,
       CASE WHEN EXISTS (SELECT 1 FROM approvals_freeze f
                          WHERE f.proposal_id = p.id AND f.until IS NULL)
            THEN NULL ELSE p.decide_by END
  FROM approvals_proposal p WHERE p.state IN ('open', 'stale')
UNION ALL
SELECT gen_random_uuid(), p.tenant_id, p.id, 'execute', 0, p.clock_no, p.execute_by
  FROM approvals_proposal p WHERE p.state = 'approved';
ALTER TABLE approvals_proposal FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_freeze FORCE ROW LEVEL SECURITY;
"""

# Pulse asks once a second which tenants have something due, and gets their ids and nothing else. The policy
# lets the function see the rows where its owner does not step over row-level security anyway.
DUE = f"""
CREATE FUNCTION approvals_tenants_due(at timestamptz) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT first.tenant_id FROM (
    SELECT t.tenant_id FROM public.approvals_timer t
     WHERE t.done_at IS NULL AND t.due_at IS NOT NULL AND t.due_at <= at
       AND (t.lease_until IS NULL OR t.lease_until <= at)
     ORDER BY t.due_at LIMIT 5000) AS first
$$;
REVOKE ALL ON FUNCTION approvals_tenants_due(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_tenants_due(timestamptz) TO {APP_ROLE};
CREATE POLICY due_of_all ON approvals_timer FOR SELECT TO CURRENT_USER USING (true);
"""
DROP_DUE = """
DROP POLICY due_of_all ON approvals_timer;
DROP FUNCTION approvals_tenants_due(timestamptz);
"""

# A timeout approves only what its frozen requirement says so of, in tier 1, once the time is over.
TIMEOUT = """
CREATE FUNCTION approvals_timeout_was_asked_for() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE said text;
BEGIN
  SELECT r.on_expiry INTO said FROM public.approvals_requirement r
    JOIN public.approvals_proposal p ON p.id = r.proposal_id
   WHERE r.proposal_id = NEW.proposal_id AND p.tier = 1 AND p.state = 'open'
   ORDER BY r.no DESC LIMIT 1;
  IF said IS DISTINCT FROM 'approve' OR NEW.outcome <> 'approved'
     OR NEW.decided_at < NEW.decide_by THEN
    RAISE EXCEPTION 'decision_timeout_was_asked_for: no rule lets this be approved by its timeout'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_timeout_was_asked_for';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_timeout_was_asked_for BEFORE INSERT ON approvals_decision
  FOR EACH ROW WHEN (NEW.basis = 'timeout_rule')
  EXECUTE FUNCTION approvals_timeout_was_asked_for();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER decision_timeout_was_asked_for;
"""
# A window is as long as the requirement says, and two extensions at most; its length changes with its clock.
WINDOW = """
CREATE FUNCTION approvals_window_as_asked() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE longest integer;
BEGIN
  SELECT max(r.decide_s) INTO longest FROM public.approvals_requirement r WHERE r.proposal_id = NEW.id;
  IF NEW.clock_no <= OLD.clock_no OR NEW.window_s > 2 * longest THEN
    RAISE EXCEPTION 'proposal_window_as_asked: the time to decide is what the requirement gives'
      USING ERRCODE = 'SB003', CONSTRAINT = 'proposal_window_as_asked';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER proposal_window_as_asked BEFORE UPDATE ON approvals_proposal
  FOR EACH ROW WHEN (NEW.window_s <> OLD.window_s) EXECUTE FUNCTION approvals_window_as_asked();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER proposal_window_as_asked;
"""
DROP_WINDOW = "DROP FUNCTION approvals_window_as_asked() CASCADE;"
DROP_TIMEOUT = "DROP FUNCTION approvals_timeout_was_asked_for() CASCADE;"


class Migration(migrations.Migration):

    dependencies = [("approvals", "0003_votes")]

    operations = [
        migrations.AddField("proposal", "clock_no", models.SmallIntegerField(default=1, db_default=1)),
        migrations.AddField("proposal", "extensions", models.SmallIntegerField(default=0, db_default=0)),
        migrations.AddConstraint(
            "proposal",
            models.CheckConstraint(
                condition=models.Q(("extensions__gte", 0), ("extensions__lte", 2)),
                name="proposal_extended_twice_at_most",
            ),
        ),
        migrations.CreateModel(
            name="Timer",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("kind", models.CharField(max_length=8)),
                ("step", models.SmallIntegerField()),
                ("clock_no", models.SmallIntegerField()),
                ("due_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("proposal", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="timers", to="approvals.proposal")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True), ("due_at__isnull", False)),
                        fields=["due_at"],
                        name="timer_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["decide", "execute", "remind", "widen"])),
                        name="timer_kind_known",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "proposal", "kind", "step", "clock_no"), name="timer_once"
                    ),
                ],
            },
        ),
        Sql(COLUMNS + KEYS, DROP_KEYS + DROP_COLUMNS),
        Sql(BACKFILL, migrations.RunSQL.noop),
        TenantTable(
            "approvals_timer", grants="SELECT, INSERT, UPDATE (due_at, lease_until, done_at)"
        ),
        Sql(DUE, DROP_DUE),
        Sql(TIMEOUT, DROP_TIMEOUT),
        Sql(WINDOW, DROP_WINDOW),
    ]
