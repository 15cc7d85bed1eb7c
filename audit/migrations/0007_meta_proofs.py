"""A tenant proves its own heads in the meta log: the functions give hashes and signed heads of it, and no leaf.

Row-level security hides the meta log, whose leaves name every tenant's origin and size. Of a neighbour's leaf only
the hash goes out; it holds a root that nobody can guess. The functions run as the owner, whom policies bind as well.
"""

from django.db import migrations

from console.kernel.schema import Sql

FORWARD = """
CREATE POLICY owner_reads ON audit_meta_leaf FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_reads ON audit_tile FOR SELECT TO CURRENT_USER USING (tenant_id IS NULL);
CREATE POLICY owner_reads ON audit_checkpoint FOR SELECT TO CURRENT_USER USING (tenant_id IS NULL);
CREATE INDEX audit_meta_leaf_round ON audit_meta_leaf (log_id, round_no);

CREATE FUNCTION audit_meta_leaves(first bigint, until bigint) RETURNS SETOF bytea LANGUAGE sql STABLE
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT leaf_hash FROM public.audit_meta_leaf WHERE index >= first AND index < until ORDER BY index
$$;
CREATE FUNCTION audit_meta_tiles(tile_level smallint, first bigint, until bigint) RETURNS SETOF bytea
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT hashes FROM public.audit_tile
   WHERE tenant_id IS NULL AND level = tile_level AND number >= first AND number < until ORDER BY number
$$;
CREATE FUNCTION audit_meta_checkpoint(above bigint) RETURNS TABLE (tree_size bigint, signed text, key text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT size, note, vkey FROM public.audit_checkpoint
   WHERE tenant_id IS NULL AND size > above ORDER BY size LIMIT 1
$$;
CREATE FUNCTION audit_meta_signed() RETURNS bigint LANGUAGE sql STABLE
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(max(size), 0) FROM public.audit_checkpoint WHERE tenant_id IS NULL
$$;
REVOKE ALL ON FUNCTION audit_meta_leaves, audit_meta_tiles, audit_meta_checkpoint, audit_meta_signed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_meta_leaves, audit_meta_tiles, audit_meta_checkpoint, audit_meta_signed
  TO signalbox_app;
"""
BACK = """
DROP FUNCTION audit_meta_leaves, audit_meta_tiles, audit_meta_checkpoint, audit_meta_signed;
DROP INDEX audit_meta_leaf_round;
DROP POLICY owner_reads ON audit_meta_leaf;
DROP POLICY owner_reads ON audit_tile;
DROP POLICY owner_reads ON audit_checkpoint;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_tenant_as_text")]

    operations = [Sql(FORWARD, BACK)]
