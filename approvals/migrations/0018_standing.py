"""Approvals that people give in advance."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import AppendOnly, Governed, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_vote ADD CONSTRAINT vote_of_proposal UNIQUE (tenant_id, proposal_id, id);
ALTER TABLE approvals_standing
  ADD CONSTRAINT standing_of_vote FOREIGN KEY (tenant_id, proposal_id, vote_id)
    REFERENCES approvals_vote (tenant_id, proposal_id, id),
  ADD CONSTRAINT standing_bounded CHECK (
    uses BETWEEN 1 AND 50 AND ends_at > made_at AND ends_at <= made_at + interval '30 days'),
  ADD CONSTRAINT standing_says_something CHECK (jsonb_typeof(conditions) = 'array'
    AND jsonb_array_length(conditions) BETWEEN 1 AND 100 AND jsonb_typeof(free) = 'array'),
  ADD CONSTRAINT standing_has_reason CHECK (reason ~ '\\S'),
  ADD CONSTRAINT standing_revoked_by_somebody CHECK (
    (revoked_at IS NULL) = (revoked_by = '') AND (revoked_at IS NULL) = (revoke_reason = '')),
  ADD CONSTRAINT standing_contract_is_sha256 CHECK (contract_hash ~ '^[0-9a-f]{64}$');
ALTER TABLE approvals_standing_use
  ADD CONSTRAINT use_of_standing FOREIGN KEY (tenant_id, standing_id)
    REFERENCES approvals_standing (tenant_id, id),
  ADD CONSTRAINT use_of_proposal FOREIGN KEY (tenant_id, proposal_id)
    REFERENCES approvals_proposal (tenant_id, id);
"""
DROP_KEYS = """
ALTER TABLE approvals_standing_use DROP CONSTRAINT use_of_standing;
ALTER TABLE approvals_standing_use DROP CONSTRAINT use_of_proposal;
ALTER TABLE approvals_standing DROP CONSTRAINT standing_of_vote;
ALTER TABLE approvals_vote DROP CONSTRAINT vote_of_proposal;
"""

# Whether a standing approval may speak for a proposal as it is now: in the place of one person who is not
# in its chain, on the same promise of the same tool to the same agent, while its own vote still counts.
SPEAKS = """
CREATE FUNCTION approvals_standing_speaks(standing uuid, proposal uuid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM public.approvals_standing s
      JOIN public.approvals_vote v ON v.id = s.vote_id AND v.voided_at IS NULL
      JOIN public.approvals_proposal p ON p.id = $2 AND p.tier = 1 AND p.tool = s.tool
       AND p.agent_id = s.agent_id
      JOIN public.approvals_revision r ON r.proposal_id = p.id AND r.no = p.revision_no
       AND r.contract_hash = s.contract_hash
      JOIN LATERAL (SELECT q.people, q.standing FROM public.approvals_requirement q
                     WHERE q.proposal_id = p.id ORDER BY q.no DESC LIMIT 1) asked
        ON asked.people = 1 AND asked.standing
     WHERE s.id = $1 AND s.revoked_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM public.approvals_principal c
                        WHERE c.proposal_id = p.id AND c.person_id = s.maker_id))
$$;
"""
DROP_SPEAKS = "DROP FUNCTION approvals_standing_speaks(uuid, uuid);"

