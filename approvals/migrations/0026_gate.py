"""Settings of the gate itself, changed by the word of two people."""

from typing import ClassVar

from django.db import migrations, models

from console.kernel.schema import APP_ROLE, Sql

KEYS = f"""
ALTER TABLE approvals_external_tool
  ADD CONSTRAINT external_tool_agreed_by_proposal
    FOREIGN KEY (tenant_id, agreed_by) REFERENCES approvals_proposal (tenant_id, id),
  ADD CONSTRAINT external_tool_end_agreed_by_proposal
    FOREIGN KEY (tenant_id, end_agreed_by) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_checksetting ADD CONSTRAINT check_setting_agreed_by_proposal
  FOREIGN KEY (tenant_id, agreed_by) REFERENCES approvals_proposal (tenant_id, id);
GRANT UPDATE (end_agreed_by) ON approvals_external_tool TO {APP_ROLE};
GRANT UPDATE (agreed_by) ON approvals_checksetting TO {APP_ROLE};
"""
DROP_KEYS = f"""
REVOKE UPDATE (agreed_by) ON approvals_checksetting FROM {APP_ROLE};
REVOKE UPDATE (end_agreed_by) ON approvals_external_tool FROM {APP_ROLE};
ALTER TABLE approvals_checksetting DROP CONSTRAINT check_setting_agreed_by_proposal;
ALTER TABLE approvals_external_tool DROP CONSTRAINT external_tool_agreed_by_proposal,
  DROP CONSTRAINT external_tool_end_agreed_by_proposal;
"""

# Once a tenant has had the people who could agree, they have to. A tool that was never there comes with the
# highest tier by one person's word, because nothing is loosened by it.
AGREED = """
CREATE FUNCTION approvals_gate_was_agreed(tenant uuid, proposal uuid, name text, subject uuid)
  RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT NOT EXISTS (SELECT 1 FROM public.approvals_quorum q WHERE q.tenant_id = tenant)
      OR EXISTS (SELECT 1 FROM public.approvals_proposal p
                  WHERE p.tenant_id = tenant AND p.id = proposal AND p.state = 'dispatched'
                    AND p.subject_kind = 'gate' AND p.tool = name AND p.tier = 2
                    AND (subject IS NULL OR p.subject_id = subject))
$$;

CREATE FUNCTION approvals_external_tool_was_agreed() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ending CONSTANT text[] := ARRAY['retired_at', 'end_agreed_by'];
  said text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.retired_at IS NOT NULL OR NEW.end_agreed_by IS NOT NULL THEN
      RAISE EXCEPTION 'external_tool_only_ends: a tool is there first'
        USING ERRCODE = 'SB003', CONSTRAINT = 'external_tool_only_ends';
    END IF;
    IF NEW.tier >= 2 AND NEW.agreed_by IS NULL AND NOT EXISTS (
      SELECT 1 FROM public.approvals_external_tool t
       WHERE t.tenant_id = NEW.tenant_id AND t.name = NEW.name) THEN
      RETURN NEW;
    END IF;
    IF public.approvals_gate_was_agreed(NEW.tenant_id, NEW.agreed_by, 'gate.register_tool', NULL) THEN
      -- What they agreed to is this name and this tier, in the bytes of the current revision.
      SELECT convert_from(r.args, 'UTF8') INTO said FROM public.approvals_proposal p
        JOIN public.approvals_revision r ON r.proposal_id = p.id AND r.no = p.revision_no
       WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.agreed_by;
      IF said IS NULL OR (said::jsonb ->> 'name' = NEW.name
                          AND (said::jsonb ->> 'tier')::int = NEW.tier) THEN
        RETURN NEW;
      END IF;
    END IF;
  ELSE
    IF (to_jsonb(NEW) - ending) <> (to_jsonb(OLD) - ending) OR OLD.retired_at IS NOT NULL
       OR NEW.retired_at IS NULL THEN
      RAISE EXCEPTION 'external_tool_only_ends: nothing of a tool changes but that it ends, once'
        USING ERRCODE = 'SB003', CONSTRAINT = 'external_tool_only_ends';
    END IF;
    IF public.approvals_gate_was_agreed(NEW.tenant_id, NEW.end_agreed_by, 'gate.retire_tool', NEW.id) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'external_tool_was_agreed: no dispatched proposal of tier 2 is about this'
    USING ERRCODE = 'SB003', CONSTRAINT = 'external_tool_was_agreed';
END $$;
CREATE TRIGGER external_tool_was_agreed BEFORE INSERT OR UPDATE ON approvals_external_tool
  FOR EACH ROW EXECUTE FUNCTION approvals_external_tool_was_agreed();
ALTER TABLE approvals_external_tool ENABLE ALWAYS TRIGGER external_tool_was_agreed;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_external_tool
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_external_tool ENABLE ALWAYS TRIGGER never_deleted;

CREATE FUNCTION approvals_checks_off_was_agreed() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT public.approvals_gate_was_agreed(NEW.tenant_id, NEW.agreed_by, 'gate.stop_checks', NEW.id) THEN
    RAISE EXCEPTION 'checks_off_was_agreed: no dispatched proposal of tier 2 is about this'
      USING ERRCODE = 'SB003', CONSTRAINT = 'checks_off_was_agreed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER checks_off_was_agreed BEFORE UPDATE ON approvals_checksetting
  FOR EACH ROW WHEN (OLD.is_on AND NOT NEW.is_on)
  EXECUTE FUNCTION approvals_checks_off_was_agreed();
ALTER TABLE approvals_checksetting ENABLE ALWAYS TRIGGER checks_off_was_agreed;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_checksetting
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_checksetting ENABLE ALWAYS TRIGGER never_deleted;
"""
DROP_AGREED = """
DROP TRIGGER never_deleted ON approvals_checksetting;
DROP TRIGGER never_deleted ON approvals_external_tool;
DROP FUNCTION approvals_checks_off_was_agreed() CASCADE;
DROP FUNCTION approvals_external_tool_was_agreed() CASCADE;
DROP FUNCTION approvals_gate_was_agreed(uuid, uuid, text, uuid);
"""

# As of 0017, with the gate.
BY_PEOPLE = """
CREATE OR REPLACE FUNCTION approvals_governed_by_people() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_proposal p
   WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.proposal_id
     AND p.subject_kind IN ({kinds});
  IF FOUND THEN
    RAISE EXCEPTION 'decision_governed_by_people: rules and reviewers change by votes alone'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_governed_by_people';
  END IF;
  RETURN NEW;
END $$;
"""
KINDS = "'policy_version', 'membership'"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0025_glass_beside")]

    operations: ClassVar = [
        migrations.AddField("externaltool", "agreed_by", models.UUIDField(null=True)),
        migrations.AddField("externaltool", "end_agreed_by", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "externaltool",
            models.UniqueConstraint(
                fields=("tenant_id", "agreed_by"), name="external_tool_agreed_once"
            ),
        ),
        migrations.AddField("checksetting", "agreed_by", models.UUIDField(null=True)),
        Sql(KEYS, DROP_KEYS),
        Sql(AGREED, DROP_AGREED),
        Sql(
            BY_PEOPLE.replace("{kinds}", f"{KINDS}, 'gate'"), BY_PEOPLE.replace("{kinds}", KINDS)
        ),
    ]
