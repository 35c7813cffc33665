-- codes_add
-- Rows get their numbers in the order in which the codes are given. The last two columns are NULL where every code
-- went in and their numbers follow each other, which needs no list.
WITH added AS (
    INSERT INTO vouchers (
        n, project, pool, status, updated_at, created_at, code, folded, start_date, expiration_date, metadata
    )
    SELECT nextval('vouchers_n'), $1, $2, $3, $4, $4, g.code, g.folded, g.start_date, g.expiration_date, g.metadata
    FROM unnest($5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
        AS g (code, folded, start_date, expiration_date, metadata)
    ON CONFLICT DO NOTHING
    RETURNING n, code
), counted AS (
    INSERT INTO code_moves (project, pool, block, available, assigned, redeemed, day)
    SELECT $1, $2, n >> 13, CASE WHEN $3 = 0 THEN count(*) ELSE 0 END, 0, CASE WHEN $3 = 2 THEN count(*) ELSE 0 END,
        $4 / 86400000
    FROM added GROUP BY n >> 13
)
SELECT min(n), max(n), count(*),
    CASE WHEN count(*) < cardinality($5) OR max(n) - min(n) >= count(*) THEN array_agg(n) END,
    CASE WHEN count(*) < cardinality($5) OR max(n) - min(n) >= count(*) THEN array_agg(code) END
FROM added;

-- vouchers_add
WITH added AS (
    INSERT INTO vouchers (
        n, project, updated_at, created_at, code, folded, terms, active, start_date, expiration_date, metadata,
        redeemed_quantity, status
    )
    SELECT nextval('vouchers_n'), $1, $2, $2, g.code, g.folded, g.terms, g.active, g.start_date, g.expiration_date,
        g.metadata, g.redeemed_quantity, g.status
    FROM unnest($3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[], $8::bigint[], $9::text[],
        $10::bigint[], $11::smallint[])
        AS g (code, folded, terms, active, start_date, expiration_date, metadata, redeemed_quantity, status)
    ON CONFLICT DO NOTHING
    RETURNING n, code
)
SELECT n, code FROM added;

-- code_owners
SELECT v.code, v.n, v.pool, v.status = 3, p.name, p.deleted_at IS NOT NULL
FROM json_array_elements_text($2::json) AS wanted (value)
JOIN vouchers AS v ON v.project = $1 AND v.code = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool;

-- codes_to_take_over
SELECT 1 FROM pools WHERE project = $1 AND freed LIMIT 1;

-- codes_take_over
UPDATE vouchers SET former_code = code, code = NULL, folded = NULL
WHERE project = $1 AND code IN (SELECT value FROM json_array_elements_text($2::json) AS wanted (value))
    AND pool IN (SELECT n FROM pools WHERE project = $1 AND freed);

-- codes_of_any_case
-- How many codes have each of these forms in common. One without small letters is ASCII alone, and found by itself.
SELECT wanted.value, (
    SELECT count(*) FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
    WHERE v.project = $1 AND v.folded = wanted.value AND v.status < 3 AND p.deleted_at IS NULL
        AND ($3::bigint IS NULL OR v.pool = $3)
) + (
    SELECT count(*) FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
    WHERE v.project = $1 AND v.code = upper(wanted.value COLLATE "C") AND v.folded IS NULL AND v.status < 3
        AND p.deleted_at IS NULL AND ($3::bigint IS NULL OR v.pool = $3)
)
FROM json_array_elements_text($2::json) AS wanted (value);

-- code_count
INSERT INTO code_moves (project, pool, block, available, assigned, redeemed, used, day)
VALUES ($1, $2, $3::bigint >> 13, $4, $5, $6, $7, $8);

-- moves_fold
-- The oldest lines of one pool that nobody else is folding, added to its blocks, its days and its row.
WITH lines AS (
    DELETE FROM code_moves WHERE project = $1 AND pool = $2 AND n IN (
        SELECT n FROM code_moves WHERE project = $1 AND pool = $2 ORDER BY n LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    RETURNING block, available, assigned, redeemed, day, used
), days AS (
    INSERT INTO pool_days AS d (project, pool, day, used, change)
    SELECT $1, $2, day, sum(used), sum(available) FROM lines WHERE day > 0 GROUP BY day ORDER BY day
    ON CONFLICT (project, pool, day) DO UPDATE SET used = d.used + excluded.used, change = d.change + excluded.change
), blocks AS (
    INSERT INTO code_blocks AS b (project, pool, block, available, assigned, redeemed)
    SELECT $1, $2, block, sum(available), sum(assigned), sum(redeemed) FROM lines GROUP BY block ORDER BY block
    ON CONFLICT (project, pool, block) DO UPDATE SET available = b.available + excluded.available,
        assigned = b.assigned + excluded.assigned, redeemed = b.redeemed + excluded.redeemed
)
UPDATE pools SET available = pools.available + s.available, assigned = pools.assigned + s.assigned,
    redeemed = pools.redeemed + s.redeemed
FROM (
    SELECT sum(available)::bigint AS available, sum(assigned)::bigint AS assigned, sum(redeemed)::bigint AS redeemed
    FROM lines
) AS s
WHERE project = $1 AND n = $2 AND s.available IS NOT NULL;

-- blocks_of_pool
SELECT block << 13, sum(available)::bigint, sum(assigned)::bigint, sum(redeemed)::bigint
FROM (
    SELECT block, available, assigned, redeemed FROM code_blocks WHERE project = $1 AND pool = $2
    UNION ALL
    SELECT block, available, assigned, redeemed FROM code_moves WHERE project = $1 AND pool = $2
) AS counts
GROUP BY block ORDER BY block;

-- codes_from
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE project = $1 AND pool = $2 AND status < 3 AND n >= $3 ORDER BY n LIMIT $5 OFFSET $4;

-- codes_from_with_status
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE project = $1 AND pool = $2 AND status = $6 AND n >= $3 ORDER BY n LIMIT $5 OFFSET $4;

-- codes_exported
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.active, coalesce(l.expiration_date < $7, FALSE),
    EXISTS (SELECT 1 FROM sessions WHERE project = $1 AND voucher = v.n AND expires_at > $7),
    l.gift_balance, l.loyalty_card_balance
FROM (
    SELECT n FROM vouchers
    WHERE project = $1 AND pool = $2 AND status < 3 AND status BETWEEN $4 AND $5 AND n >= $3 ORDER BY n LIMIT $6
) AS page
JOIN vouchers AS v ON v.project = $1 AND v.n = page.n
JOIN voucher_list AS l ON l.project = v.project AND l.n = v.n
ORDER BY v.n;

-- codes_updated
SELECT n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata
FROM vouchers
WHERE project = $1 AND pool = $2 AND updated_at >= $3 AND updated_at < $4 AND status BETWEEN $5 AND $6
ORDER BY updated_at, n LIMIT $8 OFFSET $7;

-- codes_updated_count
SELECT count(*) FROM (
    SELECT 1 FROM vouchers
    WHERE project = $1 AND pool = $2 AND updated_at >= $3 AND updated_at < $4 AND status BETWEEN $5 AND $6 LIMIT $7
) AS found;

-- codes_in_rows
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.updated_at, v.version
FROM json_array_elements_text($2::json) AS wanted (value)
JOIN vouchers AS v ON v.project = $1 AND v.n = wanted.value::bigint
WHERE v.pool = $3 AND v.status <= $4 AND v.code IS NOT NULL;

-- codes_named
SELECT v.n, v.code, v.status, v.assigned_at, v.redeemed_at, v.holder, v.start_date, v.expiration_date, v.metadata,
    v.updated_at, v.version
FROM json_array_elements_text($2::json) AS wanted (value)
JOIN vouchers AS v ON v.project = $1 AND v.code = wanted.value
WHERE v.pool = $3 AND v.status <= $4;

-- code_next
-- Sorted as the index is, so that the plan never is to walk over all that were given.
-- The next codes that no other call of this process is about to give, and whether the customer holds them.
SELECT c.n, c.code, c.version, EXISTS (
    SELECT 1 FROM holders AS h WHERE h.project = $1 AND h.voucher = c.n AND h.customer = $4
)
FROM (
    SELECT n, code, version, expiration_date FROM vouchers
    WHERE project = $1 AND (pool, status, n) >= ($2, 0, 0) AND (pool, status, n) < ($2, 1, 0) AND active
    ORDER BY pool, status, n LIMIT 512
) AS c
WHERE (c.expiration_date IS NULL OR c.expiration_date >= $3) AND c.n <> ALL ($5::bigint[]) AND NOT EXISTS (
    SELECT 1 FROM sessions AS s
    WHERE s.project = $1 AND s.voucher = c.n AND s.expires_at > $3 AND s.customer IS DISTINCT FROM $4
)
ORDER BY c.n LIMIT $6;

-- code_give
UPDATE vouchers SET status = 1, holder = $3, assigned_at = $4, updated_at = $4, version = version + 1
WHERE project = $1 AND n = $2 AND status = 0 AND version = $5;

-- code_claim
-- The first of the next codes that nobody else is at just now. Whoever reserves one has its row meanwhile; one that
-- was changed since it was looked at is left out by its version, as what is reserved of it may have changed with it.
WITH claimed AS (
    UPDATE vouchers SET status = 1, holder = $4, assigned_at = $3, updated_at = $3, version = version + 1
    WHERE project = $1 AND status = 0 AND n = (
        SELECT v.n
        FROM (
            SELECT c.n, c.version
            FROM (
                SELECT n, version, expiration_date FROM vouchers
                WHERE project = $1 AND (pool, status, n) >= ($2, 0, 0) AND (pool, status, n) < ($2, 1, 0) AND active
                ORDER BY pool, status, n LIMIT 512
            ) AS c
            WHERE (c.expiration_date IS NULL OR c.expiration_date >= $3) AND NOT EXISTS (
                SELECT 1 FROM sessions AS s
                WHERE s.project = $1 AND s.voucher = c.n AND s.expires_at > $3 AND s.customer IS DISTINCT FROM $4
            )
        ) AS next
        JOIN vouchers AS v ON v.project = $1 AND v.n = next.n AND v.version = next.version
        WHERE v.status = 0
        ORDER BY next.n LIMIT 1 FOR UPDATE OF v SKIP LOCKED
    )
    RETURNING n, code
), counted AS (
    INSERT INTO code_moves (project, pool, block, available, assigned, redeemed, used, day)
    SELECT $1, $2, n >> 13, -1, 1, 0, 1, $3 / 86400000 FROM claimed
)
SELECT n, code FROM claimed;

-- code_claim_of_any
-- Of every end to come (the first thousand of them) and of the codes without an end the first, and of these the first.
WITH RECURSIVE ends (at) AS (
    SELECT min(expiration_date) FROM vouchers
    WHERE project = $1 AND pool = $2 AND status = 0 AND active AND expiration_date >= $3
    UNION ALL
    (
        SELECT (
            SELECT min(v.expiration_date) FROM vouchers AS v
            WHERE v.project = $1 AND v.pool = $2 AND v.status = 0 AND v.active AND v.expiration_date > ends.at
        ) FROM ends WHERE at IS NOT NULL
    )
), firsts AS (
    SELECT f.n, f.version FROM (SELECT at FROM ends LIMIT 1000) AS ends CROSS JOIN LATERAL (
        SELECT v.n, v.version FROM vouchers AS v
        WHERE v.project = $1 AND v.pool = $2 AND v.status = 0 AND v.active AND v.expiration_date = ends.at AND NOT EXISTS (
            SELECT 1 FROM sessions AS s
            WHERE s.project = $1 AND s.voucher = v.n AND s.expires_at > $3 AND s.customer IS DISTINCT FROM $4
        )
        ORDER BY v.n LIMIT 1
    ) AS f
    UNION ALL
    (
        SELECT v.n, v.version FROM vouchers AS v
        WHERE v.project = $1 AND v.pool = $2 AND v.status = 0 AND v.active AND v.expiration_date IS NULL AND NOT EXISTS (
            SELECT 1 FROM sessions AS s
            WHERE s.project = $1 AND s.voucher = v.n AND s.expires_at > $3 AND s.customer IS DISTINCT FROM $4
        )
        ORDER BY v.n LIMIT 1
    )
), wanted AS (
    SELECT n, version FROM firsts ORDER BY n LIMIT 1
), claimed AS (
    UPDATE vouchers AS v SET status = 1, holder = $4, assigned_at = $3, updated_at = $3, version = v.version + 1
    FROM wanted
    WHERE v.project = $1 AND v.n = wanted.n AND v.version = wanted.version AND v.status = 0
    RETURNING v.n, v.code
), counted AS (
    INSERT INTO code_moves (project, pool, block, available, assigned, redeemed, used, day)
    SELECT $1, $2, n >> 13, -1, 1, 0, 1, $3 / 86400000 FROM claimed
)
SELECT wanted.n, claimed.code, claimed.n IS NOT NULL FROM wanted LEFT JOIN claimed ON claimed.n = wanted.n;

-- codes_beside
-- Of each text that no code ever was: the code behind it in the order of their bytes, or that code itself in the bin,
-- and the one before it, each with its pool.
SELECT wanted.value, above.code, above.pool, below.code, below.pool
FROM json_array_elements_text($2::json) AS wanted (value)
LEFT JOIN LATERAL (
    SELECT code, pool FROM vouchers
    WHERE project = $1 AND code >= wanted.value COLLATE "C" ORDER BY code LIMIT 1
) AS above ON TRUE
LEFT JOIN LATERAL (
    SELECT code, pool FROM vouchers
    WHERE project = $1 AND code < wanted.value COLLATE "C" ORDER BY code DESC LIMIT 1
) AS below ON TRUE
WHERE NOT EXISTS (
    SELECT 1 FROM vouchers WHERE project = $1 AND former_code = wanted.value COLLATE "C"
);
