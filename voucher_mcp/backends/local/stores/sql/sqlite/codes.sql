-- voucher_last
SELECT coalesce(max(n), 0) FROM vouchers;

-- code_insert
INSERT INTO vouchers (
    project, pool, code, folded, status, updated_at, created_at, start_date, expiration_date, metadata
)
VALUES (?1, ?2, ?3, ?8, 0, ?4, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING;

-- codes_insert
-- For ASCII alone. OR IGNORE says the same as ON CONFLICT DO NOTHING, but SQLite then keeps no copies of the pages it changes.
INSERT OR IGNORE INTO vouchers (project, pool, code, folded, status, updated_at, created_at)
SELECT ?1, ?2, value, CASE WHEN value <> upper(value) THEN lower(value) END, 0, ?3, ?3 FROM json_each(?4);

-- codes_after
SELECT n, code FROM vouchers WHERE n > ?1;

-- code_owner
SELECT n, pool, status FROM vouchers WHERE project = ?1 AND code = ?2;

-- codes_of_any_case
SELECT count(*) FROM (
    SELECT v.n FROM vouchers AS v LEFT JOIN pools AS p ON p.n = v.pool
    WHERE v.project = ?1 AND v.folded = ?2 AND v.status < 3 AND p.deleted_at IS NULL AND (?4 IS NULL OR v.pool = ?4)
    UNION
    SELECT v.n FROM vouchers AS v LEFT JOIN pools AS p ON p.n = v.pool
    WHERE v.project = ?1 AND v.code = ?3 AND v.status < 3 AND p.deleted_at IS NULL AND (?4 IS NULL OR v.pool = ?4)
    LIMIT 2
);

-- block_last
SELECT first_n, size FROM code_blocks WHERE pool = ?1 ORDER BY first_n DESC LIMIT 1;

-- block_extend
UPDATE code_blocks SET size = size + ?3, available = available + ?3 WHERE pool = ?1 AND first_n = ?2;

-- block_insert
INSERT INTO code_blocks (pool, first_n, size, available, assigned, redeemed) VALUES (?1, ?2, ?3, ?3, 0, 0);

-- block_count
UPDATE code_blocks SET available = available + ?3, assigned = assigned + ?4, redeemed = redeemed + ?5
WHERE pool = ?1 AND first_n = (SELECT max(first_n) FROM code_blocks WHERE pool = ?1 AND first_n <= ?2);

-- blocks_of_pool
SELECT first_n, available, assigned, redeemed FROM code_blocks WHERE pool = ?1 ORDER BY first_n;

-- codes_from
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE n IN (SELECT n FROM vouchers WHERE pool = ?1 AND status < 3 AND n >= ?2 ORDER BY n LIMIT ?4 OFFSET ?3)
ORDER BY n;

-- codes_from_with_status
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE pool = ?1 AND status = ?5 AND n >= ?2 ORDER BY n LIMIT ?4 OFFSET ?3;

-- codes_exported
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.active, coalesce(l.expiration_date < ?6, FALSE),
    EXISTS (SELECT 1 FROM sessions WHERE voucher = v.n AND expires_at > ?6),
    l.gift_balance, l.loyalty_card_balance
FROM (
    SELECT n FROM vouchers
    WHERE pool = ?1 AND status < 3 AND +status BETWEEN ?3 AND ?4 AND n >= ?2 ORDER BY n LIMIT ?5
) AS page
CROSS JOIN vouchers AS v ON v.n = page.n
CROSS JOIN voucher_list AS l ON l.n = v.n
ORDER BY v.n;

-- codes_updated
SELECT v.n, code, v.status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM (
    SELECT n, status, updated_at AS at FROM vouchers
    WHERE pool = ?1 AND updated_at >= ?2 AND updated_at < ?3 AND status BETWEEN ?4 AND ?5
    ORDER BY updated_at, n LIMIT ?7 OFFSET ?6
) AS page JOIN vouchers AS v ON v.n = page.n
ORDER BY page.at, v.n;

-- codes_updated_count
SELECT count(*) FROM (
    SELECT 1 FROM vouchers
    WHERE pool = ?1 AND updated_at >= ?2 AND updated_at < ?3 AND status BETWEEN ?4 AND ?5 LIMIT ?6
);

-- code_by_n
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata, updated_at
FROM vouchers WHERE n = ?2 AND pool = ?1 AND status < 3;

-- code_by_code
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata, updated_at
FROM vouchers WHERE project = ?2 AND code = ?3 AND pool = ?1 AND status < 3;

-- code_next_available
SELECT n, code FROM vouchers
WHERE pool = ?1 AND status = 0 AND active AND (expiration_date IS NULL OR expiration_date >= ?2)
ORDER BY n LIMIT 1;

-- code_assign
UPDATE vouchers SET status = 1, holder = ?2, assigned_at = ?3, updated_at = ?3 WHERE n = ?1 AND status = 0;

-- codes_free
UPDATE vouchers SET code = NULL, folded = NULL WHERE pool = ?1;

-- customer_insert
INSERT INTO customers (project, id, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;
