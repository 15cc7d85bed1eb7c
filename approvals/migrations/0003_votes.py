import console.kernel.ids
import console.kernel.models
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from console.kernel.schema import AppendOnly, Sql, TenantTable

KEYS = """
-- To the revision alone: whoever looks must not wait for whoever has locked the proposal.
ALTER TABLE approvals_revision
  ADD CONSTRAINT revision_of_its_proposal UNIQUE (tenant_id, proposal_id, id);
ALTER TABLE approvals_served ADD CONSTRAINT served_of_revision
  FOREIGN KEY (tenant_id, proposal_id, revision_id)
  REFERENCES approvals_revision (tenant_id, proposal_id, id);
ALTER TABLE approvals_nonce ADD CONSTRAINT nonce_binds_digest
  FOREIGN KEY (tenant_id, proposal_id, revision_id, digest)
  REFERENCES approvals_revision (tenant_id, proposal_id, id, digest);
ALTER TABLE approvals_nonce ADD CONSTRAINT nonce_has_session CHECK (session ~ '^[0-9a-f]{64}$');
ALTER TABLE approvals_vote
  ADD CONSTRAINT vote_view_digest_is_sha256 CHECK (octet_length(view_digest) = 32);
"""
DROP_KEYS = """
ALTER TABLE approvals_served DROP CONSTRAINT served_of_revision;
ALTER TABLE approvals_revision DROP CONSTRAINT revision_of_its_proposal;
ALTER TABLE approvals_vote DROP CONSTRAINT vote_view_digest_is_sha256;
"""
TRIGGERS = """
-- The proof has the database's own time, as the comparison has. The ten seconds are for the way from the
-- command's own check to this row.
CREATE FUNCTION approvals_vote_is_fresh() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked integer;
BEGIN
  SELECT r.stepup_s INTO asked FROM public.approvals_requirement r
   WHERE r.proposal_id = NEW.proposal_id ORDER BY r.no DESC LIMIT 1;
  IF NEW.choice = 'approve' AND asked > 0 AND (NEW.stepup_at IS NULL
     OR NEW.stepup_at < clock_timestamp() - make_interval(secs => asked + 10)) THEN
    RAISE EXCEPTION 'vote_is_fresh: the session proved too long ago who it is'
      USING ERRCODE = 'SB003', CONSTRAINT = 'vote_is_fresh';
  END IF;
  RETURN NEW;
END $$;
-- By its name it comes after vote_not_by_principal, so that who may not vote at all hears that first.
CREATE TRIGGER vote_which_is_fresh BEFORE INSERT ON approvals_vote
  FOR EACH ROW EXECUTE FUNCTION approvals_vote_is_fresh();
ALTER TABLE approvals_vote ENABLE ALWAYS TRIGGER vote_which_is_fresh;

CREATE FUNCTION approvals_nonce_once() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.used_at IS NOT NULL OR NEW.used_at IS NULL THEN
    RAISE EXCEPTION 'nonce_used_once: it was used, and stays so'
      USING ERRCODE = 'SB003', CONSTRAINT = 'nonce_used_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER nonce_used_once BEFORE UPDATE ON approvals_nonce
  FOR EACH ROW EXECUTE FUNCTION approvals_nonce_once();
ALTER TABLE approvals_nonce ENABLE ALWAYS TRIGGER nonce_used_once;
"""
DROP_TRIGGERS = """
DROP FUNCTION approvals_nonce_once() CASCADE;
DROP FUNCTION approvals_vote_is_fresh() CASCADE;
"""


def own(to, name):
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to=to,
    )


def person():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
    )


def first():
    return [
        ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
        ("tenant_id", models.UUIDField(editable=False)),
        ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
    ]


class Migration(migrations.Migration):

    dependencies = [("approvals", "0002_policies"), ("accounts", "0002_proof")]

    operations = [
        migrations.AddField("vote", "stepup_at", models.DateTimeField(null=True)),
        migrations.AddField("vote", "served_at", models.DateTimeField(null=True)),
        migrations.AddField("vote", "view_digest", models.BinaryField(max_length=32, null=True)),
        migrations.AddField("vote", "assertion", models.JSONField(null=True)),
        migrations.AddField("vote", "signed_with", models.CharField(db_default="", max_length=80)),
        # Votes of before this release know nothing of it, and stay as they are.
        AddConstraintNotValid(
            "vote",
            models.CheckConstraint(
                condition=models.Q(("choice", "reject"))
                | models.Q(("served_at__isnull", False), ("view_digest__isnull", False)),
                name="vote_approve_was_shown",
            ),
        ),
        migrations.AddConstraint(
            "vote",
            models.CheckConstraint(
                condition=models.Q(("assertion__isnull", True))
                | models.Q(("stepup_at__isnull", False)),
                name="vote_signed_is_fresh",
            ),
        ),
        migrations.CreateModel(
            "Served",
            fields=[
                *first(),
                ("session", models.CharField(max_length=64)),
                ("view", models.CharField(max_length=16)),
                ("parts", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ("served_at", models.DateTimeField()),
                ("person", person()),
                ("proposal", own("approvals.proposal", "served")),
                ("revision", own("approvals.revision", "served")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("session__regex", "^[0-9a-f]{64}$")),
                        name="served_has_session",
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "revision", "session"], name="served_to_session"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            "VoteNonce",
            fields=[
                *first(),
                ("digest", models.BinaryField(max_length=32)),
                ("session", models.CharField(max_length=64)),
                ("choice", models.CharField(max_length=8)),
                ("nonce", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("person", person()),
                ("proposal", own("approvals.proposal", "nonces")),
                ("revision", own("approvals.revision", "nonces")),
            ],
            options={
                "db_table": "approvals_nonce",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("choice__in", ["approve", "reject"])),
                        name="nonce_choice_known",
                    ),
                    models.UniqueConstraint(fields=("tenant_id", "nonce"), name="nonce_once"),
                ],
            },
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(TRIGGERS, DROP_TRIGGERS),
        TenantTable("approvals_served", grants="SELECT, INSERT"),
        TenantTable("approvals_nonce", grants="SELECT, INSERT, UPDATE (used_at)"),
        AppendOnly("approvals_served"),
    ]
