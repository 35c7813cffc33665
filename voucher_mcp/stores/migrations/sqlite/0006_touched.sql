-- What a write touched, so that it can be found, and taken back.
ALTER TABLE audit ADD COLUMN client TEXT;  -- the caller's program, by the name and version that it gave itself
ALTER TABLE audit ADD COLUMN kind TEXT;  -- what the ids are of: voucher, pool, redemption, job
ALTER TABLE audit ADD COLUMN ids TEXT;  -- JSON
ALTER TABLE audit ADD COLUMN before TEXT;  -- JSON: the changed fields of the one thing, as they were, and
ALTER TABLE audit ADD COLUMN after TEXT;  -- as they are
