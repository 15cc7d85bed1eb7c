import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import Sql

# Deferred: the changes are judged, and stored, before the plan that adds them up.
KEYS = """
ALTER TABLE approvals_proposal ADD CONSTRAINT proposal_step_of_plan
  FOREIGN KEY (tenant_id, plan_id) REFERENCES approvals_proposal (tenant_id, id)
  DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE approvals_revision ADD CONSTRAINT revision_plan_digest_true CHECK (
  children IS NULL OR digest = sha256(convert_to(
    '{"children":["' || array_to_string(children, '","') || '"],"type":"signalbox/plan/1"}', 'UTF8')));
"""
DROP_KEYS = """
ALTER TABLE approvals_revision DROP CONSTRAINT revision_plan_digest_true;
ALTER TABLE approvals_proposal DROP CONSTRAINT proposal_step_of_plan;
"""
TRIGGERS = """
-- What people agree to is these changes in this order, and it never becomes others: looked at when the
-- transaction ends, because the changes come before their plan.
CREATE FUNCTION approvals_plan_covers_steps() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  whole uuid;
  said text[];
  found text[];
  last integer;
BEGIN
  SELECT coalesce(p.plan_id, CASE WHEN p.subject_kind = 'plan' THEN p.id END) INTO whole
    FROM public.approvals_proposal p WHERE p.id = NEW.proposal_id;
  IF whole IS NULL AND NEW.children IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT r.children::text[] INTO said FROM public.approvals_proposal p
    JOIN public.approvals_revision r ON r.proposal_id = p.id AND r.no = 1
   WHERE p.id = whole AND p.subject_kind = 'plan';
  SELECT array_agg(encode(r.digest, 'hex') ORDER BY p.plan_pos), max(p.plan_pos) INTO found, last
    FROM public.approvals_proposal p
    JOIN public.approvals_revision r ON r.proposal_id = p.id AND r.no = 1
   WHERE p.plan_id = whole;
  IF NEW.no <> 1 OR said IS NULL OR said IS DISTINCT FROM found
     OR cardinality(found) < 2 OR cardinality(found) <> last THEN
    RAISE EXCEPTION 'plan_covers_its_steps: a plan is its changes in their order, and stays so'
      USING ERRCODE = 'SB003', CONSTRAINT = 'plan_covers_its_steps';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER plan_covers_its_steps AFTER INSERT ON approvals_revision
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION approvals_plan_covers_steps();
ALTER TABLE approvals_revision ENABLE ALWAYS TRIGGER plan_covers_its_steps;

CREATE FUNCTION approvals_vote_not_on_step() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.approvals_proposal p WHERE p.id = NEW.proposal_id AND p.plan_id IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'vote_not_on_step: people vote on the plan, not on one change of it'
      USING ERRCODE = 'SB003', CONSTRAINT = 'vote_not_on_step';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER vote_not_on_step BEFORE INSERT ON approvals_vote
  FOR EACH ROW EXECUTE FUNCTION approvals_vote_not_on_step();
ALTER TABLE approvals_vote ENABLE ALWAYS TRIGGER vote_not_on_step;

-- A change of a plan is approved by the dispatch of that plan, whose digest covers it in its place, and by
-- nothing else; and nothing else is approved so.
CREATE FUNCTION approvals_step_by_plan() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE step record;
BEGIN
  SELECT p.plan_id, p.plan_pos INTO step FROM public.approvals_proposal p WHERE p.id = NEW.proposal_id;
  IF step.plan_id IS NULL AND NEW.basis <> 'plan' THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM public.approvals_proposal p
    JOIN public.approvals_dispatch d ON d.proposal_id = p.id
    JOIN public.approvals_revision r ON r.id = d.revision_id
   WHERE p.id = step.plan_id AND p.state = 'dispatched' AND d.state = 'claimed'
     AND r.children[step.plan_pos] = encode(NEW.digest, 'hex');
  IF NOT FOUND OR NEW.basis <> 'plan' OR NEW.outcome <> 'approved' THEN
    RAISE EXCEPTION 'decision_of_step_by_plan: only its plan, handed over, approves a change of it'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_of_step_by_plan';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_of_step_by_plan BEFORE INSERT ON approvals_decision
  FOR EACH ROW EXECUTE FUNCTION approvals_step_by_plan();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER decision_of_step_by_plan;

-- By its name it comes before dispatch_needs_decision: the plan is locked before the change.
CREATE FUNCTION approvals_step_in_order() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE step record;
BEGIN
  SELECT p.plan_id, p.plan_pos INTO step FROM public.approvals_proposal p WHERE p.id = NEW.proposal_id;
  IF step.plan_id IS NULL THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM public.approvals_proposal p WHERE p.id = step.plan_id FOR NO KEY UPDATE;
  PERFORM 1 FROM public.approvals_dispatch d
   WHERE d.proposal_id = step.plan_id AND d.state = 'claimed'
     AND (step.plan_pos = 1 OR EXISTS (
       SELECT 1 FROM public.approvals_proposal b
         JOIN public.approvals_dispatch e ON e.proposal_id = b.id
        WHERE b.plan_id = step.plan_id AND b.plan_pos = step.plan_pos - 1 AND e.state = 'succeeded'));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'dispatch_after_the_one_before: the change before it has not succeeded'
      USING ERRCODE = 'SB003', CONSTRAINT = 'dispatch_after_the_one_before';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispatch_after_the_one_before BEFORE INSERT ON approvals_dispatch
  FOR EACH ROW EXECUTE FUNCTION approvals_step_in_order();
ALTER TABLE approvals_dispatch ENABLE ALWAYS TRIGGER dispatch_after_the_one_before;
"""
DROP_TRIGGERS = """
DROP FUNCTION approvals_step_in_order() CASCADE;
DROP FUNCTION approvals_step_by_plan() CASCADE;
DROP FUNCTION approvals_vote_not_on_step() CASCADE;
DROP FUNCTION approvals_plan_covers_steps() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0019_sampling")]

    # All three columns are written at birth only: nothing may update them, so no grant is added.
    operations = [
        migrations.AddField(
            "proposal",
            "plan",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="approvals.proposal",
            ),
        ),
        migrations.AddField("proposal", "plan_pos", models.SmallIntegerField(null=True)),
        migrations.AddField(
            "revision",
            "children",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), null=True, size=None
            ),
        ),
        migrations.AddConstraint(
            "proposal",
            models.UniqueConstraint(
                condition=Q(("plan__isnull", False)),
                fields=("tenant_id", "plan", "plan_pos"),
                name="proposal_plan_pos_once",
            ),
        ),
        migrations.AddConstraint(
            "proposal",
            models.CheckConstraint(
                condition=Q(("plan__isnull", True), ("plan_pos__isnull", True))
                | (
                    Q(("plan__isnull", False), ("plan_pos__isnull", False))
                    & Q(("plan_pos__gte", 1), ("plan_pos__lte", 20))
                    & ~Q(("subject_kind", "plan"))
                ),
                name="proposal_step_has_place",
            ),
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(TRIGGERS, DROP_TRIGGERS),
    ]
