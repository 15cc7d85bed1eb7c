"""Delegations: a place that is lent for a time, and votes that fill it."""

import datetime
from typing import ClassVar

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import console.kernel.ids
import console.kernel.models
from console.kernel.schema import Governed, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_delegation ADD CONSTRAINT delegation_of_tenant UNIQUE (tenant_id, id, to_person_id);
ALTER TABLE approvals_vote ADD CONSTRAINT vote_by_delegation_to_person
  FOREIGN KEY (tenant_id, delegation_id, person_id)
  REFERENCES approvals_delegation (tenant_id, id, to_person_id);
"""
DROP_KEYS = "ALTER TABLE approvals_vote DROP CONSTRAINT vote_by_delegation_to_person;"
# One level, and one at a time: whoever gave or took a delegation that lasts neither gives nor takes
# another one. The locks are those of the command; of two at once the second sees the first.
MADE = """
CREATE FUNCTION approvals_delegation_one_level() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.ended_at IS NOT NULL OR NEW.lapsed_at IS NOT NULL THEN
    RAISE EXCEPTION 'delegation_only_ended: it is born lasting'
      USING ERRCODE = 'SB003', CONSTRAINT = 'delegation_only_ended';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(
    NEW.tenant_id || '/' || least(NEW.from_person_id, NEW.to_person_id) || '/delegation', 0));
  PERFORM pg_advisory_xact_lock(hashtextextended(
    NEW.tenant_id || '/' || greatest(NEW.from_person_id, NEW.to_person_id) || '/delegation', 0));
  PERFORM 1 FROM public.approvals_delegation d
   WHERE d.tenant_id = NEW.tenant_id AND d.until > NEW.made_at
     AND (d.ended_at IS NULL OR d.ended_at > NEW.made_at)
     AND (d.from_person_id IN (NEW.from_person_id, NEW.to_person_id)
          OR d.to_person_id IN (NEW.from_person_id, NEW.to_person_id));
  IF FOUND THEN
    RAISE EXCEPTION 'delegation_one_level: one of the two has a delegation already'
      USING ERRCODE = 'SB003', CONSTRAINT = 'delegation_one_level';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER delegation_one_level BEFORE INSERT ON approvals_delegation
  FOR EACH ROW EXECUTE FUNCTION approvals_delegation_one_level();
ALTER TABLE approvals_delegation ENABLE ALWAYS TRIGGER delegation_one_level;

CREATE FUNCTION approvals_delegation_only_ended() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moving CONSTANT text[] := ARRAY['ended_at', 'ended_by_id', 'ended_by_label', 'lapsed_at'];
BEGIN
  IF OLD.ended_at IS NOT NULL OR OLD.lapsed_at IS NOT NULL
     OR (to_jsonb(NEW) - moving) <> (to_jsonb(OLD) - moving) THEN
    RAISE EXCEPTION 'delegation_only_ended: it ends once, and nothing else changes'
      USING ERRCODE = 'SB003', CONSTRAINT = 'delegation_only_ended';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER delegation_only_ended BEFORE UPDATE ON approvals_delegation
  FOR EACH ROW EXECUTE FUNCTION approvals_delegation_only_ended();
ALTER TABLE approvals_delegation ENABLE ALWAYS TRIGGER delegation_only_ended;
CREATE TRIGGER never_deleted BEFORE DELETE ON approvals_delegation
  FOR EACH ROW EXECUTE FUNCTION approvals_never_deleted();
ALTER TABLE approvals_delegation ENABLE ALWAYS TRIGGER never_deleted;
"""
DROP_MADE = """
DROP FUNCTION approvals_delegation_only_ended() CASCADE;
DROP FUNCTION approvals_delegation_one_level() CASCADE;
"""
# The share lock waits for whoever ends it, and lets others vote. By the clock of the database as
# well: a vote that is dated back finds no delegation that is over. The ten seconds are for the way
# from the command's own check to this row.
USED = """
CREATE FUNCTION approvals_vote_in_place() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.delegation_id IS NOT NULL THEN
    PERFORM 1 FROM public.approvals_delegation d
     WHERE d.tenant_id = NEW.tenant_id AND d.id = NEW.delegation_id
       AND d.to_person_id = NEW.person_id AND d.ended_at IS NULL
       AND NEW.cast_at >= d.made_at AND NEW.cast_at < d.until
       AND d.until > clock_timestamp() - interval '10 seconds'
       FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'vote_was_lent: nobody lent this person that place, or not any more'
        USING ERRCODE = 'SB003', CONSTRAINT = 'vote_was_lent';
    END IF;
  END IF;
  PERFORM 1 FROM public.approvals_delegation d
    JOIN public.approvals_principal c ON c.proposal_id = NEW.proposal_id
   WHERE d.tenant_id = NEW.tenant_id AND NEW.cast_at >= d.made_at
     AND NEW.cast_at < coalesce(d.ended_at, d.until)
     AND ((d.from_person_id = NEW.person_id AND c.person_id = d.to_person_id)
          OR (d.to_person_id = NEW.person_id AND c.person_id = d.from_person_id));
  IF FOUND THEN
    RAISE EXCEPTION 'vote_not_beside_principal: who counts as one with the voter had a part in it'
      USING ERRCODE = 'SB003', CONSTRAINT = 'vote_not_beside_principal';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER vote_in_place BEFORE INSERT ON approvals_vote
  FOR EACH ROW EXECUTE FUNCTION approvals_vote_in_place();