# It is given with a vote that approves, by whoever cast that, on the very thing that they voted on.
MADE = """
CREATE FUNCTION approvals_standing_was_given() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE moving CONSTANT text[] := ARRAY['uses_left', 'revoked_at', 'revoked_by', 'revoke_reason'];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving)
       OR OLD.revoked_at IS NOT NULL
       OR (NEW.uses_left <> OLD.uses_left
           AND (NEW.uses_left <> OLD.uses_left - 1 OR NEW.revoked_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'standing_only_spent: it is used up one by one or revoked, and nothing else'
        USING ERRCODE = 'SB003', CONSTRAINT = 'standing_only_spent';
    END IF;
    RETURN NEW;
  END IF;
  PERFORM 1 FROM public.approvals_vote v
    JOIN public.approvals_proposal p ON p.id = v.proposal_id
    JOIN public.approvals_revision r ON r.id = v.revision_id
    JOIN LATERAL (SELECT q.people, q.standing, q.stepup_s FROM public.approvals_requirement q
                   WHERE q.proposal_id = p.id ORDER BY q.no DESC LIMIT 1) asked
      ON asked.people = 1 AND asked.standing AND asked.stepup_s = NEW.stepup_s
   WHERE v.id = NEW.vote_id AND v.proposal_id = NEW.proposal_id AND v.person_id = NEW.maker_id
     AND v.choice = 'approve' AND v.voided_at IS NULL
     AND p.state IN ('approved', 'dispatched') AND p.tier = NEW.tier AND p.tool = NEW.tool
     AND p.agent_id = NEW.agent_id AND r.contract_hash = NEW.contract_hash
     FOR SHARE OF v;
  IF NOT FOUND OR NEW.uses_left <> NEW.uses OR NEW.revoked_at IS NOT NULL THEN
    RAISE EXCEPTION 'standing_was_given: nobody approved this alone, or may not do so in advance'
      USING ERRCODE = 'SB003', CONSTRAINT = 'standing_was_given';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER standing_was_given BEFORE INSERT OR UPDATE ON approvals_standing
  FOR EACH ROW EXECUTE FUNCTION approvals_standing_was_given();
ALTER TABLE approvals_standing ENABLE ALWAYS TRIGGER standing_was_given;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_standing
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_standing ENABLE ALWAYS TRIGGER never_deleted;
"""
DROP_MADE = "DROP FUNCTION approvals_standing_was_given() CASCADE;"

# At commit every use was counted and every count was used. Whoever counts holds the row until then, so
# that nobody else's use is left out.
COUNTED = """
CREATE FUNCTION approvals_standing_uses_counted() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE one uuid := CASE TG_TABLE_NAME WHEN 'approvals_standing' THEN NEW.id
                    ELSE (to_jsonb(NEW) ->> 'standing_id')::uuid END;
BEGIN
  PERFORM 1 FROM public.approvals_standing s
   WHERE s.id = one AND s.uses - s.uses_left =
     (SELECT count(*) FROM public.approvals_standing_use u WHERE u.standing_id = one);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'standing_uses_counted: each use takes one of those that are left'
      USING ERRCODE = 'SB003', CONSTRAINT = 'standing_uses_counted';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER standing_uses_counted AFTER UPDATE OF uses_left ON approvals_standing
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approvals_standing_uses_counted();
CREATE CONSTRAINT TRIGGER standing_uses_counted AFTER INSERT ON approvals_standing_use
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approvals_standing_uses_counted();
ALTER TABLE approvals_standing ENABLE ALWAYS TRIGGER standing_uses_counted;
ALTER TABLE approvals_standing_use ENABLE ALWAYS TRIGGER standing_uses_counted;
"""
DROP_COUNTED = "DROP FUNCTION approvals_standing_uses_counted() CASCADE;"

USED = """
CREATE FUNCTION approvals_standing_use_fits() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_standing s
   WHERE s.id = NEW.standing_id AND NEW.used_at >= s.made_at AND NEW.used_at < s.ends_at;
  IF NOT FOUND OR NOT public.approvals_standing_speaks(NEW.standing_id, NEW.proposal_id) THEN
    RAISE EXCEPTION 'standing_use_fits: this standing approval does not speak for this proposal'
      USING ERRCODE = 'SB003', CONSTRAINT = 'standing_use_fits';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER standing_use_fits BEFORE INSERT ON approvals_standing_use
  FOR EACH ROW EXECUTE FUNCTION approvals_standing_use_fits();
ALTER TABLE approvals_standing_use ENABLE ALWAYS TRIGGER standing_use_fits;

CREATE FUNCTION approvals_decision_has_standing() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_standing_use u
   WHERE u.proposal_id = NEW.proposal_id
     AND public.approvals_standing_speaks(u.standing_id, u.proposal_id);
  IF NOT FOUND OR NEW.outcome <> 'approved' THEN
    RAISE EXCEPTION 'decision_has_standing: no standing approval speaks for this'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_has_standing';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_has_standing BEFORE INSERT ON approvals_decision
  FOR EACH ROW WHEN (NEW.basis = 'standing') EXECUTE FUNCTION approvals_decision_has_standing();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER decision_has_standing;

-- The lock is the one that revoking takes: what was revoked before does not run, whoever asks.
CREATE FUNCTION approvals_dispatch_has_standing() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE said text; one uuid;
BEGIN
  SELECT d.basis INTO said FROM public.approvals_decision d WHERE d.id = NEW.decision_id;
  IF said IS DISTINCT FROM 'standing' THEN
    RETURN NEW;
  END IF;
  SELECT u.standing_id INTO one FROM public.approvals_standing_use u
   WHERE u.proposal_id = NEW.proposal_id;
  PERFORM 1 FROM public.approvals_standing s WHERE s.id = one FOR NO KEY UPDATE;
  IF NOT coalesce(public.approvals_standing_speaks(one, NEW.proposal_id), false) THEN
    RAISE EXCEPTION 'dispatch_has_standing: the standing approval does not speak any more'
      USING ERRCODE = 'SB003', CONSTRAINT = 'dispatch_has_standing';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispatch_with_standing BEFORE INSERT ON approvals_dispatch
  FOR EACH ROW EXECUTE FUNCTION approvals_dispatch_has_standing();
ALTER TABLE approvals_dispatch ENABLE ALWAYS TRIGGER dispatch_with_standing;
"""
DROP_USED = """
DROP FUNCTION approvals_dispatch_has_standing() CASCADE;
DROP FUNCTION approvals_decision_has_standing() CASCADE;
DROP FUNCTION approvals_standing_use_fits() CASCADE;
"""


