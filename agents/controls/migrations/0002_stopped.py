from django.db import migrations

from console.kernel.schema import APP_ROLE, Sql

# Pulse asks which tenants have a standing switch, and gets their ids and nothing else; `switch_one_per_scope`
# holds the standing ones alone. The policy lets the function see the rows where its owner does not step over
# row-level security anyway.
STOPPED = f"""
CREATE FUNCTION controls_tenants_stopped() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT s.tenant_id FROM public.controls_switch s WHERE s.released_at IS NULL
$$;
REVOKE ALL ON FUNCTION controls_tenants_stopped() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION controls_tenants_stopped() TO {APP_ROLE};
CREATE POLICY stopped_of_all ON controls_switch FOR SELECT TO CURRENT_USER USING (true);
"""
DROP_STOPPED = """
DROP POLICY stopped_of_all ON controls_switch;
DROP FUNCTION controls_tenants_stopped();
"""


class Migration(migrations.Migration):

    dependencies = [("controls", "0001_initial")]

    operations = [Sql(STOPPED, DROP_STOPPED)]
