-- Looking a change up, and taking it back.
ALTER TABLE audit ADD COLUMN pool TEXT;  -- the id of the one that it was about, or whose codes
ALTER TABLE audit ADD COLUMN undo TEXT;  -- JSON: what an undo needs beyond before and after
ALTER TABLE audit ADD COLUMN undoes INTEGER;  -- the line of the write that this one took back
CREATE INDEX audit_project ON audit (project);
CREATE INDEX audit_pool ON audit (project, pool) WHERE pool IS NOT NULL;
CREATE INDEX audit_undoes ON audit (project, undoes) WHERE undoes IS NOT NULL;
-- Redemptions are most of a long journal, and found by going through it; this costs them nothing.
CREATE INDEX audit_tool ON audit (project, tool) WHERE tool <> 'redeem_vouchers';

-- The vouchers of each write that touched at most a hundred. Redemptions of this database's own vouchers are
-- found by `line` instead, so that they need no row here.
CREATE TABLE audit_subjects (
    project INTEGER NOT NULL,
    id TEXT NOT NULL,
    line INTEGER NOT NULL,  -- of audit
    PRIMARY KEY (project, id, line)
) STRICT, WITHOUT ROWID;
ALTER TABLE redemptions ADD COLUMN line INTEGER;  -- of audit; NULL: written before there was this column

-- What each step of a job did, for as long as the job is kept: rows of vouchers made, or what they were and are.
CREATE TABLE job_traces (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- the job's cursor before the step
    content TEXT NOT NULL,  -- JSON
    UNIQUE (project, job, number)
) STRICT;
