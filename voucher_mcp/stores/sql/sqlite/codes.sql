-- voucher_last
SELECT coalesce(max(n), 0) FROM vouchers;

-- codes_insert_whole
-- Each is its code, the same without case, both dates and metadata. In a statement for each of them SQLite would open nine indexes each time.
INSERT OR IGNORE INTO vouchers (
    project, pool, code, folded, status, updated_at, created_at, start_date, expiration_date, metadata
)
SELECT ?1, ?2, value ->> 0, value ->> 1, ?3, ?4, ?4, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?5);

-- codes_insert
-- For ASCII alone, and nothing but their texts. OR IGNORE says the same as ON CONFLICT DO NOTHING, but SQLite then keeps no copies of the pages it changes.
INSERT OR IGNORE INTO vouchers (project, pool, code, folded, status, updated_at, created_at)
SELECT ?1, ?2, value, CASE WHEN value <> upper(value) THEN lower(value) END, ?3, ?4, ?4 FROM json_each(?5);

-- codes_after
SELECT n, code FROM vouchers WHERE +project = ?1 AND n > ?2;

-- code_owners
SELECT v.code, v.n, v.pool, v.status = 3, p.name, p.deleted_at IS NOT NULL
FROM json_each(?2) AS wanted CROSS JOIN vouchers AS v ON v.project = ?1 AND v.code = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool;

-- codes_to_take_over
SELECT 1 FROM pools WHERE project = ?1 AND freed = 1 LIMIT 1;

-- codes_take_over
UPDATE vouchers SET former_code = code, code = NULL, folded = NULL
WHERE project = ?1 AND code IN (SELECT value FROM json_each(?2))
    AND +pool IN (SELECT n FROM pools WHERE project = ?1 AND freed = 1);

-- codes_of_any_case
-- How many codes have each of these forms in common. One without small letters is ASCII alone, and found by itself.
SELECT wanted.value, (
    SELECT count(*) FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
    WHERE v.project = ?1 AND v.folded = wanted.value AND v.status < 3 AND p.deleted_at IS NULL
        AND (?3 IS NULL OR v.pool = ?3)
) + (
    SELECT count(*) FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
    WHERE v.project = ?1 AND v.code = upper(wanted.value) AND v.folded IS NULL AND v.status < 3
        AND p.deleted_at IS NULL AND (?3 IS NULL OR v.pool = ?3)
)
FROM json_each(?2) AS wanted;

-- block_last
SELECT first_n, size FROM code_blocks WHERE project = ?1 AND pool = ?2 ORDER BY first_n DESC LIMIT 1;

-- block_extend
UPDATE code_blocks SET size = size + ?4, available = available + ?5, assigned = assigned + ?6, redeemed = redeemed + ?7
WHERE project = ?1 AND pool = ?2 AND first_n = ?3;

