from decimal import Decimal

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import AppendOnly, Governed, Sql, TenantTable

# Every row of a proposal asks at least what the one before it asked. The lock is the proposal's, so that
# two that ask more at the same time come one after the other.
REQUIREMENT = """
CREATE FUNCTION approvals_requirement_never_loosened() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was public.approvals_requirement%ROWTYPE;
  risk smallint;
BEGIN
  SELECT p.tier INTO risk FROM public.approvals_proposal p
   WHERE p.id = NEW.proposal_id FOR NO KEY UPDATE;
  IF NEW.on_expiry = 'approve' AND risk IS DISTINCT FROM 1 THEN
    RAISE EXCEPTION 'requirement_approves_tier_1: only tier 1 may be approved by its timeout'
      USING ERRCODE = 'SB003', CONSTRAINT = 'requirement_approves_tier_1';
  END IF;
  SELECT * INTO was FROM public.approvals_requirement r
   WHERE r.proposal_id = NEW.proposal_id ORDER BY r.no DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN NEW;
  END IF;
  IF NEW.no <> was.no + 1
     OR NEW.people < was.people
     OR jsonb_array_length(NEW.blocks) < jsonb_array_length(was.blocks)
     OR NOT NEW.asked_groups @> was.asked_groups
     OR (was.blind AND NOT NEW.blind)
     OR (was.stepup_s > 0 AND (NEW.stepup_s = 0 OR NEW.stepup_s > was.stepup_s))
     OR NEW.deny_threshold > was.deny_threshold
     OR NEW.execute_s > was.execute_s
     OR NEW.batch_most > was.batch_most
     OR (NEW.standing AND NOT was.standing)
     OR (NEW.on_expiry = 'approve' AND was.on_expiry <> 'approve') THEN
    RAISE EXCEPTION 'requirement_never_loosened: a later requirement asks at least as much'
      USING ERRCODE = 'SB003', CONSTRAINT = 'requirement_never_loosened';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER requirement_never_loosened BEFORE INSERT ON approvals_requirement
  FOR EACH ROW EXECUTE FUNCTION approvals_requirement_never_loosened();
ALTER TABLE approvals_requirement ENABLE ALWAYS TRIGGER requirement_never_loosened;
"""
DROP_REQUIREMENT = "DROP FUNCTION approvals_requirement_never_loosened() CASCADE;"

