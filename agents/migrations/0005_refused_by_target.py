from django.db import migrations

from console.kernel.schema import Sql

# A write outside whose target had another version than people saw: the target refused, nothing was made.
MAY_MOVE = """
CREATE OR REPLACE FUNCTION agents_call_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
    ('proposed', 'approved'),
    ('proposed', 'denied'),
    ('proposed', 'failed'),
    ('proposed', 'rejected_by_contract'),
    ('proposed', 'succeeded'),
    ('proposed', 'waiting_approval'),
    ('proposed', 'withdrawn'),
    ('waiting_approval', 'approved'),
    ('waiting_approval', 'denied'),
    ('waiting_approval', 'expired'),
    ('waiting_approval', 'failed'),
    ('waiting_approval', 'withdrawn'),
    ('approved', 'denied'),
    ('approved', 'executing'),
    ('approved', 'expired'),
    ('approved', 'failed'),
    ('approved', 'waiting_approval'),
    ('approved', 'withdrawn'),
    ('executing', 'failed'),
    ('executing', 'succeeded'),
    ('executing', 'unknown'),{more}
    ('succeeded', 'compensating'),
    ('failed', 'executing'),
    ('unknown', 'failed'),
    ('unknown', 'succeeded'),
    ('compensating', 'compensated'),
    ('compensating', 'succeeded')
  ) THEN
    RAISE EXCEPTION 'tool_call_transition_allowed: % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'tool_call_transition_allowed';
  END IF;
  IF (NEW.run_id, NEW.tool, NEW.args, NEW.args_digest, NEW.raw, NEW.idempotency_key)
     IS DISTINCT FROM
     (OLD.run_id, OLD.tool, OLD.args, OLD.args_digest, OLD.raw, OLD.idempotency_key) THEN
    RAISE EXCEPTION 'tool_call_args_never_change'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'tool_call_args_never_change';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [("agents", "0004_moves_only")]

    operations = [
        Sql(
            MAY_MOVE.replace("{more}", "\n    ('executing', 'withdrawn'),"),
            MAY_MOVE.replace("{more}", ""),
        )
    ]
