-- The life of a voucher: its own terms, what was redeemed, what it holds; holders, sessions, jobs.

-- A code of a pool takes from the pool's template what it has not itself; a voucher without a pool has all terms.
ALTER TABLE vouchers ADD COLUMN terms TEXT;  -- JSON: the terms apart from dates, active and metadata; NULL: the pool's
ALTER TABLE vouchers ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
ALTER TABLE vouchers ADD COLUMN redeemed_quantity INTEGER NOT NULL DEFAULT 0;
-- What a gift card or loyalty card holds, in minor units or points: balance = opening + granted - subtracted - spent,
-- where a NULL opening is the terms' own amount. Every change is a line of the ledger.
ALTER TABLE vouchers ADD COLUMN opening INTEGER;
ALTER TABLE vouchers ADD COLUMN granted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vouchers ADD COLUMN subtracted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vouchers ADD COLUMN spent INTEGER NOT NULL DEFAULT 0;

-- The ledger: amounts are signed, and add up to granted - subtracted - spent of the voucher.
CREATE TABLE transactions (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    voucher INTEGER NOT NULL,
    type TEXT NOT NULL,
    amount INTEGER NOT NULL,
    balance INTEGER NOT NULL,  -- after it
    total INTEGER NOT NULL,  -- opening + granted - subtracted, after it
    reason TEXT,
    source_id TEXT,  -- the idempotency key
    redemption INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX transactions_voucher ON transactions (voucher);

-- Redemptions and rollbacks. A stack has a parent row without a voucher, which its members name.
CREATE TABLE redemptions (
    n INTEGER PRIMARY KEY AUTOINCREMENT,  -- rows go with their voucher, and their ids must not come back
    project INTEGER NOT NULL,
    rollback INTEGER NOT NULL DEFAULT 0,  -- 1: a rollback of the redemption in `related`
    related INTEGER,
    parent INTEGER,
    voucher INTEGER,
    pool INTEGER,
    customer TEXT,
    amount INTEGER NOT NULL DEFAULT 0,  -- credits or points spent; negative in a rollback
    made_holder INTEGER NOT NULL DEFAULT 0,  -- 1: the customer became a holder by it
    rolled_back_by INTEGER,
    reason TEXT,
    tracking_id TEXT,  -- the idempotency key
    body TEXT NOT NULL,  -- the object as it is shown, apart from what the columns say, JSON
    created_at INTEGER NOT NULL
) STRICT;
-- Lists and counts; a parent, which has no voucher, shows in none of them.
CREATE INDEX redemptions_created ON redemptions (project, created_at) WHERE voucher IS NOT NULL;
CREATE INDEX redemptions_voucher ON redemptions (voucher, created_at) WHERE voucher IS NOT NULL;
CREATE INDEX redemptions_customer ON redemptions (project, customer, created_at)
WHERE voucher IS NOT NULL AND customer IS NOT NULL;
CREATE INDEX redemptions_pool ON redemptions (project, pool, created_at) WHERE voucher IS NOT NULL AND pool IS NOT NULL;
CREATE INDEX redemptions_parent ON redemptions (parent) WHERE parent IS NOT NULL;

-- Who holds which voucher. AUTOINCREMENT: the id of one that is over never comes back.
CREATE TABLE holders (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    project INTEGER NOT NULL,
    customer TEXT NOT NULL,
    voucher INTEGER NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX holders_voucher ON holders (voucher, customer);
CREATE INDEX holders_customer ON holders (project, customer);
-- How many rows of holders a customer has in each pool (0: without a pool), so that those of a deleted pool,
-- whose rows stay, are known without counting.
CREATE TABLE holdings (
    project INTEGER NOT NULL,
    customer TEXT NOT NULL,
    pool INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (project, customer, pool)
) STRICT, WITHOUT ROWID;
INSERT INTO holders (project, customer, voucher, role, created_at)
SELECT project, holder, n, 'OWNER', coalesce(assigned_at, created_at) FROM vouchers
WHERE holder IS NOT NULL AND status < 3 ORDER BY assigned_at;
INSERT INTO holdings (project, customer, pool, count)
SELECT h.project, h.customer, coalesce(v.pool, 0), count(*)
FROM holders AS h JOIN vouchers AS v ON v.n = h.voucher GROUP BY 1, 2, 3;

-- What customers hold, by the names of the document on customer redeemables: a filter's field is a column here.
CREATE VIEW redeemables AS
SELECT h.n, h.project, h.customer, h.voucher,
    'rh_' || t.tag || printf('%010x', h.n) AS id,
    h.created_at,
    'v_' || t.tag || printf('%010x', h.voucher) AS redeemable_id,
    'voucher' AS redeemable_object,
    h.role AS holder_role,
    p.id AS campaign_id,
    CASE p.template ->> '$.type' WHEN 'GIFT_VOUCHER' THEN 'GIFT_VOUCHERS' WHEN 'LOYALTY_CARD' THEN 'LOYALTY_PROGRAM'
        WHEN 'DISCOUNT_VOUCHER' THEN 'DISCOUNT_COUPONS' END AS campaign_type,
    coalesce(v.terms, p.template) ->> '$.type' AS voucher_type
FROM holders AS h
JOIN projects AS t ON t.n = h.project
JOIN vouchers AS v ON v.n = h.voucher AND v.status < 3
LEFT JOIN pools AS p ON p.n = v.pool
WHERE p.deleted_at IS NULL;

-- Validation sessions: each reserves one redemption, and credits or points, of a voucher until it expires.
CREATE TABLE sessions (
    project INTEGER NOT NULL,
    key TEXT NOT NULL,
    voucher INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project, key, voucher)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_voucher ON sessions (voucher, expires_at);

-- Jobs: async actions and exports. The input lies in chunks, so that a job outlives its process. Each chunk's
-- effects and the job's cursor are committed together.
CREATE TABLE jobs (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,  -- RECEIVING (the input is being copied), ENQUEUED, IN_PROGRESS, DONE, FAILED
    parameters TEXT NOT NULL,  -- JSON
    caller TEXT NOT NULL,
    total INTEGER,  -- rows of input, or lines to export
    cursor INTEGER NOT NULL DEFAULT 0,  -- rows of input that are dealt with; of an export, the ledger's line it is at
    done_count INTEGER NOT NULL DEFAULT 0,
    failed_count INTEGER NOT NULL DEFAULT 0,
    ignored TEXT NOT NULL DEFAULT '[]',  -- JSON: fields of the input that were passed over
    error TEXT,  -- why it FAILED
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (project, id);
CREATE INDEX jobs_unfinished ON jobs (n) WHERE status IN ('RECEIVING', 'ENQUEUED', 'IN_PROGRESS');
CREATE TABLE job_chunks (  -- input of an action, output of an export
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- how many rows come before it
    line INTEGER NOT NULL,  -- where its first row stands in the file or list, from 1
    content BLOB NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE job_failures (
    job INTEGER NOT NULL,
    row INTEGER NOT NULL,
    code TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;

-- Every voucher that there is, with its terms in force, for listing: what it has not itself is its pool's.
CREATE VIEW voucher_list AS
SELECT
    v.n, v.project, v.pool, v.code, v.created_at, v.updated_at, v.holder AS holder_id,
    p.id AS campaign_id, p.name AS campaign,
    json_extract(coalesce(v.terms, p.template), '$.type') AS voucher_type,
    json_extract(coalesce(v.terms, p.template), '$.category') AS category,
    json_extract(coalesce(v.terms, p.template), '$.category_id') AS category_id,
    json_extract(coalesce(v.terms, p.template), '$.additional_info') AS additional_info,
    json_extract(coalesce(v.terms, p.template), '$.discount.type') AS discount_type,
    json_extract(coalesce(v.terms, p.template), '$.redemption.quantity') AS redemption_quantity,
    v.redeemed_quantity AS redemption_redeemed_quantity,
    CASE json_extract(coalesce(v.terms, p.template), '$.type') WHEN 'GIFT_VOUCHER' THEN
        coalesce(v.opening, json_extract(coalesce(v.terms, p.template), '$.gift.amount'))
        + v.granted - v.subtracted - v.spent
    END AS gift_balance,
    CASE json_extract(coalesce(v.terms, p.template), '$.type') WHEN 'LOYALTY_CARD' THEN
        coalesce(v.opening, json_extract(coalesce(v.terms, p.template), '$.loyalty_card.points'))
        + v.granted - v.subtracted - v.spent
    END AS loyalty_card_balance,
    coalesce(v.start_date, p.start_date) AS start_date,
    coalesce(v.expiration_date, p.expiration_date) AS expiration_date,
    v.active AND coalesce(p.active, TRUE) AS active,
    v.metadata AS own_metadata,
    CASE WHEN v.terms IS NULL THEN json_extract(p.template, '$.metadata') END AS shared_metadata
FROM vouchers AS v LEFT JOIN pools AS p ON p.n = v.pool
WHERE v.status < 3 AND p.deleted_at IS NULL;
