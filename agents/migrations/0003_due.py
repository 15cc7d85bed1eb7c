from django.db import migrations

from console.kernel.schema import APP_ROLE, Sql

# Pulse asks which tenants have runs to look after, and gets their ids and nothing else. The policy lets the
# functions see the rows where their owner does not step over row-level security anyway. `run_state_lease`
# begins with the state, so runs that have ended are never read.
DUE = f"""
CREATE FUNCTION agents_tenants_due(at timestamptz) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT r.tenant_id FROM public.agents_run r
   WHERE r.state = 'waiting_timer' AND r.due_at <= at
$$;
CREATE FUNCTION agents_tenants_stranded(at timestamptz, unclaimed_s integer) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.tenant_id FROM public.agents_run r
   WHERE r.state = 'queued' AND r.state_at < at - make_interval(secs => unclaimed_s)
  UNION
  SELECT r.tenant_id FROM public.agents_run r WHERE r.state = 'running' AND r.lease_until < at
  UNION
  SELECT r.tenant_id FROM public.agents_run r WHERE r.state IN ('waiting_approval', 'waiting_user')
$$;
REVOKE ALL ON FUNCTION agents_tenants_due(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION agents_tenants_stranded(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_tenants_due(timestamptz) TO {APP_ROLE};
GRANT EXECUTE ON FUNCTION agents_tenants_stranded(timestamptz, integer) TO {APP_ROLE};
CREATE POLICY due_of_all ON agents_run FOR SELECT TO CURRENT_USER USING (true);
"""
DROP_DUE = """
DROP POLICY due_of_all ON agents_run;
DROP FUNCTION agents_tenants_stranded(timestamptz, integer);
DROP FUNCTION agents_tenants_due(timestamptz);
"""


class Migration(migrations.Migration):

    dependencies = [("agents", "0002_one_index_less")]

    operations = [Sql(DUE, DROP_DUE)]
