-- What an INSERT into the trail does beside storing the row. PostgreSQL reads the text of CHECK constraints and
-- generated columns anew for every statement, prepared or not; policies are part of the prepared plan.

-- The sealer hashes the bytes as they are stored, into audit_entry, from where the tree, the signer and
-- verify_audit go on. A generated column said the same in the same row: an UPDATE would have renewed it.
ALTER TABLE audit_event DROP COLUMN leaf_hash;

ALTER TABLE audit_event DROP CONSTRAINT audit_event_keep_known;
ALTER TABLE audit_event DROP CONSTRAINT audit_event_fits_a_leaf;
CREATE POLICY keep_known ON audit_event AS RESTRICTIVE FOR INSERT
  WITH CHECK (keep IN ('short', 'standard', 'long'));
CREATE POLICY fits_a_leaf ON audit_event AS RESTRICTIVE FOR INSERT
  WITH CHECK (octet_length(envelope) <= 16356);
