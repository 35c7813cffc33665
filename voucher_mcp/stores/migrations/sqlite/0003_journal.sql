-- The journal of writes on vendors, what a day has minted, the pace of calls, and what the audit trail tells.

-- A key whose write runs, or whose outcome is not known, has a line too. On this database's own vouchers a key is
-- always 'done', as it is committed with the effect.
ALTER TABLE writes ADD COLUMN state TEXT NOT NULL DEFAULT 'done';  -- pending, done, partly, unknown
ALTER TABLE writes ADD COLUMN owner TEXT;  -- the server that is, or was, at it: it holds the lock of this name
CREATE INDEX writes_created ON writes (created_at);

ALTER TABLE audit ADD COLUMN subject TEXT;  -- the pool or the masked code that it was about
ALTER TABLE audit ADD COLUMN amount INTEGER;  -- minted, in minor units
ALTER TABLE audit ADD COLUMN points INTEGER;
ALTER TABLE audit ADD COLUMN codes INTEGER;
ALTER TABLE audit ADD COLUMN owner TEXT;  -- as above, while the outcome is 'pending'

CREATE TABLE minted (
    project INTEGER NOT NULL,
    day INTEGER NOT NULL,  -- days since 1970, UTC
    amount INTEGER NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (project, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (  -- of the last minute, in projects with a limit on them
    project INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX calls_at ON calls (project, at);
