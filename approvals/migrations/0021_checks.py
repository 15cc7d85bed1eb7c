"""Planted checks. What a check may never do is held here, against the owner of the tables as well."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import Governed, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_check ADD CONSTRAINT check_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_check ADD CONSTRAINT check_of_source
  FOREIGN KEY (tenant_id, source_id) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_check ADD CONSTRAINT check_because
  FOREIGN KEY (tenant_id, because_id) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_check ADD CONSTRAINT check_window_true
  CHECK (window_no = floor(extract(epoch FROM planted_at) / 14400));
ALTER TABLE approvals_check
  ADD CONSTRAINT check_commitment_is_sha256 CHECK (octet_length(commitment) = 32);
"""
DROP_KEYS = ""  # they go with the table
# A check is no vote, no decision and no dispatch, whoever writes the row: without a decision and out
# of the state `approved` (`proposal_check_never_runs`) `dispatch_needs_decision` lets nothing pass.
NEVER = """
CREATE FUNCTION approvals_never_of_a_check() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.approvals_proposal p
              WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.proposal_id AND p.is_check) THEN
    RAISE EXCEPTION 'never_of_a_check: a planted check is never voted on, decided or run'
      USING ERRCODE = 'SB003', CONSTRAINT = 'never_of_a_check';
  END IF;
  RETURN NEW;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER a_never_of_a_check BEFORE INSERT ON approvals_{table}
  FOR EACH ROW EXECUTE FUNCTION approvals_never_of_a_check();
ALTER TABLE approvals_{table} ENABLE ALWAYS TRIGGER a_never_of_a_check;
"""
    for table in ("vote", "decision", "dispatch", "evaluation", "notice")
)
DROP_NEVER = "DROP FUNCTION approvals_never_of_a_check() CASCADE;"
STAYS = """
CREATE FUNCTION approvals_check_stays() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.is_check <> OLD.is_check OR NEW.check_for IS DISTINCT FROM OLD.check_for THEN
    RAISE EXCEPTION 'proposal_check_stays: what was planted stays planted, and for whom'
      USING ERRCODE = 'SB003', CONSTRAINT = 'proposal_check_stays';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER proposal_check_stays BEFORE UPDATE ON approvals_proposal
  FOR EACH ROW EXECUTE FUNCTION approvals_check_stays();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER proposal_check_stays;

-- A check is of the person for whom its proposal is, and of a source that is none itself. Of two at
-- the same time the second one waits for the lock and finds the first.
CREATE FUNCTION approvals_check_planted() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('check ' || NEW.tenant_id || NEW.person_id, 0));
  IF EXISTS (SELECT 1 FROM public.approvals_check c
              WHERE c.tenant_id = NEW.tenant_id AND c.person_id = NEW.person_id
                AND c.planted_at > NEW.planted_at - interval '4 hours'
                AND c.planted_at < NEW.planted_at + interval '4 hours') THEN
    RAISE EXCEPTION 'check_four_hours_apart: this person had one in these four hours'
      USING ERRCODE = '23505', CONSTRAINT = 'check_four_hours_apart';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.approvals_proposal p
                  WHERE p.id = NEW.proposal_id AND p.is_check AND p.check_for = NEW.person_id)
     OR EXISTS (SELECT 1 FROM public.approvals_proposal p
                 WHERE p.id = NEW.source_id AND p.is_check) THEN
    RAISE EXCEPTION 'check_is_of_its_person: not the person, or not a real source'
      USING ERRCODE = 'SB003', CONSTRAINT = 'check_is_of_its_person';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER check_planted BEFORE INSERT ON approvals_check
  FOR EACH ROW EXECUTE FUNCTION approvals_check_planted();
ALTER TABLE approvals_check ENABLE ALWAYS TRIGGER check_planted;

CREATE FUNCTION approvals_check_ends_once() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ending text[] := ARRAY['outcome', 'answer', 'ended_at', 'expected_s', 'taken_ms', 'event_uid'];
BEGIN
  IF OLD.outcome <> 'waiting' OR NEW.outcome = 'waiting'
     OR (to_jsonb(NEW) - ending) <> (to_jsonb(OLD) - ending) THEN
    RAISE EXCEPTION 'check_ends_once: a check ends once, and nothing else of it changes'
      USING ERRCODE = 'SB003', CONSTRAINT = 'check_ends_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER check_ends_once BEFORE UPDATE ON approvals_check
  FOR EACH ROW EXECUTE FUNCTION approvals_check_ends_once();
ALTER TABLE approvals_check ENABLE ALWAYS TRIGGER check_ends_once;
CREATE TRIGGER check_never_deleted BEFORE DELETE ON approvals_check
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_check ENABLE ALWAYS TRIGGER check_never_deleted;
"""
DROP_STAYS = """
DROP FUNCTION approvals_check_stays() CASCADE;
DROP FUNCTION approvals_check_planted() CASCADE;
DROP FUNCTION approvals_check_ends_once() CASCADE;
"""


