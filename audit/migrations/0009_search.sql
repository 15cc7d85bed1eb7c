-- The search table by every field of the query box. It is disposable: emptied here, filled anew by pulse.
TRUNCATE audit_search, audit_search_state;
DROP INDEX audit_search_newest, audit_search_received, audit_search_action, audit_search_actor,
  audit_search_target, audit_search_agent, audit_search_run, audit_search_ids;

-- Compared byte by byte, so that a B-tree finds what begins with a text: with row-level security on, LIKE
-- reads every row of a tenant, because it is not leakproof, and < is.
ALTER TABLE audit_search
  ALTER COLUMN action TYPE text COLLATE "C",
  ALTER COLUMN kind TYPE text COLLATE "C",
  ALTER COLUMN actor_id TYPE text COLLATE "C",
  ALTER COLUMN target_type TYPE text COLLATE "C",
  ALTER COLUMN target_id TYPE text COLLATE "C",
  ALTER COLUMN agent TYPE text COLLATE "C",
  ALTER COLUMN run TYPE text COLLATE "C",
  ADD COLUMN version text COLLATE "C" NOT NULL,
  ADD COLUMN tool text COLLATE "C" NOT NULL,
  ADD COLUMN trace text COLLATE "C" NOT NULL,
  ADD COLUMN proposal text COLLATE "C" NOT NULL,
  ADD COLUMN digest text COLLATE "C" NOT NULL,
  ADD COLUMN outcome text COLLATE "C" NOT NULL,
  ADD COLUMN claimed_us bigint,
  ADD COLUMN tokens text[] NOT NULL,
  ADD COLUMN words tsvector NOT NULL;

-- Every list is newest first by (received, index); an index that ends so is read up to the page's last row.
CREATE INDEX audit_search_newest ON audit_search (tenant_id, received_us, index);
CREATE INDEX audit_search_action ON audit_search (tenant_id, action, received_us, index);
CREATE INDEX audit_search_kind ON audit_search (tenant_id, kind, received_us, index);
CREATE INDEX audit_search_actor ON audit_search (tenant_id, actor_id, received_us, index);
CREATE INDEX audit_search_type ON audit_search (tenant_id, target_type, received_us, index);
-- Many entries have none of these; a condition on one says so, and then its index holds the rest.
CREATE INDEX audit_search_target ON audit_search (tenant_id, target_id, received_us, index) WHERE target_id > '';
CREATE INDEX audit_search_agent ON audit_search (tenant_id, agent, received_us, index) WHERE agent > '';
CREATE INDEX audit_search_run ON audit_search (tenant_id, run, received_us, index) WHERE run > '';
CREATE INDEX audit_search_tool ON audit_search (tenant_id, tool, received_us, index) WHERE tool > '';
CREATE INDEX audit_search_trace ON audit_search (tenant_id, trace, received_us, index) WHERE trace > '';
CREATE INDEX audit_search_proposal ON audit_search (tenant_id, proposal, received_us, index) WHERE proposal > '';
CREATE INDEX audit_search_digest ON audit_search (tenant_id, digest, received_us, index) WHERE digest > '';
CREATE INDEX audit_search_outcome ON audit_search (tenant_id, outcome, received_us, index) WHERE outcome > '';
-- One index for everything that has several values. Only the window below can use it.
CREATE INDEX audit_search_found ON audit_search USING gin (ids, tokens, words);

-- The operators of lists and words are not leakproof: under a policy they are asked of a tenant's every row.
-- The window is read as its owner and names the tenant as the policy does, so they find their index.
CREATE POLICY window_reads ON audit_search FOR SELECT TO CURRENT_USER USING (true);
CREATE VIEW audit_search_window AS SELECT * FROM audit_search
  WHERE tenant_id = nullif(current_setting('signalbox.tenant_id', true), '')::uuid;
REVOKE ALL ON audit_search_window FROM PUBLIC, signalbox_app;
GRANT SELECT ON audit_search_window TO signalbox_app;

CREATE TABLE audit_facet_day (
  tenant_id uuid NOT NULL,
  facet text COLLATE "C" NOT NULL,
  day date NOT NULL,
  kind text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  label text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, facet, day, kind, value)
);
CREATE POLICY sealer_projects ON audit_facet_day TO signalbox_sealer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_facet_day TO signalbox_sealer;

-- Names that ids went by, so that one can ask for a person by name and the answer is read by id.
CREATE TABLE audit_search_name (
  tenant_id uuid NOT NULL,
  field text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, field, name, value)
);
CREATE POLICY sealer_projects ON audit_search_name TO signalbox_sealer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_search_name TO signalbox_sealer;
