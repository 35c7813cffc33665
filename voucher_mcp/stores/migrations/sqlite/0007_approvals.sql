-- Questions to a second person, each with what came of it.
CREATE TABLE approvals (
    project INTEGER NOT NULL,
    id TEXT NOT NULL,
    caller TEXT NOT NULL,
    client TEXT,
    key TEXT NOT NULL,  -- empty: the call had none
    tool TEXT NOT NULL,
    call TEXT NOT NULL,  -- the digest of tool and arguments
    shown TEXT NOT NULL,  -- the digest of all that the person is shown
    question TEXT NOT NULL,
    amount INTEGER,
    points INTEGER,
    codes INTEGER,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL,  -- open, approved, refused, used, or closed: another question took its place
    decided_by TEXT,
    decided_at INTEGER,
    used_at INTEGER,
    PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_call ON approvals (project, caller, call);
CREATE INDEX approvals_expired ON approvals (expires_at);
CREATE UNIQUE INDEX approvals_once ON approvals (project, caller, call, key) WHERE status = 'open';

ALTER TABLE audit ADD COLUMN approved_by TEXT;  -- the second person who let it through
