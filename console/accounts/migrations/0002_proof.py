import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import console.kernel.ids
import console.kernel.models
from console.kernel import schema

# What existed before counts as proved when it was started.
PROVED = """
UPDATE accounts_sessionrecord SET proved_at = created_at;
GRANT UPDATE (proved_at, proved_by) ON accounts_sessionrecord TO signalbox_app;
"""
KEYS = """
ALTER TABLE accounts_passkey
  ADD CONSTRAINT passkey_credential_in_bounds
    CHECK (octet_length(credential_id) BETWEEN 16 AND 1023),
  ADD CONSTRAINT passkey_key_in_bounds CHECK (octet_length(public_key) BETWEEN 32 AND 2048),
  ADD CONSTRAINT passkey_count_not_negative CHECK (sign_count >= 0),
  ADD CONSTRAINT passkey_of_member FOREIGN KEY (tenant_id, person_id)
    REFERENCES accounts_membership (tenant_id, person_id);
ALTER TABLE accounts_passkeychallenge
  ADD CONSTRAINT challenge_is_32_bytes CHECK (octet_length(challenge) = 32),
  ADD CONSTRAINT challenge_has_session CHECK (session ~ '^[0-9a-f]{64}$');
"""
TRIGGERS = """
-- A removed passkey stays removed, a used challenge stays used, and a counter never goes back.
CREATE FUNCTION accounts_passkey_moves_on() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.removed_at IS NOT NULL OR NEW.sign_count < OLD.sign_count THEN
    RAISE EXCEPTION 'passkey_moves_on: it was removed, or its counter goes back'
      USING ERRCODE = 'SB003', CONSTRAINT = 'passkey_moves_on';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER passkey_moves_on BEFORE UPDATE ON accounts_passkey
  FOR EACH ROW EXECUTE FUNCTION accounts_passkey_moves_on();
ALTER TABLE accounts_passkey ENABLE ALWAYS TRIGGER passkey_moves_on;
CREATE FUNCTION accounts_challenge_once() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.used_at IS NOT NULL THEN
    RAISE EXCEPTION 'challenge_once: it was used' USING ERRCODE = 'SB003',
      CONSTRAINT = 'challenge_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER challenge_once BEFORE UPDATE ON accounts_passkeychallenge
  FOR EACH ROW EXECUTE FUNCTION accounts_challenge_once();
ALTER TABLE accounts_passkeychallenge ENABLE ALWAYS TRIGGER challenge_once;
"""
DROP_TRIGGERS = """
DROP FUNCTION accounts_challenge_once() CASCADE;
DROP FUNCTION accounts_passkey_moves_on() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        migrations.AddField(
            "sessionrecord",
            "proved_at",
            models.DateTimeField(db_default=console.kernel.models.DatabaseNow()),
        ),
        migrations.AddField(
            "sessionrecord",
            "proved_by",
            models.CharField(db_default="password", max_length=12),
        ),
        migrations.AddConstraint(
            "sessionrecord",
            models.CheckConstraint(
                condition=models.Q(("proved_by__in", ["password", "passkey"])),
                name="session_proved_by_known",
            ),
        ),
        migrations.CreateModel(
            "Passkey",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("name", models.CharField(max_length=80)),
                ("credential_id", models.BinaryField(max_length=1023)),
                ("public_key", models.BinaryField(max_length=2048)),
                ("sign_count", models.BigIntegerField()),
                ("transports", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), default=list, size=None)),
                ("used_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("person", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "credential_id"), name="passkey_once"),
                    models.UniqueConstraint(condition=models.Q(("removed_at__isnull", True)), fields=("tenant_id", "person", "name"), name="passkey_name_once"),
                ],
            },
        ),
        migrations.CreateModel(
            "PasskeyChallenge",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("session", models.CharField(max_length=64)),
                ("challenge", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("person", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"abstract": False},
        ),
        schema.Sql(PROVED, "REVOKE UPDATE (proved_at, proved_by) ON accounts_sessionrecord FROM signalbox_app;"),
        schema.Sql(KEYS, migrations.RunSQL.noop),
        schema.Sql(TRIGGERS, DROP_TRIGGERS),
        schema.TenantTable(
            "accounts_passkey",
            grants="SELECT, INSERT, UPDATE (sign_count, used_at, removed_at)",
        ),
        schema.TenantTable(
            "accounts_passkeychallenge", grants="SELECT, INSERT, UPDATE (used_at)"
        ),
        schema.Governed("accounts_passkey"),
    ]
