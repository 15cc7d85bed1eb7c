"""Who counts as one with a principal breaks no glass on their request, as they do not vote on it."""

from typing import ClassVar

from django.db import migrations

from console.kernel.schema import Sql

BESIDE = """
CREATE FUNCTION approvals_glass_beside() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_delegation d
    JOIN public.approvals_principal c ON c.proposal_id = NEW.proposal_id
   WHERE d.tenant_id = NEW.tenant_id AND NEW.used_at >= d.made_at
     AND NEW.used_at < coalesce(d.ended_at, d.until)
     AND ((d.from_person_id = NEW.person_id AND c.person_id = d.to_person_id)
          OR (d.to_person_id = NEW.person_id AND c.person_id = d.from_person_id));
  IF FOUND THEN
    RAISE EXCEPTION 'break_glass_not_beside_principal: who counts as one with them had a part in it'
      USING ERRCODE = 'SB003', CONSTRAINT = 'break_glass_not_beside_principal';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER break_glass_not_beside_principal BEFORE INSERT ON approvals_break_glass
  FOR EACH ROW EXECUTE FUNCTION approvals_glass_beside();
ALTER TABLE approvals_break_glass ENABLE ALWAYS TRIGGER break_glass_not_beside_principal;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0024_rules_told")]

    operations: ClassVar = [Sql(BESIDE, "DROP FUNCTION approvals_glass_beside() CASCADE;")]
