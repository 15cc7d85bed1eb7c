from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import APP_ROLE, Sql

# Pulse asks which tenants have a question that waits for its answer, and gets their ids and nothing else. The
# policy lets the function see the rows where its owner does not step over row-level security anyway.
UNANSWERED = f"""
CREATE FUNCTION approvals_tenants_unanswered(since timestamptz, until timestamptz) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT c.tenant_id FROM public.approvals_comment c
   WHERE c.kind IN ('question', 'request_changes') AND c.said_at BETWEEN since AND until
     AND NOT EXISTS (SELECT 1 FROM public.approvals_comment a
                      WHERE a.tenant_id = c.tenant_id AND a.answers_id = c.id)
$$;
REVOKE ALL ON FUNCTION approvals_tenants_unanswered(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_tenants_unanswered(timestamptz, timestamptz) TO {APP_ROLE};
CREATE POLICY unanswered_of_all ON approvals_comment FOR SELECT TO CURRENT_USER USING (true);
"""
DROP_UNANSWERED = """
DROP POLICY unanswered_of_all ON approvals_comment;
DROP FUNCTION approvals_tenants_unanswered(timestamptz, timestamptz);
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0022_delegation")]

    operations = [
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=Q(("kind__in", ["question", "request_changes"])),
                fields=["said_at"],
                name="comment_asked_lately",
            ),
        ),
        Sql(UNANSWERED, DROP_UNANSWERED),
    ]
