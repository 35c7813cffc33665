-- A rollback asks what else a customer did with a voucher, however many redemptions both have.
CREATE INDEX redemptions_live ON redemptions (customer, voucher)
WHERE rollback = 0 AND rolled_back_by IS NULL AND customer IS NOT NULL AND voucher IS NOT NULL;
CREATE INDEX redemptions_made_holder ON redemptions (customer, voucher) WHERE made_holder = 1;

-- A code in the one spelling that all its cases share; NULL where the code is ASCII without small letters, which
-- most are: then its capitals are found by the code itself.
ALTER TABLE vouchers ADD COLUMN folded TEXT;
-- Composed and decomposed letters name one code. Where both were stored each stays as it is.
UPDATE OR IGNORE vouchers SET code = composed(code) WHERE code GLOB '*[^ -~]*' AND code <> composed(code);
UPDATE vouchers SET folded = caseless(code) WHERE code <> upper(code) OR code GLOB '*[^ -~]*';
CREATE INDEX vouchers_folded ON vouchers (project, folded) WHERE folded IS NOT NULL;

-- How much time has passed, told at some lines of the audit trail: the sum of what the clock went forward, so that
-- one that jumps a month ahead and back has not aged anything by a month.
CREATE TABLE clock (
    line INTEGER PRIMARY KEY,  -- of audit
    at INTEGER NOT NULL,  -- what the machine's clock said then
    elapsed INTEGER NOT NULL
) STRICT;
ALTER TABLE writes ADD COLUMN line INTEGER NOT NULL DEFAULT 0;  -- of audit, when the key was first sent
DROP INDEX writes_created;
CREATE INDEX writes_line ON writes (line);
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE INDEX jobs_over ON jobs (updated_at) WHERE status IN ('DONE', 'FAILED');

-- What was deleted stays readable, statuses say what is left of a code, and money and codes at their edges.

-- A code that a deletion by force freed, so that its history still says what it was.
ALTER TABLE vouchers ADD COLUMN former_code TEXT;
CREATE INDEX vouchers_former ON vouchers (project, former_code) WHERE former_code IS NOT NULL;
ALTER TABLE pools ADD COLUMN freed INTEGER NOT NULL DEFAULT 0;  -- 1: its codes may be taken over
CREATE INDEX pools_freed ON pools (project) WHERE freed = 1;

-- The next code to assign, by its end: assigning walks over none that is disabled or past its end.
CREATE INDEX vouchers_next ON vouchers (pool, expiration_date) WHERE status = 0 AND active = 1;
-- The cards that are not as they were made, so that what a pool holds is known without adding up all of them.
CREATE INDEX vouchers_touched ON vouchers (pool)
WHERE terms IS NOT NULL OR opening IS NOT NULL OR granted <> 0 OR subtracted <> 0 OR spent <> 0;

ALTER TABLE sessions ADD COLUMN customer TEXT;  -- for whom it was reserved

-- Statuses: redeemed where nothing is left, available where nobody holds it and nothing is used or taken off.
UPDATE vouchers SET status = CASE
    WHEN coalesce(terms, (SELECT template FROM pools AS p WHERE p.n = pool)) ->> '$.type' = 'GIFT_VOUCHER'
        AND coalesce(opening, coalesce(terms, (SELECT template FROM pools AS p WHERE p.n = pool)) ->> '$.gift.amount')
        + granted - subtracted - spent <= 0 THEN 2
    ELSE max(status, 1)
END
WHERE status < 3 AND (redeemed_quantity > 0 OR subtracted > 0 OR spent > 0 OR opening = 0);
UPDATE pools SET
    available = (SELECT count(*) FROM vouchers AS v WHERE v.pool = pools.n AND v.status = 0),
    assigned = (SELECT count(*) FROM vouchers AS v WHERE v.pool = pools.n AND v.status = 1),
    redeemed = (SELECT count(*) FROM vouchers AS v WHERE v.pool = pools.n AND v.status = 2);
WITH counted AS (
    SELECT b.pool, b.first_n,
        sum(v.status = 0) AS available, sum(v.status = 1) AS assigned, sum(v.status = 2) AS redeemed
    FROM (
        SELECT pool, first_n, lead(first_n, 1, 9223372036854775807) OVER (PARTITION BY pool ORDER BY first_n) AS next_n
        FROM code_blocks
    ) AS b
    JOIN vouchers AS v ON v.pool = b.pool AND v.status < 3 AND v.n >= b.first_n AND v.n < b.next_n
    GROUP BY b.pool, b.first_n
)
UPDATE code_blocks SET available = c.available, assigned = c.assigned, redeemed = c.redeemed
FROM counted AS c WHERE c.pool = code_blocks.pool AND c.first_n = code_blocks.first_n;

-- An id in the spelling that all its cases share, for finding customers by a part of it.
ALTER TABLE customers ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE customers SET folded = caseless(id);

-- The codes with dates of their own, which those of their pool do not reach: counted whenever those change.
CREATE INDEX vouchers_dated ON vouchers (pool, start_date, expiration_date)
WHERE status < 3 AND (start_date IS NOT NULL OR expiration_date IS NOT NULL);
