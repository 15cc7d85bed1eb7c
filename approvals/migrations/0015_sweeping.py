from django.db import migrations

from console.kernel.schema import APP_ROLE, Sql

# Rows may go when nothing can rest on them any more, and the database says when that is. A nonce is good for
# two minutes; a row that is gone is one that nobody can sign with.
SWEEPING = f"""
CREATE FUNCTION approvals_swept_early() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'swept_early: this row is still needed'
    USING ERRCODE = 'SB003', CONSTRAINT = 'swept_early';
END $$;
CREATE TRIGGER swept_early BEFORE DELETE ON approvals_nonce FOR EACH ROW
  WHEN (OLD.expires_at > clock_timestamp()) EXECUTE FUNCTION approvals_swept_early();
CREATE TRIGGER swept_early BEFORE DELETE ON approvals_notice FOR EACH ROW
  WHEN (OLD.state = 'queued') EXECUTE FUNCTION approvals_swept_early();
ALTER TABLE approvals_nonce ENABLE ALWAYS TRIGGER swept_early;
ALTER TABLE approvals_notice ENABLE ALWAYS TRIGGER swept_early;
GRANT DELETE ON approvals_nonce, approvals_notice TO {APP_ROLE};
"""
KEEPING = f"""
REVOKE DELETE ON approvals_nonce, approvals_notice FROM {APP_ROLE};
DROP FUNCTION approvals_swept_early() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0014_values")]

    operations = [Sql(SWEEPING, KEEPING)]
