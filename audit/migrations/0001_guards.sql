-- Who may see and write what, beyond the application's own grants. No role has two of write, seal, sign.

-- The trigger function below runs as the owner, whom forced row-level security binds as well.
CREATE POLICY owner_reads ON audit_event FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY all_tenants ON audit_event FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_blob FOR SELECT TO signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_log FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_entry FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_meta_leaf FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_tile FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_head FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);
CREATE POLICY all_tenants ON audit_checkpoint FOR SELECT TO signalbox_sealer, signalbox_signer USING (true);

CREATE POLICY sealer_writes ON audit_log FOR INSERT TO signalbox_sealer WITH CHECK (true);
CREATE POLICY sealer_writes ON audit_entry FOR INSERT TO signalbox_sealer WITH CHECK (true);
CREATE POLICY sealer_writes ON audit_meta_leaf FOR INSERT TO signalbox_sealer WITH CHECK (true);
CREATE POLICY sealer_writes ON audit_tile FOR INSERT TO signalbox_sealer WITH CHECK (true);
CREATE POLICY sealer_writes ON audit_head FOR INSERT TO signalbox_sealer WITH CHECK (true);
CREATE POLICY signer_writes ON audit_checkpoint FOR INSERT TO signalbox_signer WITH CHECK (true);
CREATE POLICY sealer_projects ON audit_search TO signalbox_sealer USING (true) WITH CHECK (true);
CREATE POLICY sealer_projects ON audit_search_state TO signalbox_sealer USING (true) WITH CHECK (true);

GRANT SELECT ON audit_epoch, audit_round, audit_event, audit_log, audit_entry, audit_meta_leaf, audit_tile,
  audit_head, audit_checkpoint TO signalbox_sealer, signalbox_signer;
GRANT SELECT ON audit_blob TO signalbox_signer;
GRANT INSERT (tenant_id, kind, origin) ON audit_log TO signalbox_sealer;
GRANT INSERT (round_no, epoch, snapshot, sealed_us, entry_count) ON audit_round TO signalbox_sealer;
GRANT INSERT ON audit_entry, audit_meta_leaf, audit_tile, audit_head TO signalbox_sealer;
GRANT INSERT (log_id, size, tenant_id, root, note, vkey) ON audit_checkpoint TO signalbox_signer;
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_search, audit_search_state TO signalbox_sealer;

-- The meta log, and with it the name of this deployment: a second database on the same machine has another.
-- It belongs to no tenant, and an owner that row-level security binds could not write it otherwise.
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_log (kind, origin)
  SELECT 'meta', 'signalbox.local/' || left(replace(gen_random_uuid()::text, '-', ''), 12) || '/meta';
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- No change of a governed table without an event of the same tenant in the same transaction. Names are
-- qualified and pg_temp comes last, or a temporary table called audit_event would do instead.
CREATE FUNCTION audit_require_event() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  row_tenant uuid := COALESCE(NEW.tenant_id, OLD.tenant_id);
BEGIN
  PERFORM 1 FROM public.audit_event e
   WHERE e.epoch = (SELECT max(epoch) FROM public.audit_epoch)
     AND e.xid = pg_current_xact_id() AND e.tenant_id = row_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'change to % has no audit event', TG_TABLE_NAME USING ERRCODE = 'SB001';
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_require_event() FROM PUBLIC;