# A version moves through its states, and nothing else of it ever changes.
POLICIES = """
ALTER TABLE approvals_policyversion
  ADD CONSTRAINT policy_digest_true CHECK (digest = sha256(body)),
  ADD CONSTRAINT policy_of_tenant UNIQUE (tenant_id, id);
ALTER TABLE approvals_evaluation ADD CONSTRAINT evaluation_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_policyversion ADD CONSTRAINT policy_agreed_by_proposal
  FOREIGN KEY (tenant_id, activated_by) REFERENCES approvals_proposal (tenant_id, id);

CREATE FUNCTION approvals_policy_only_moves() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  allowed text[];
  moving CONSTANT text[] := ARRAY['state', 'moved_at', 'activated_by'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' OR NEW.activated_by IS NOT NULL THEN
      RAISE EXCEPTION 'policy_only_moves: a version is born a draft'
        USING ERRCODE = 'SB003', CONSTRAINT = 'policy_only_moves';
    END IF;
    RETURN NEW;
  END IF;
  allowed := CASE OLD.state
    WHEN 'draft' THEN ARRAY['shadow', 'active', 'retired']
    WHEN 'shadow' THEN ARRAY['draft', 'active', 'retired']
    WHEN 'active' THEN ARRAY['retired']
    ELSE ARRAY[]::text[]
  END;
  IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving)
     OR NOT NEW.state = ANY (allowed)
     OR (OLD.activated_by IS NOT NULL AND NEW.activated_by IS DISTINCT FROM OLD.activated_by) THEN
    RAISE EXCEPTION 'policy_only_moves: not from % to %, and never its body', OLD.state, NEW.state
      USING ERRCODE = 'SB003', CONSTRAINT = 'policy_only_moves';
  END IF;
  IF NEW.state = 'active' THEN
    PERFORM 1 FROM public.approvals_proposal p
     WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.activated_by AND p.state = 'dispatched'
       AND p.subject_kind = 'policy_version' AND p.subject_id = NEW.id AND p.tier = 2;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'policy_was_agreed: no dispatched proposal of tier 2 is about this version'
        USING ERRCODE = 'SB003', CONSTRAINT = 'policy_was_agreed';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER policy_only_moves BEFORE INSERT OR UPDATE ON approvals_policyversion
  FOR EACH ROW EXECUTE FUNCTION approvals_policy_only_moves();
ALTER TABLE approvals_policyversion ENABLE ALWAYS TRIGGER policy_only_moves;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_policyversion
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_policyversion ENABLE ALWAYS TRIGGER never_deleted;
"""
DROP_POLICIES = """
DROP FUNCTION approvals_policy_only_moves() CASCADE;
ALTER TABLE approvals_policyversion DROP CONSTRAINT policy_agreed_by_proposal;
ALTER TABLE approvals_evaluation DROP CONSTRAINT evaluation_of_proposal;
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0001_initial")]

    operations = [
        migrations.AddField("requirementrow", "no", models.IntegerField(default=1)),
        migrations.AddField("requirementrow", "cause", models.CharField(default="opened", max_length=12)),
        migrations.AddField("requirementrow", "stepup_s", models.IntegerField(default=0)),
        migrations.AddField("requirementrow", "deny_threshold", models.SmallIntegerField(default=1)),
        migrations.AddField("requirementrow", "ladder", models.JSONField(default=list)),
        migrations.AddField("requirementrow", "batch_most", models.SmallIntegerField(default=0)),
        migrations.AddField("requirementrow", "standing", models.BooleanField(default=False)),
        migrations.AddField(
            "requirementrow",
            "sample",
            models.DecimalField(decimal_places=4, default=Decimal, max_digits=5),
        ),
        migrations.AddField("requirementrow", "policy_version", models.UUIDField(null=True)),
        migrations.RemoveConstraint("requirementrow", "requirement_once"),
        migrations.AddConstraint(
            "requirementrow",
            models.UniqueConstraint(fields=("tenant_id", "proposal", "no"), name="requirement_no_once"),
        ),
        migrations.RemoveConstraint("requirementrow", "requirement_on_expiry"),
        migrations.AddConstraint(
            "requirementrow",
            models.CheckConstraint(
                condition=models.Q(("on_expiry__in", ["approve", "escalate", "park", "refuse", "return"])),
                name="requirement_on_expiry",
            ),
        ),
        migrations.AddConstraint(
            "requirementrow",
            models.CheckConstraint(
                condition=models.Q(
                    ("batch_most__gte", 0),
                    ("decide_s__gt", 0),
                    ("deny_threshold__gte", 1),
                    ("execute_s__gt", 0),
                    ("sample__gte", 0),
                    ("sample__lte", 1),
                    ("stepup_s__gte", 0),
                ),
                name="requirement_in_bounds",
            ),
        ),
        Sql(REQUIREMENT, DROP_REQUIREMENT),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("policy", models.CharField(max_length=63)),
                ("no", models.IntegerField()),
                ("body", models.BinaryField()),
                ("digest", models.BinaryField(max_length=32)),
                ("state", models.CharField(max_length=8)),
                ("note", models.TextField()),
                ("author", models.CharField(max_length=200)),
                ("author_id", models.CharField(max_length=80)),
                ("moved_at", models.DateTimeField()),
                ("activated_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("state__in", ["active", "draft", "retired", "shadow"])), name="policy_state_known"),
                    models.UniqueConstraint(fields=("tenant_id", "policy", "no"), name="policy_no_once"),
                    models.UniqueConstraint(condition=models.Q(("state", "active")), fields=("tenant_id", "policy"), name="policy_one_active"),
                    models.UniqueConstraint(condition=models.Q(("state", "shadow")), fields=("tenant_id", "policy"), name="policy_one_shadow"),
                    models.CheckConstraint(condition=models.Q(models.Q(("state", "active"), _negated=True), ("activated_by__isnull", False), _connector="OR"), name="policy_active_was_agreed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("revision_no", models.IntegerField()),
                ("purpose", models.CharField(max_length=8)),
                ("versions", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("facts", models.JSONField()),
                ("outcome", models.CharField(max_length=5)),
                ("rules", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ("people", models.SmallIntegerField()),
                ("blocks", models.JSONField(default=list)),
                ("trace", models.JSONField()),
                ("flag", models.TextField(default="")),
                ("proposal", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="evaluations", to="approvals.proposal")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant_id", "proposal", "revision_no"], name="evaluation_of"),
                    models.Index(fields=["tenant_id", "purpose", "-created_at"], name="evaluation_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("purpose__in", ["dispatch", "propose", "shadow"])), name="evaluation_purpose_known"),
                    models.CheckConstraint(condition=models.Q(("outcome__in", ["allow", "deny", "hold", "pass"])), name="evaluation_says_known"),
                    models.UniqueConstraint(condition=models.Q(("purpose", "propose")), fields=("tenant_id", "proposal", "revision_no"), name="evaluation_once_per_revision"),
                ],
            },
        ),
        migrations.AddField(
            "dispatch",
            "policy_versions",
            django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(fields=["tenant_id", "tool", "created_at"], name="proposal_of_tool"),
        ),
        Sql(
            "ALTER TABLE approvals_dispatch ALTER COLUMN policy_versions SET DEFAULT '{}'",
            "ALTER TABLE approvals_dispatch ALTER COLUMN policy_versions DROP DEFAULT",
        ),
        Sql(POLICIES, DROP_POLICIES),
        TenantTable("approvals_policyversion", grants="SELECT, INSERT, UPDATE (state, moved_at, activated_by)"),
        TenantTable("approvals_evaluation", grants="SELECT, INSERT"),
        AppendOnly("approvals_evaluation"),
        Governed("approvals_policyversion"),
        Governed("approvals_evaluation"),
    ]
