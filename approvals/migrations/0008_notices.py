import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import APP_ROLE, Governed, Sql, TenantTable

REASONS = [
    "answered", "approved", "blocked", "break_glass", "checks", "dead_end", "executed", "expired", "failed",
    "opened", "rejected", "reminded", "reopened", "revised", "superseded", "test", "unknown", "widened",
    "withdrawn",
]
KEYS = """
ALTER TABLE approvals_notice ADD CONSTRAINT notice_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
ALTER TABLE approvals_notice ADD CONSTRAINT notice_through_channel
  FOREIGN KEY (tenant_id, channel_id) REFERENCES approvals_channel (tenant_id, id);
"""
DROP_KEYS = """
ALTER TABLE approvals_notice DROP CONSTRAINT notice_through_channel;
ALTER TABLE approvals_notice DROP CONSTRAINT notice_of_proposal;
"""

# Pulse asks which tenants have something to send, and gets their ids and nothing else.
DUE = f"""
CREATE FUNCTION approvals_tenants_to_tell(at timestamptz) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT first.tenant_id FROM (
    SELECT n.tenant_id FROM public.approvals_notice n
     WHERE n.state = 'queued' AND n.next_at <= at AND (n.lease_until IS NULL OR n.lease_until <= at)
     ORDER BY n.next_at LIMIT 5000) AS first
$$;
REVOKE ALL ON FUNCTION approvals_tenants_to_tell(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_tenants_to_tell(timestamptz) TO {APP_ROLE};
CREATE POLICY due_of_all ON approvals_notice FOR SELECT TO CURRENT_USER USING (true);
"""
DROP_DUE = """
DROP POLICY due_of_all ON approvals_notice;
DROP FUNCTION approvals_tenants_to_tell(timestamptz);
"""


def base():
    return [
        ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
        ("tenant_id", models.UUIDField(editable=False)),
        ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
    ]


def key(to, **other):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, to=to, **{"related_name": "+", **other}
    )


class Migration(migrations.Migration):

    dependencies = [
        ("approvals", "0007_flow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Channel",
            fields=[
                *base(),
                ("kind", models.CharField(max_length=8)),
                ("title", models.CharField(max_length=80)),
                ("shown", models.CharField(max_length=200)),
                ("sealed", models.BinaryField(null=True)),
                ("group", models.CharField(max_length=63)),
                ("asks", models.BooleanField()),
                ("outcomes", models.BooleanField()),
                ("titles", models.BooleanField(default=False)),
                ("active", models.BooleanField(default=True)),
                ("made_by", key(settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("kind__in", ["chat", "email", "webhook"])), name="channel_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(("kind", "email"), ("sealed__isnull", False), _connector="OR"),
                        name="channel_has_address",
                    ),
                    models.UniqueConstraint(fields=("tenant_id", "title"), name="channel_title_once"),
                    models.UniqueConstraint(
                        condition=Q(("sealed__isnull", True)),
                        fields=("tenant_id",),
                        name="channel_own_mail_once",
                    ),
                    models.UniqueConstraint(fields=("tenant_id", "id"), name="channel_of_tenant"),
                ]
            },
        ),
        migrations.CreateModel(
            name="NoticeSetting",
            fields=[
                *base(),
                ("person", key(settings.AUTH_USER_MODEL)),
                ("email", models.BooleanField()),
                ("digest", models.CharField(max_length=8)),
                ("quiet_from", models.TimeField(null=True)),
                ("quiet_until", models.TimeField(null=True)),
                ("zone", models.CharField(max_length=64)),
                ("automatic", models.BooleanField()),
            ],
            options={
                "db_table": "approvals_notice_setting",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "person"), name="notice_setting_once"),
                    models.CheckConstraint(
                        condition=Q(("digest__in", ["daily", "hourly", "instant"])),
                        name="notice_digest_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                            Q(("quiet_from__isnull", False), ("quiet_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="notice_quiet_from_and_until",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                *base(),
                ("person", key(settings.AUTH_USER_MODEL, null=True)),
                ("channel", key("approvals.channel", null=True, db_constraint=False, related_name="notices")),
                ("proposal", key("approvals.proposal", null=True, db_constraint=False, related_name="notices")),
                ("reason", models.CharField(max_length=12)),
                ("no", models.IntegerField()),
                ("detail", models.CharField(max_length=64)),
                ("state", models.CharField(default="queued", max_length=8)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(default="", max_length=80)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(("state", "queued")), fields=["next_at"], name="notice_due"
                    ),
                    models.Index(fields=["tenant_id", "-created_at", "-id"], name="notice_newest"),
                    models.Index(fields=["tenant_id", "channel", "-created_at"], name="notice_of_channel"),
                    models.Index(fields=["tenant_id", "person", "-created_at"], name="notice_of_person"),
                    models.Index(fields=["tenant_id", "proposal"], name="notice_about"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("reason__in", REASONS)), name="notice_reason_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(("state__in", ["dropped", "failed", "queued", "sent"])),
                        name="notice_state_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(("person__isnull", True)) ^ Q(("channel__isnull", True)),
                        name="notice_to_one",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("sent_at__isnull", False), ("state", "sent")),
                            Q(Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="notice_sent_when",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "person", "channel", "proposal", "reason", "no"),
                        name="notice_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        Sql(KEYS, DROP_KEYS),
        TenantTable("approvals_channel", grants="SELECT, INSERT, UPDATE (titles, active)"),
        TenantTable(
            "approvals_notice_setting",
            grants="SELECT, INSERT, UPDATE (email, digest, quiet_from, quiet_until, zone, automatic)",
        ),
        TenantTable(
            "approvals_notice",
            grants="SELECT, INSERT, UPDATE (state, attempts, next_at, lease_until, sent_at, last_error)",
        ),
        Governed("approvals_channel"),
        Sql(DUE, DROP_DUE),
    ]