def own(to, name):
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to=to,
    )


def first():
    return [
        (
            "id",
            models.UUIDField(
                default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
            ),
        ),
        ("tenant_id", models.UUIDField(editable=False)),
        (
            "created_at",
            models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False),
        ),
    ]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0017_people")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Standing",
            fields=[
                *first(),
                ("maker_label", models.CharField(max_length=200)),
                ("tier", models.SmallIntegerField()),
                ("tool", models.CharField(max_length=120)),
                ("contract_hash", models.CharField(max_length=64)),
                ("agent_id", models.CharField(max_length=80)),
                ("agent_label", models.CharField(max_length=200)),
                ("conditions", models.JSONField()),
                ("free", models.JSONField()),
                ("uses", models.SmallIntegerField()),
                ("uses_left", models.SmallIntegerField()),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("stepup_s", models.IntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(default="", max_length=200)),
                ("revoke_reason", models.CharField(default="", max_length=500)),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("proposal", own("approvals.proposal", "standings")),
                ("vote", own("approvals.vote", "standings")),
            ],
            options={
                "db_table": "approvals_standing",
                "indexes": [
                    models.Index(
                        condition=Q(("revoked_at__isnull", True), ("uses_left__gt", 0)),
                        fields=["tenant_id", "tool", "agent_id", "ends_at", "id"],
                        name="standing_that_speaks",
                    ),
                    models.Index(fields=["tenant_id", "-made_at", "-id"], name="standing_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(("tier", 1)), name="standing_tier_1"),
                    models.CheckConstraint(
                        condition=Q(("uses_left__gte", 0), ("uses_left__lte", F("uses"))),
                        name="standing_uses_not_negative",
                    ),
                    models.UniqueConstraint(
                        condition=Q(("revoked_at__isnull", True)),
                        fields=("tenant_id", "vote"),
                        name="standing_one_per_vote",
                    ),
                    models.UniqueConstraint(fields=("tenant_id", "id"), name="standing_of_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingUse",
            fields=[
                *first(),
                ("used_at", models.DateTimeField()),
                ("proposal", own("approvals.proposal", "standing_uses")),
                ("standing", own("approvals.standing", "spent")),
            ],
            options={
                "db_table": "approvals_standing_use",
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "standing", "-used_at"], name="standing_use_newest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "proposal"), name="standing_use_once"
                    )
                ],
            },
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(SPEAKS, DROP_SPEAKS),
        Sql(MADE, DROP_MADE),
        Sql(COUNTED, DROP_COUNTED),
        Sql(USED, DROP_USED),
        TenantTable(
            "approvals_standing",
            grants="SELECT, INSERT, UPDATE (uses_left, revoked_at, revoked_by, revoke_reason)",
        ),
        TenantTable("approvals_standing_use", grants="SELECT, INSERT"),
        AppendOnly("approvals_standing_use"),
        Governed("approvals_standing"),
        Governed("approvals_standing_use"),
    ]