def first():
    return [
        ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
        ("tenant_id", models.UUIDField(editable=False)),
        ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
    ]


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("approvals", "0020_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    # Both columns are written at birth only: nothing may update them, so no grant is added.
    operations: ClassVar = [
        migrations.AddField("proposal", "is_check", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("proposal", "check_for", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "proposal",
            models.CheckConstraint(
                condition=Q(("check_for__isnull", True), ("is_check", False))
                | Q(
                    ("check_for__isnull", False),
                    ("execute_by__isnull", True),
                    ("is_check", True),
                    ("state__in", ["expired", "open", "withdrawn"]),
                ),
                name="proposal_check_never_runs",
            ),
        ),
        migrations.AddIndex(
            "served", models.Index(fields=["tenant_id", "served_at"], name="served_by_time")
        ),
        migrations.CreateModel(
            name="Check",
            fields=[
                *first(),
                ("source_id", models.UUIDField()),
                ("because_id", models.UUIDField()),
                ("template", models.CharField(max_length=40)),
                ("wrong", models.CharField(max_length=500)),
                ("planted_at", models.DateTimeField()),
                ("window_no", models.BigIntegerField()),
                ("nonce", models.CharField(max_length=64)),
                ("commitment", models.BinaryField(max_length=32)),
                ("outcome", models.CharField(default="waiting", max_length=8)),
                ("answer", models.CharField(default="", max_length=16)),
                ("ended_at", models.DateTimeField(null=True)),
                ("expected_s", models.SmallIntegerField(null=True)),
                ("taken_ms", models.BigIntegerField(null=True)),
                ("event_uid", models.UUIDField(null=True)),
                ("person", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("proposal", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="approvals.proposal")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "proposal"), name="check_of_one_proposal"),
                    models.UniqueConstraint(fields=("tenant_id", "person", "window_no"), name="check_one_in_a_window"),
                    models.UniqueConstraint(fields=("tenant_id", "person", "because_id"), name="check_one_for_a_lot"),
                    models.UniqueConstraint(fields=("tenant_id", "source_id"), name="check_source_once"),
                    models.CheckConstraint(
                        condition=Q(("outcome__in", ["caught", "lapsed", "missed", "waiting"])),
                        name="check_outcome_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(("answer", ""), ("ended_at__isnull", True), ("outcome", "waiting"))
                        | Q(("answer", ""), ("ended_at__isnull", False), ("outcome", "lapsed"))
                        | Q(("answer", "approve"), ("ended_at__isnull", False), ("outcome", "missed"))
                        | (
                            Q(("ended_at__isnull", False), ("outcome", "caught"))
                            & Q(("answer__in", ["edit", "question", "reject", "request_changes"]))
                        ),
                        name="check_outcome_follows",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["tenant_id", "person", "-ended_at"], name="check_of_person")
                ],
            },
        ),
        migrations.CreateModel(
            name="CheckSetting",
            fields=[
                *first(),
                ("is_on", models.BooleanField()),
                ("set_by", models.CharField(max_length=200)),
                ("set_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id",), name="check_setting_once")
                ]
            },
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(NEVER, DROP_NEVER),
        Sql(STAYS, DROP_STAYS),
        TenantTable(
            "approvals_check",
            grants="SELECT, INSERT,"
            " UPDATE (outcome, answer, ended_at, expected_s, taken_ms, event_uid)",
        ),
        TenantTable(
            "approvals_checksetting", grants="SELECT, INSERT, UPDATE (is_on, set_by, set_at)"
        ),
        Governed("approvals_check"),
        Governed("approvals_checksetting"),
    ]