-- block_insert
INSERT INTO code_blocks (project, pool, first_n, size, available, assigned, redeemed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- block_count
UPDATE code_blocks SET available = available + ?4, assigned = assigned + ?5, redeemed = redeemed + ?6
WHERE project = ?1 AND pool = ?2
    AND first_n = (SELECT max(first_n) FROM code_blocks WHERE project = ?1 AND pool = ?2 AND first_n <= ?3);

-- block_behind
-- Where the block behind that of a row begins.
SELECT min(first_n) FROM code_blocks WHERE project = ?1 AND pool = ?2 AND first_n > ?3;

-- blocks_of_pool
SELECT first_n, available, assigned, redeemed FROM code_blocks
WHERE project = ?1 AND pool = ?2 ORDER BY first_n;

-- codes_from
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata
FROM (
    SELECT n FROM vouchers WHERE project = ?1 AND pool = ?2 AND status < 3 AND n >= ?3 ORDER BY n LIMIT ?5 OFFSET ?4
) AS page
CROSS JOIN vouchers AS v ON v.n = page.n
WHERE +v.project = ?1
ORDER BY page.n;

-- codes_from_with_status
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE project = ?1 AND pool = ?2 AND status = ?6 AND n >= ?3 ORDER BY n LIMIT ?5 OFFSET ?4;

-- codes_exported
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.active, coalesce(l.expiration_date < ?7, FALSE),
    EXISTS (SELECT 1 FROM sessions WHERE project = ?1 AND voucher = v.n AND expires_at > ?7),
    l.gift_balance, l.loyalty_card_balance
FROM (
    SELECT n FROM vouchers
    WHERE project = ?1 AND pool = ?2 AND status < 3 AND +status BETWEEN ?4 AND ?5 AND n >= ?3 ORDER BY n LIMIT ?6
) AS page
CROSS JOIN vouchers AS v ON v.project = ?1 AND v.n = page.n
CROSS JOIN voucher_list AS l ON l.project = v.project AND l.n = v.n
ORDER BY v.n;

-- codes_updated
SELECT v.n, code, v.status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM (
    SELECT n, status, updated_at AS at FROM vouchers
    WHERE project = ?1 AND pool = ?2 AND updated_at >= ?3 AND updated_at < ?4 AND status BETWEEN ?5 AND ?6
    ORDER BY updated_at, n LIMIT ?8 OFFSET ?7
) AS page JOIN vouchers AS v ON v.project = ?1 AND v.n = page.n
ORDER BY page.at, v.n;

-- codes_updated_count
SELECT count(*) FROM (
    SELECT 1 FROM vouchers
    WHERE project = ?1 AND pool = ?2 AND updated_at >= ?3 AND updated_at < ?4 AND status BETWEEN ?5 AND ?6 LIMIT ?7
);

-- codes_in_rows
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.updated_at, 0
FROM json_each(?2) AS wanted CROSS JOIN vouchers AS v ON v.project = ?1 AND v.n = wanted.value
WHERE v.pool = ?3 AND v.status <= ?4 AND v.code IS NOT NULL;

-- codes_named
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.updated_at, 0
FROM json_each(?2) AS wanted CROSS JOIN vouchers AS v ON v.project = ?1 AND v.code = wanted.value
WHERE v.pool = ?3 AND v.status <= ?4;

-- code_next_available
-- Of every end to come (the first thousand of them) and of the codes without an end the first, and of these the first.
WITH RECURSIVE ends (at) AS (
    SELECT min(expiration_date) FROM vouchers
    WHERE project = ?1 AND pool = ?2 AND status = 0 AND active = 1 AND expiration_date >= ?3
    UNION ALL
    SELECT (
        SELECT min(v.expiration_date) FROM vouchers AS v
        WHERE v.project = ?1 AND v.pool = ?2 AND v.status = 0 AND v.active = 1 AND v.expiration_date > ends.at
    ) FROM ends WHERE at IS NOT NULL LIMIT 1000
)
SELECT n, code FROM vouchers WHERE project = ?1 AND n = (
    SELECT min(n) FROM (
        SELECT (
            SELECT v.n FROM vouchers AS v
            WHERE v.project = ?1 AND v.pool = ?2 AND v.status = 0 AND v.active = 1 AND v.expiration_date = ends.at AND NOT EXISTS (
                SELECT 1 FROM sessions AS s
                WHERE s.project = ?1 AND s.voucher = v.n AND s.expires_at > ?3 AND s.customer IS NOT ?4
            )
            ORDER BY v.n LIMIT 1
        ) AS n FROM ends WHERE at IS NOT NULL
        UNION ALL
        SELECT (
            SELECT v.n FROM vouchers AS v
            WHERE v.project = ?1 AND v.pool = ?2 AND v.status = 0 AND v.active = 1 AND v.expiration_date IS NULL AND NOT EXISTS (
                SELECT 1 FROM sessions AS s
                WHERE s.project = ?1 AND s.voucher = v.n AND s.expires_at > ?3 AND s.customer IS NOT ?4
            )
            ORDER BY v.n LIMIT 1
        )
    )
);

-- code_assign
UPDATE vouchers SET status = 1, holder = ?3, assigned_at = ?4, updated_at = ?4
WHERE project = ?1 AND n = ?2 AND status = 0;

-- customer_insert
INSERT INTO customers (project, id, created_at, folded) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;

-- codes_beside
-- Of each text that no code ever was: the code behind it in the order of their bytes, or that code itself in the bin,
-- and the one before it, each with its pool.
SELECT wanted.value, above.code, above.pool, below.code, below.pool
FROM json_each(?2) AS wanted
LEFT JOIN vouchers AS above ON above.project = ?1 AND above.n = (
    SELECT n FROM vouchers WHERE project = ?1 AND code >= wanted.value ORDER BY code LIMIT 1
)
LEFT JOIN vouchers AS below ON below.project = ?1 AND below.n = (
    SELECT n FROM vouchers WHERE project = ?1 AND code < wanted.value ORDER BY code DESC LIMIT 1
)
WHERE NOT EXISTS (SELECT 1 FROM vouchers WHERE project = ?1 AND former_code = wanted.value);
