import console.kernel.ids
import console.kernel.models
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from console.kernel.schema import Governed, Sql, TenantTable

WAITS = Q(("state__in", ["open", "stale"]))
TABLES = ("claim", "attention", "snooze")
KEYS = "".join(
    f"""
ALTER TABLE approvals_{name} ADD CONSTRAINT {name}_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
"""
    for name in TABLES
)
DROP_KEYS = "".join(
    f"ALTER TABLE approvals_{name} DROP CONSTRAINT {name}_of_proposal;" for name in TABLES
)
# Lists filter 100,000 rows by these columns; looked up in the newest requirement of each, that takes too
# long. The function runs as the owner, because the application may not change them.
ASKS = """
CREATE FUNCTION approvals_proposal_asks() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.approvals_proposal p SET asked_groups = NEW.asked_groups, needs = NEW.people
   WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.proposal_id
     AND (p.asked_groups, p.needs) IS DISTINCT FROM (NEW.asked_groups, NEW.people);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION approvals_proposal_asks() FROM PUBLIC;
CREATE TRIGGER proposal_asks AFTER INSERT ON approvals_requirement
  FOR EACH ROW EXECUTE FUNCTION approvals_proposal_asks();
ALTER TABLE approvals_requirement ENABLE ALWAYS TRIGGER proposal_asks;

-- What is there already, in every tenant and without an event: it repeats what the trail has.
ALTER TABLE approvals_proposal NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_requirement NO FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_proposal DISABLE TRIGGER must_audit;
UPDATE approvals_proposal p SET asked_groups = r.asked_groups, needs = r.people
  FROM (SELECT DISTINCT ON (proposal_id) proposal_id, asked_groups, people
          FROM approvals_requirement ORDER BY proposal_id, no DESC) r
 WHERE r.proposal_id = p.id;
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER must_audit;
ALTER TABLE approvals_requirement FORCE ROW LEVEL SECURITY;
ALTER TABLE approvals_proposal FORCE ROW LEVEL SECURITY;
"""
DROP_ASKS = "DROP FUNCTION approvals_proposal_asks() CASCADE;"


def base():
    return [
        ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
        ("tenant_id", models.UUIDField(editable=False)),
        ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
    ]


def person():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
    )


def proposal(name):
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="approvals.proposal",
    )


class Migration(migrations.Migration):

    dependencies = [
        ("approvals", "0005_content"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "proposal",
            "asked_groups",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=63), default=list, size=None
            ),
        ),
        migrations.AddField("proposal", "needs", models.SmallIntegerField(default=1)),
        migrations.AddIndex(
            "proposal",
            models.Index(
                condition=WAITS, fields=["tenant_id", "-created_at", "-id"], name="proposal_by_newest"
            ),
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(
                condition=WAITS, fields=["tenant_id", "-tier", "decide_by", "id"], name="proposal_by_tier"
            ),
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(
                condition=~WAITS,
                fields=["tenant_id", "-tier", "-moved_at", "-id"],
                name="proposal_decided_by_tier",
            ),
        ),
        migrations.AddIndex(
            "proposal",
            models.Index(condition=Q(("state", "stale")), fields=["tenant_id", "id"], name="proposal_stale"),
        ),
        migrations.AddIndex(
            "principalrow",
            models.Index(fields=["tenant_id", "person_id", "proposal"], name="principal_of_person"),
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                *base(),
                ("proposal", proposal("claims")),
                ("person", person()),
                ("person_label", models.CharField(max_length=200)),
                ("since", models.DateTimeField()),
                ("lease_until", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "proposal", "person"), name="claim_once"),
                    models.CheckConstraint(
                        condition=Q(("lease_until__gte", F("since"))), name="claim_ends_after_it_began"
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Attention",
            fields=[
                *base(),
                ("proposal", proposal("attention")),
                ("person", person()),
                ("reason", models.CharField(max_length=12)),
                ("cause", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "person", "proposal"), name="attention_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(("reason__in", ["answered", "opened", "reopened", "voided", "widened"])),
                        name="attention_reason_known",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Snooze",
            fields=[
                *base(),
                ("proposal", proposal("snoozes")),
                ("person", person()),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("row_version", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "person", "proposal"), name="snooze_once"),
                    models.CheckConstraint(condition=Q(("until__gte", F("at"))), name="snooze_ends_later"),
                ]
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                *base(),
                ("person", person()),
                ("name", models.CharField(max_length=60)),
                ("address", models.CharField(max_length=1000)),
                ("is_default", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "approvals_saved_view",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "person", "name"), name="saved_view_name_once"
                    ),
                    models.UniqueConstraint(
                        condition=Q(("is_default", True)),
                        fields=("tenant_id", "person"),
                        name="saved_view_one_default",
                    ),
                ],
            },
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(ASKS, DROP_ASKS),
        TenantTable("approvals_claim", grants="SELECT, INSERT, UPDATE (person_label, since, lease_until)"),
        TenantTable("approvals_attention", grants="SELECT, INSERT, UPDATE (reason, cause, at)"),
        TenantTable("approvals_snooze", grants="SELECT, INSERT, UPDATE (at, until, row_version)"),
        TenantTable(
            "approvals_saved_view", grants="SELECT, INSERT, UPDATE (name, address, is_default), DELETE"
        ),
        Governed("approvals_attention"),
    ]
