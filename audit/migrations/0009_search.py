"""Columns and indexes for every field of the query box, and how many entries of a day have each value."""

from pathlib import Path

import django.contrib.postgres.fields
import django.contrib.postgres.search
from django.db import migrations, models

from console.kernel.schema import Sql, TenantTable

HERE = Path(__file__).parent
TEXTS = ("version", "tool", "trace", "proposal", "digest", "outcome")
COLUMNS = {
    **{name: models.TextField() for name in TEXTS},
    "claimed_us": models.BigIntegerField(null=True),
    "tokens": django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
    "words": django.contrib.postgres.search.SearchVectorField(),
}
WINDOW = {
    "pk": models.CompositePrimaryKey("log_id", "index", blank=True, editable=False, primary_key=True, serialize=False),
    "log_id": models.UUIDField(),
    "index": models.BigIntegerField(),
    "event_id": models.BigIntegerField(),
    "tenant_id": models.UUIDField(),
    "received_us": models.BigIntegerField(),
    **{
        name: models.TextField()
        for name in ("action", "kind", "actor_kind", "actor_id", "actor_label", "target_type", "target_id",
                     "agent", "agent_label", "run", *TEXTS)
    },
    "claimed_us": models.BigIntegerField(null=True),
    "ids": django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
    "tokens": django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
    "words": django.contrib.postgres.search.SearchVectorField(),
}
BACK = """
DROP TABLE audit_facet_day, audit_search_name;
DROP VIEW audit_search_window;
DROP POLICY window_reads ON audit_search;
TRUNCATE audit_search, audit_search_state;
DROP INDEX audit_search_newest, audit_search_action, audit_search_kind, audit_search_actor, audit_search_type,
  audit_search_target, audit_search_agent, audit_search_run, audit_search_tool, audit_search_trace,
  audit_search_proposal, audit_search_digest, audit_search_outcome, audit_search_found;
ALTER TABLE audit_search DROP COLUMN version, DROP COLUMN tool, DROP COLUMN trace, DROP COLUMN proposal,
  DROP COLUMN digest, DROP COLUMN outcome, DROP COLUMN claimed_us, DROP COLUMN tokens, DROP COLUMN words;
ALTER TABLE audit_search
  ALTER COLUMN action TYPE text COLLATE "default", ALTER COLUMN kind TYPE text COLLATE "default",
  ALTER COLUMN actor_id TYPE text COLLATE "default", ALTER COLUMN target_type TYPE text COLLATE "default",
  ALTER COLUMN target_id TYPE text COLLATE "default", ALTER COLUMN agent TYPE text COLLATE "default",
  ALTER COLUMN run TYPE text COLLATE "default";
CREATE INDEX audit_search_newest ON audit_search (tenant_id, index);
CREATE INDEX audit_search_received ON audit_search (tenant_id, received_us);
CREATE INDEX audit_search_action ON audit_search (tenant_id, action text_pattern_ops, index);
CREATE INDEX audit_search_actor ON audit_search (tenant_id, actor_id, index);
CREATE INDEX audit_search_target ON audit_search (tenant_id, target_id, index);
CREATE INDEX audit_search_agent ON audit_search (tenant_id, agent, index);
CREATE INDEX audit_search_run ON audit_search (tenant_id, run, index);
CREATE INDEX audit_search_ids ON audit_search USING gin (ids);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_alarms")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                Sql((HERE / "0009_search.sql").read_text(encoding="utf-8"), BACK)
            ],
            state_operations=[
                *(
                    migrations.AddField("auditsearch", name, field, preserve_default=False)
                    for name, field in COLUMNS.items()
                ),
                migrations.CreateModel(
                    name="AuditSearchWindow",
                    fields=list(WINDOW.items()),
                    options={"db_table": "audit_search_window", "managed": False},
                ),
                migrations.CreateModel(
                    name="AuditFacetDay",
                    fields=[
                        ("pk", models.CompositePrimaryKey("tenant_id", "facet", "day", "kind", "value", blank=True, editable=False, primary_key=True, serialize=False)),
                        ("tenant_id", models.UUIDField()),
                        ("facet", models.TextField()),
                        ("day", models.DateField()),
                        ("kind", models.TextField()),
                        ("value", models.TextField()),
                        ("label", models.TextField()),
                        ("count", models.BigIntegerField()),
                    ],
                    options={"db_table": "audit_facet_day"},
                ),
                migrations.CreateModel(
                    name="AuditSearchName",
                    fields=[
                        ("pk", models.CompositePrimaryKey("tenant_id", "field", "name", "value", blank=True, editable=False, primary_key=True, serialize=False)),
                        ("tenant_id", models.UUIDField()),
                        ("field", models.TextField()),
                        ("name", models.TextField()),
                        ("value", models.TextField()),
                    ],
                    options={"db_table": "audit_search_name"},
                ),
            ],
        ),
        TenantTable("audit_facet_day", grants="SELECT"),
        TenantTable("audit_search_name", grants="SELECT"),
    ]