ALTER TABLE approvals_vote ENABLE ALWAYS TRIGGER vote_in_place;

CREATE FUNCTION approvals_decision_counts_one() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM jsonb_array_elements(NEW.assignment) a
    CROSS JOIN jsonb_array_elements(NEW.assignment) b
    JOIN public.approvals_delegation d
      ON d.tenant_id = NEW.tenant_id AND d.from_person_id = (a->>'person')::uuid
     AND d.to_person_id = (b->>'person')::uuid
    JOIN public.approvals_vote v
      ON v.revision_id = NEW.revision_id AND v.voided_at IS NULL
     AND v.person_id IN (d.from_person_id, d.to_person_id)
     AND v.cast_at >= d.made_at AND v.cast_at < coalesce(d.ended_at, d.until)
   WHERE a->>'block' = b->>'block';
  IF FOUND THEN
    RAISE EXCEPTION 'decision_counts_two_as_one: a delegation joins two who fill places of one block'
      USING ERRCODE = 'SB003', CONSTRAINT = 'decision_counts_two_as_one';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_counts_two_as_one BEFORE INSERT ON approvals_decision
  FOR EACH ROW WHEN (NEW.basis = 'people') EXECUTE FUNCTION approvals_decision_counts_one();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER decision_counts_two_as_one;

CREATE FUNCTION approvals_dispatch_of_lent() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE lent uuid[];
BEGIN
  SELECT array_agg(v.delegation_id) INTO lent
    FROM public.approvals_decision d
    CROSS JOIN jsonb_array_elements(d.assignment) place
    JOIN public.approvals_vote v ON v.revision_id = d.revision_id AND v.voided_at IS NULL
     AND v.person_id = (place->>'person')::uuid AND v.delegation_id IS NOT NULL
   WHERE d.id = NEW.decision_id AND d.basis = 'people';
  PERFORM 1 FROM public.approvals_delegation d WHERE d.id = ANY (lent) ORDER BY d.id FOR SHARE;
  PERFORM 1 FROM public.approvals_delegation d
   WHERE d.id = ANY (lent) AND d.ended_at IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'dispatch_of_lent: somebody ended a delegation that the decision rests on'
      USING ERRCODE = 'SB003', CONSTRAINT = 'dispatch_of_lent';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispatch_of_lent BEFORE INSERT ON approvals_dispatch
  FOR EACH ROW EXECUTE FUNCTION approvals_dispatch_of_lent();
ALTER TABLE approvals_dispatch ENABLE ALWAYS TRIGGER dispatch_of_lent;
"""
DROP_USED = """
DROP FUNCTION approvals_dispatch_of_lent() CASCADE;
DROP FUNCTION approvals_decision_counts_one() CASCADE;
DROP FUNCTION approvals_vote_in_place() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ('approvals', '0021_checks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='vote',
            name='in_place_of',
            field=models.CharField(db_default='', max_length=200),
        ),
        migrations.CreateModel(
            name='Delegation',
            fields=[
                ('id', models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ('from_label', models.CharField(max_length=200)),
                ('to_label', models.CharField(max_length=200)),
                ('group', models.CharField(max_length=63)),
                ('reason', models.CharField(max_length=500)),
                ('made_at', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by_label', models.CharField(default='', max_length=200)),
                ('lapsed_at', models.DateTimeField(null=True)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('to_person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='vote',
            name='delegation',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='approvals.delegation'),
        ),
        migrations.AddConstraint(
            model_name='vote',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delegation__isnull', True), ('in_place_of', '')), models.Q(('delegation__isnull', False), models.Q(('in_place_of', ''), _negated=True)), _connector='OR'), name='vote_in_place_whole'),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(fields=['tenant_id', '-made_at', '-id'], name='delegation_newest'),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(condition=models.Q(('ended_at__isnull', True), ('lapsed_at__isnull', True)), fields=['tenant_id', 'until'], name='delegation_open'),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(fields=['tenant_id', 'from_person'], name='delegation_from'),
        ),
        migrations.AddIndex(
            model_name='delegation',
            index=models.Index(fields=['tenant_id', 'to_person'], name='delegation_to'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('from_person', models.F('to_person')), _negated=True), name='delegation_not_self'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('until__gt', models.F('made_at')), ('until__lte', django.db.models.expressions.CombinedExpression(models.F('made_at'), '+', models.Value(datetime.timedelta(days=14))))), name='delegation_bounded'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('group__regex', '\\S'), ('reason__regex', '\\S')), name='delegation_says_why'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True), ('ended_by_label', '')), models.Q(('ended_at__isnull', False), ('ended_at__lt', models.F('until')), ('ended_by__isnull', False)), _connector='OR'), name='delegation_ended_whole'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(('lapsed_at__isnull', True), models.Q(('ended_at__isnull', True), ('lapsed_at__gte', models.F('until'))), _connector='OR'), name='delegation_lapsed_in_time'),
        ),
        Sql(KEYS, DROP_KEYS),
        Sql(MADE, DROP_MADE),
        Sql(USED, DROP_USED),
        TenantTable(
            "approvals_delegation",
            grants="SELECT, INSERT, UPDATE (ended_at, ended_by_id, ended_by_label, lapsed_at)",
        ),
        Governed("approvals_delegation"),
    ]
