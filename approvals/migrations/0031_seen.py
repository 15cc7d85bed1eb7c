"""A dispatch says when its target outside was looked at, and may end as stale: the target refused."""

from datetime import timedelta
from typing import ClassVar

from django.db import migrations, models
from django.db.models import F, Q

from console.kernel.schema import Sql

REASONS = [
    "answered", "approved", "asked", "blocked", "break_glass", "checks", "dead_end", "executed", "expired",
    "failed", "opened", "rejected", "reminded", "reopened", "revised", "rule_allows", "rule_turned", "staled",
    "superseded", "test", "unknown", "widened", "withdrawn",
]  # fmt: skip
SETTLES = """
CREATE OR REPLACE FUNCTION approvals_dispatch_settles() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT ((OLD.state = 'claimed' AND NEW.state IN ({ends}))
          OR (OLD.state = 'unknown' AND NEW.state IN ('succeeded', 'failed'))) THEN
    RAISE EXCEPTION 'dispatch_transition_allowed: not from % to %', OLD.state, NEW.state
      USING ERRCODE = 'SB003', CONSTRAINT = 'dispatch_transition_allowed';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0030_staled")]

    operations: ClassVar = [
        migrations.AddField("dispatch", "seen_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=Q(("seen_at__isnull", True))
                | Q(("claimed_at__lte", F("seen_at") + timedelta(seconds=5))),
                name="dispatch_seen_lately",
            ),
        ),
        migrations.RemoveConstraint(model_name="dispatch", name="dispatch_state_known"),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=Q(("state__in", ["claimed", "failed", "stale", "succeeded", "unknown"])),
                name="dispatch_state_known",
            ),
        ),
        Sql(
            SETTLES.format(ends="'succeeded', 'failed', 'stale', 'unknown'"),
            SETTLES.format(ends="'succeeded', 'failed', 'unknown'"),
        ),
        migrations.RemoveConstraint(model_name="notice", name="notice_reason_known"),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=Q(("reason__in", REASONS)), name="notice_reason_known"
            ),
        ),
    ]
