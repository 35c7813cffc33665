-- Questions to a second person, each with what came of it.
CREATE TABLE approvals (
    project bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    caller text COLLATE "C" NOT NULL,
    client text,
    key text COLLATE "C" NOT NULL,  -- empty: the call had none
    tool text NOT NULL,
    call text COLLATE "C" NOT NULL,  -- the digest of tool and arguments
    shown text NOT NULL,  -- the digest of all that the person is shown
    question text NOT NULL,
    amount bigint,
    points bigint,
    codes bigint,
    asked_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    status text NOT NULL,  -- open, approved, refused, used, or closed: another question took its place
    decided_by text,
    decided_at bigint,
    used_at bigint,
    PRIMARY KEY (project, id)
);
CREATE INDEX approvals_call ON approvals (project, caller, call);
CREATE INDEX approvals_expired ON approvals (expires_at);
CREATE UNIQUE INDEX approvals_once ON approvals (project, caller, call, key) WHERE status = 'open';

ALTER TABLE audit ADD COLUMN approved_by text;  -- the second person who let it through
