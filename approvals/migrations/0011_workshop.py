"""Versions of policies asked about past calls."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import Sql, TenantTable

VERSION = """
ALTER TABLE approvals_replay ADD CONSTRAINT replay_of_version
  FOREIGN KEY (tenant_id, version_id) REFERENCES approvals_policyversion (tenant_id, id);
"""
NO_VERSION = "ALTER TABLE approvals_replay DROP CONSTRAINT replay_of_version;"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0010_evidence")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=console.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField(editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=console.kernel.models.DatabaseNow(), editable=False
                    ),
                ),
                ("days", models.SmallIntegerField()),
                ("state", models.CharField(max_length=10)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("total", models.IntegerField()),
                ("done", models.IntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                ("last_id", models.UUIDField()),
                ("counts", models.JSONField(default=dict)),
                ("examples", models.JSONField(default=list)),
                ("held_before", models.IntegerField(default=0)),
                ("held_after", models.IntegerField(default=0)),
                ("started_by", models.CharField(max_length=200)),
                ("moved_at", models.DateTimeField()),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replays",
                        to="approvals.policyversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("state__in", ["cancelled", "done", "running"])),
                        name="replay_state_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            ("days__gte", 1),
                            ("days__lte", 366),
                            ("done__gte", 0),
                            ("done__lte", F("total")),
                        ),
                        name="replay_in_bounds",
                    ),
                    models.UniqueConstraint(
                        condition=Q(("state", "running")),
                        fields=("tenant_id", "version"),
                        name="replay_one_running",
                    ),
                ],
            },
        ),
        TenantTable(
            "approvals_replay",
            grants="SELECT, INSERT, UPDATE (state, done, last_at, last_id, counts, examples,"
            " held_before, held_after, moved_at)",
        ),
        Sql(VERSION, NO_VERSION),
    ]
