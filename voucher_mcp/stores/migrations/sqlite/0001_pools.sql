-- Projects, pools, vouchers, customers, and the journal of writes.
-- Times are integer milliseconds UTC, statuses 0 available, 1 assigned, 2 redeemed, 3 deleted.

CREATE TABLE projects (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tag TEXT NOT NULL,  -- begins every voucher id, so that one project's ids mean nothing in another
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pools (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES projects,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    template TEXT NOT NULL,  -- the voucher that its codes share, JSON
    active INTEGER NOT NULL,
    start_date INTEGER,
    expiration_date INTEGER,
    available INTEGER NOT NULL DEFAULT 0,  -- these three always equal the rows
    assigned INTEGER NOT NULL DEFAULT 0,
    redeemed INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX pools_id ON pools (project, id);
CREATE UNIQUE INDEX pools_name ON pools (project, name) WHERE deleted_at IS NULL;

-- Rows are never removed: a code deleted for good loses its text, so that no id comes back.
CREATE TABLE vouchers (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    pool INTEGER,
    code TEXT,
    status INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    start_date INTEGER,
    expiration_date INTEGER,
    holder TEXT,
    assigned_at INTEGER,
    redeemed_at INTEGER,
    metadata TEXT
) STRICT;
CREATE UNIQUE INDEX vouchers_code ON vouchers (project, code);
CREATE INDEX vouchers_status ON vouchers (pool, status);
CREATE INDEX vouchers_pool ON vouchers (pool) WHERE status < 3;
CREATE INDEX vouchers_updated ON vouchers (pool, updated_at, status);

-- A block counts a run of codes of one pool, from first_n to the next block's: a page is found by adding up
-- blocks, whatever was deleted before it.
CREATE TABLE code_blocks (
    pool INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    size INTEGER NOT NULL,  -- codes ever put in it
    available INTEGER NOT NULL,
    assigned INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    PRIMARY KEY (pool, first_n)
) STRICT, WITHOUT ROWID;

CREATE TABLE customers (
    project INTEGER NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;

-- Spent idempotency keys with the first result.
CREATE TABLE writes (
    project INTEGER NOT NULL,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project, caller, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    project INTEGER NOT NULL,
    caller TEXT NOT NULL,
    tool TEXT NOT NULL,
    digest TEXT NOT NULL,
    key TEXT,
    outcome TEXT NOT NULL
) STRICT;
