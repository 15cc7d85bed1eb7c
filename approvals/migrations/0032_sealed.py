"""Arguments that a contract hides: salt and value lie here, stand-ins everywhere else."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import Governed, Sql, TenantTable

ERASED = """
ALTER TABLE approvals_sealed ADD CONSTRAINT sealed_erased_by_proposal
  FOREIGN KEY (tenant_id, erased_by) REFERENCES approvals_proposal (tenant_id, id);

CREATE FUNCTION approvals_sealed_only_erased() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ending CONSTANT text[] := ARRAY['box', 'erased_at', 'erased_by'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.box IS NULL THEN
      RAISE EXCEPTION 'sealed_only_erased: a value is there first'
        USING ERRCODE = 'SB003', CONSTRAINT = 'sealed_only_erased';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(NEW) - ending) <> (to_jsonb(OLD) - ending) OR OLD.box IS NULL OR NEW.box IS NOT NULL THEN
    RAISE EXCEPTION 'sealed_only_erased: nothing of it changes but that it is erased, once'
      USING ERRCODE = 'SB003', CONSTRAINT = 'sealed_only_erased';
  END IF;
  IF NOT public.approvals_gate_was_agreed(NEW.tenant_id, NEW.erased_by, 'gate.erase_sealed', NEW.subject_id) THEN
    RAISE EXCEPTION 'sealed_erasure_was_agreed: no dispatched proposal of tier 2 is about this'
      USING ERRCODE = 'SB003', CONSTRAINT = 'sealed_erasure_was_agreed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sealed_only_erased BEFORE INSERT OR UPDATE ON approvals_sealed
  FOR EACH ROW EXECUTE FUNCTION approvals_sealed_only_erased();
ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER sealed_only_erased;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_sealed
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER never_deleted;
"""
DROP_ERASED = """
DROP TRIGGER never_deleted ON approvals_sealed;
DROP FUNCTION approvals_sealed_only_erased() CASCADE;
ALTER TABLE approvals_sealed DROP CONSTRAINT sealed_erased_by_proposal;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0031_seen")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Sealed",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("pointer", models.TextField()),
                ("mac", models.BinaryField(max_length=32)),
                ("box", models.BinaryField(null=True)),
                ("erased_at", models.DateTimeField(null=True)),
                ("erased_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "mac"), name="sealed_once"),
                    models.CheckConstraint(
                        condition=Q(box__isnull=False, erased_at__isnull=True, erased_by__isnull=True)
                        | Q(box__isnull=True, erased_at__isnull=False),
                        name="sealed_kept_or_erased",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["tenant_id", "subject_kind", "subject_id"], name="sealed_of_subject"),
                ],
            },
        ),
        # No grant to delete, and none on what a stand-in binds: the rest can only be emptied.
        TenantTable("approvals_sealed", grants="SELECT, INSERT, UPDATE (box, erased_at, erased_by)"),
        Sql(ERASED, DROP_ERASED),
        Governed("approvals_sealed"),
    ]  # fmt: skip
