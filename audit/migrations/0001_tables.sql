-- Tables of the trail. Times are microseconds since 1970 by the database's clock.

-- A cluster that rows were loaded into counts transactions from the start again, so each life of the
-- database is an epoch of its own.
CREATE TABLE audit_epoch (
  epoch integer PRIMARY KEY,
  system_identifier bigint NOT NULL,
  reason text NOT NULL,
  started_us bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
);
INSERT INTO audit_epoch (epoch, system_identifier, reason)
  SELECT 1, system_identifier, 'first migration' FROM pg_control_system();

-- The application fills tenant_id, event_uid, keep and envelope; the database everything else. No primary
-- key: a table partitioned by (keep, month) could not carry one on id, and the sealer needs none.
CREATE TABLE audit_event (
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
  epoch integer NOT NULL DEFAULT 1,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  received_us bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  tenant_id uuid NOT NULL,
  event_uid uuid NOT NULL,
  keep text NOT NULL CONSTRAINT audit_event_keep_known CHECK (keep IN ('short', 'standard', 'long')),
  envelope bytea NOT NULL CONSTRAINT audit_event_fits_a_leaf CHECK (octet_length(envelope) <= 16356),
  leaf_hash bytea NOT NULL GENERATED ALWAYS AS (
    sha256('\x0053420001'::bytea || uuid_send(event_uid) || int8send(received_us) || envelope)
  ) STORED
);
CREATE INDEX audit_event_epoch_xid ON audit_event (epoch, xid);
CREATE INDEX audit_event_id ON audit_event (id);

CREATE TABLE audit_blob (
  tenant_id uuid NOT NULL,
  event_uid uuid NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (tenant_id, event_uid, name)
);

CREATE TABLE audit_log (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid,
  kind text NOT NULL,
  origin text NOT NULL CONSTRAINT audit_log_origin_once UNIQUE,
  CONSTRAINT audit_log_kind_known CHECK (
    (kind = 'tenant' AND tenant_id IS NOT NULL) OR (kind = 'meta' AND tenant_id IS NULL)
  ),
  CONSTRAINT audit_log_one_per_tenant UNIQUE NULLS NOT DISTINCT (tenant_id)
);

CREATE TABLE audit_round (
  round_no bigint PRIMARY KEY,
  epoch integer NOT NULL,
  own_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  snapshot pg_snapshot NOT NULL,
  sealed_us bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  entry_count integer NOT NULL
);
-- The genesis round sees nothing, so the first real round takes everything that is committed.
INSERT INTO audit_round (round_no, epoch, snapshot, entry_count) VALUES (0, 1, '3:3:', 0);

CREATE TABLE audit_entry (
  log_id uuid NOT NULL,
  index bigint NOT NULL,
  event_id bigint NOT NULL CONSTRAINT audit_entry_event_once UNIQUE,
  tenant_id uuid NOT NULL,
  leaf_hash bytea NOT NULL CONSTRAINT audit_entry_hash_length CHECK (octet_length(leaf_hash) = 32),
  round_no bigint NOT NULL,
  received_us bigint NOT NULL,
  PRIMARY KEY (log_id, index),
  CONSTRAINT audit_entry_index_from_zero CHECK (index >= 0)
);

CREATE TABLE audit_meta_leaf (
  index bigint PRIMARY KEY CONSTRAINT audit_meta_leaf_from_zero CHECK (index >= 0),
  log_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  leaf bytea NOT NULL,
  leaf_hash bytea NOT NULL CONSTRAINT audit_meta_leaf_hash_length CHECK (octet_length(leaf_hash) = 32),
  round_no bigint NOT NULL
);
CREATE INDEX audit_meta_leaf_log ON audit_meta_leaf (log_id, index);

CREATE TABLE audit_tile (
  log_id uuid NOT NULL,
  level smallint NOT NULL,
  number bigint NOT NULL,
  tenant_id uuid,
  hashes bytea NOT NULL CONSTRAINT audit_tile_is_full CHECK (octet_length(hashes) = 8192),
  PRIMARY KEY (log_id, level, number)
);

CREATE TABLE audit_head (
  log_id uuid NOT NULL,
  size bigint NOT NULL,
  round_no bigint NOT NULL,
  tenant_id uuid,
  root bytea NOT NULL CONSTRAINT audit_head_root_length CHECK (octet_length(root) = 32),
  edge bytea NOT NULL,
  sealed_us bigint NOT NULL,
  PRIMARY KEY (log_id, size),
  CONSTRAINT audit_head_one_per_round UNIQUE (log_id, round_no),
  CONSTRAINT audit_head_has_leaves CHECK (size > 0)
);
CREATE INDEX audit_head_round ON audit_head (round_no);

CREATE TABLE audit_checkpoint (
  log_id uuid NOT NULL,
  size bigint NOT NULL,
  tenant_id uuid,
  root bytea NOT NULL,
  note text NOT NULL,
  vkey text NOT NULL,
  signed_us bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  PRIMARY KEY (log_id, size)
);

CREATE TABLE audit_search (
  log_id uuid NOT NULL,
  index bigint NOT NULL,
  event_id bigint NOT NULL,
  tenant_id uuid NOT NULL,
  received_us bigint NOT NULL,
  action text NOT NULL,
  kind text NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL,
  target_type text NOT NULL,
  target_id text NOT NULL,
  agent text NOT NULL,
  run text NOT NULL,
  ids text[] NOT NULL,
  PRIMARY KEY (log_id, index)
);
CREATE INDEX audit_search_newest ON audit_search (tenant_id, index);
CREATE INDEX audit_search_received ON audit_search (tenant_id, received_us);
CREATE INDEX audit_search_action ON audit_search (tenant_id, action text_pattern_ops, index);
CREATE INDEX audit_search_actor ON audit_search (tenant_id, actor_id, index);
CREATE INDEX audit_search_target ON audit_search (tenant_id, target_id, index);
CREATE INDEX audit_search_agent ON audit_search (tenant_id, agent, index);
CREATE INDEX audit_search_run ON audit_search (tenant_id, run, index);
CREATE INDEX audit_search_ids ON audit_search USING gin (ids);

CREATE TABLE audit_search_state (
  log_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  next_index bigint NOT NULL
);

CREATE TABLE audit_repeat (
  tenant_id uuid NOT NULL,
  actor text NOT NULL,
  what bytea NOT NULL,
  recorded_us bigint NOT NULL,
  repeats integer NOT NULL DEFAULT 0 CONSTRAINT repeats_not_negative CHECK (repeats >= 0),
  PRIMARY KEY (tenant_id, actor, what)
);
