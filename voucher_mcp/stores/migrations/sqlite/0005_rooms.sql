-- Each project is a room of its own: every unique key begins with it, and so does every index that a statement of
-- one project uses. A bare `n INTEGER PRIMARY KEY` is a row's address in the file.

DROP VIEW redeemables;
DROP VIEW voucher_list;

DROP INDEX vouchers_status;
CREATE INDEX vouchers_status ON vouchers (project, pool, status);
DROP INDEX vouchers_pool;
CREATE INDEX vouchers_pool ON vouchers (project, pool) WHERE status < 3;
DROP INDEX vouchers_updated;
CREATE INDEX vouchers_updated ON vouchers (project, pool, updated_at, status);
DROP INDEX vouchers_next;
CREATE INDEX vouchers_next ON vouchers (project, pool, expiration_date) WHERE status = 0 AND active = 1;
DROP INDEX vouchers_touched;
CREATE INDEX vouchers_touched ON vouchers (project, pool)
WHERE terms IS NOT NULL OR opening IS NOT NULL OR granted <> 0 OR subtracted <> 0 OR spent <> 0;
DROP INDEX vouchers_dated;
CREATE INDEX vouchers_dated ON vouchers (project, pool, start_date, expiration_date)
WHERE status < 3 AND (start_date IS NOT NULL OR expiration_date IS NOT NULL);

DROP INDEX transactions_voucher;
CREATE INDEX transactions_voucher ON transactions (project, voucher);

DROP INDEX redemptions_voucher;
CREATE INDEX redemptions_voucher ON redemptions (project, voucher, created_at) WHERE voucher IS NOT NULL;
DROP INDEX redemptions_parent;
CREATE INDEX redemptions_parent ON redemptions (project, parent) WHERE parent IS NOT NULL;
DROP INDEX redemptions_live;
CREATE INDEX redemptions_live ON redemptions (project, customer, voucher)
WHERE rollback = 0 AND rolled_back_by IS NULL AND customer IS NOT NULL AND voucher IS NOT NULL;
DROP INDEX redemptions_made_holder;
CREATE INDEX redemptions_made_holder ON redemptions (project, customer, voucher) WHERE made_holder = 1;

DROP INDEX holders_voucher;
CREATE UNIQUE INDEX holders_voucher ON holders (project, voucher, customer);
DROP INDEX sessions_voucher;
CREATE INDEX sessions_voucher ON sessions (project, voucher, expires_at);

ALTER TABLE code_blocks RENAME TO code_blocks_4;
CREATE TABLE code_blocks (
    project INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    size INTEGER NOT NULL,  -- codes ever put in it
    available INTEGER NOT NULL,
    assigned INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    PRIMARY KEY (project, pool, first_n)
) STRICT, WITHOUT ROWID;
INSERT INTO code_blocks (project, pool, first_n, size, available, assigned, redeemed)
SELECT p.project, b.pool, b.first_n, b.size, b.available, b.assigned, b.redeemed
FROM code_blocks_4 AS b JOIN pools AS p ON p.n = b.pool;
DROP TABLE code_blocks_4;

-- Tables with rows of a kilobyte and more have a rowid: in an index each such row takes a page of its own.
ALTER TABLE job_chunks RENAME TO job_chunks_4;
CREATE TABLE job_chunks (  -- input of an action, output of an export
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- how many rows come before it
    line INTEGER NOT NULL,  -- where its first row stands in the file or list, from 1
    content BLOB NOT NULL,
    UNIQUE (project, job, number)
) STRICT;
INSERT INTO job_chunks (project, job, number, line, content)
SELECT j.project, c.job, c.number, c.line, c.content FROM job_chunks_4 AS c JOIN jobs AS j ON j.n = c.job;
DROP TABLE job_chunks_4;

ALTER TABLE job_failures RENAME TO job_failures_4;
CREATE TABLE job_failures (
    project INTEGER NOT NULL,
    job INTEGER NOT NULL,
    row INTEGER NOT NULL,
    code TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (project, job, row)
) STRICT, WITHOUT ROWID;
INSERT INTO job_failures (project, job, row, code, reason)
SELECT j.project, f.job, f.row, f.code, f.reason FROM job_failures_4 AS f JOIN jobs AS j ON j.n = f.job;
DROP TABLE job_failures_4;

-- Spent idempotency keys with the first result.
ALTER TABLE writes RENAME TO writes_4;
CREATE TABLE writes (
    n INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'done',  -- pending, done, partly, unknown
    owner TEXT,  -- the server that is, or was, at it: it holds the lock of this name
    line INTEGER NOT NULL,  -- of audit, when the key was first sent
    UNIQUE (project, caller, key)
) STRICT;
INSERT INTO writes (project, caller, key, digest, result, created_at, state, owner, line)
SELECT project, caller, key, digest, result, created_at, state, owner, line FROM writes_4 ORDER BY line;
DROP TABLE writes_4;
CREATE INDEX writes_line ON writes (line);

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
JOIN vouchers AS v ON v.project = h.project AND v.n = h.voucher AND v.status < 3
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE p.deleted_at IS NULL;

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
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.status < 3 AND p.deleted_at IS NULL;
