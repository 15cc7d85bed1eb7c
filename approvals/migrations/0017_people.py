"""Who may decide, changed by the word of two people."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import AppendOnly, Sql, TenantTable

ROLES = ("agent", "editor", "owner", "starter")
# Tenants that have two reviewers in two groups are past their founding.
FOUNDED = """
INSERT INTO approvals_quorum (id, tenant_id)
SELECT gen_random_uuid(), m.tenant_id
  FROM accounts_membership m
  JOIN accounts_groupmember g ON g.tenant_id = m.tenant_id AND g.person_id = m.person_id
 WHERE m.active AND 'reviewer' = ANY (m.roles)
 GROUP BY m.tenant_id
HAVING count(DISTINCT m.person_id) > 1 AND count(DISTINCT g.group_id) > 1;
"""

# The gate itself is loosened by votes and by nothing else: no rule, no timeout, no break-glass.
BY_PEOPLE = """
CREATE FUNCTION approvals_governed_by_people() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_proposal p
   WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.proposal_id
     AND p.subject_kind IN ('policy_version', 'membership');
  IF FOUND THEN
    RAISE EXCEPTION 'decision_governed_by_people: rules and reviewers change by votes alone'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_governed_by_people';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_governed_by_people BEFORE INSERT ON approvals_decision
  FOR EACH ROW WHEN (NEW.outcome = 'approved' AND NEW.basis <> 'people')
  EXECUTE FUNCTION approvals_governed_by_people();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER decision_governed_by_people;
"""
NOT_BY_PEOPLE = "DROP FUNCTION approvals_governed_by_people() CASCADE;"


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("approvals", "0016_review_tasks"),
        ("accounts", "0003_propose"),
    ]

    operations: ClassVar = [
        migrations.RemoveConstraint("principalrow", "principal_role_known"),
        migrations.AddConstraint(
            "principalrow",
            models.CheckConstraint(
                condition=Q(("role__in", sorted([*ROLES, "subject"]))),
                name="principal_role_known",
            ),
        ),
        migrations.CreateModel(
            name="Quorum",
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id",), name="quorum_once")
                ],
            },
        ),
        TenantTable("approvals_quorum", grants="SELECT, INSERT"),
        Sql(BY_PEOPLE, NOT_BY_PEOPLE),
        Sql(FOUNDED, migrations.RunSQL.noop),
        AppendOnly("approvals_quorum"),
    ]
