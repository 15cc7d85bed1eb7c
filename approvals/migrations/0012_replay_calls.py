"""The calls that a replay names, a row for each."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import AppendOnly, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_replay ADD CONSTRAINT replay_of_tenant UNIQUE (tenant_id, id);
ALTER TABLE approvals_replaycall
  ADD CONSTRAINT replay_call_of_replay
    FOREIGN KEY (tenant_id, replay_id) REFERENCES approvals_replay (tenant_id, id),
  ADD CONSTRAINT replay_call_of_proposal
    FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
"""
NO_KEYS = """
ALTER TABLE approvals_replaycall
  DROP CONSTRAINT replay_call_of_proposal, DROP CONSTRAINT replay_call_of_replay;
ALTER TABLE approvals_replay DROP CONSTRAINT replay_of_tenant;
"""
# What was kept as examples becomes rows; their places among all calls were not kept.
MOVE = """
INSERT INTO approvals_replaycall (id, tenant_id, replay_id, no, proposal_id, tool, difference, was,
                                  was_people, says, people, rules)
SELECT gen_random_uuid(), r.tenant_id, r.id, e.no, (e.one ->> 'proposal')::uuid, e.one ->> 'tool',
       e.one ->> 'difference', e.one ->> 'was', (e.one ->> 'was_people')::smallint,
       e.one ->> 'says', (e.one ->> 'people')::smallint,
       ARRAY(SELECT jsonb_array_elements_text(e.one -> 'rules'))
  FROM approvals_replay r, jsonb_array_elements(r.examples) WITH ORDINALITY AS e(one, no);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0011_workshop")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ReplayCall",
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
                ("no", models.IntegerField()),
                ("proposal_id", models.UUIDField()),
                ("tool", models.CharField(max_length=120)),
                ("difference", models.CharField(max_length=14)),
                ("was", models.CharField(max_length=5)),
                ("was_people", models.SmallIntegerField()),
                ("says", models.CharField(max_length=5)),
                ("people", models.SmallIntegerField()),
                (
                    "rules",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                (
                    "replay",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="approvals.replay",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "replay", "difference", "no"],
                        name="replay_call_by_difference",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(
                            (
                                "difference__in",
                                [
                                    "denied",
                                    "fewer_people",
                                    "held",
                                    "more_people",
                                    "not_replayable",
                                    "released",
                                    "unchanged",
                                ],
                            )
                        ),
                        name="replay_call_difference_known",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "replay", "no"), name="replay_call_once"
                    ),
                ],
            },
        ),
        TenantTable("approvals_replaycall", grants="SELECT, INSERT"),
        Sql(KEYS, NO_KEYS),
        Sql(MOVE, migrations.RunSQL.noop),
        AppendOnly("approvals_replaycall"),
        migrations.RemoveField("replay", "examples"),
    ]
