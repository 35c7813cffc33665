-- voucher_by_n
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, v.version
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.n = $2 AND v.status < 3 AND p.deleted_at IS NULL;

-- voucher_by_code
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, v.version
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.code = $2 AND v.status < 3 AND p.deleted_at IS NULL;

-- vouchers_named
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, v.version
FROM json_array_elements_text($2::json) AS wanted (value)
JOIN vouchers AS v ON v.project = $1 AND v.code = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.status < 3 AND p.deleted_at IS NULL;

-- vouchers_in_rows
-- Deleted ones too.
SELECT v.n, coalesce(v.code, v.former_code), v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, v.version
FROM json_array_elements_text($2::json) AS wanted (value)
JOIN vouchers AS v ON v.project = $1 AND v.n = wanted.value::bigint
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool;

-- voucher_ever_by_n
SELECT v.n, coalesce(v.code, v.former_code), v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date,
    p.expiration_date, v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening,
    v.granted, v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, v.version
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.n = $2;

-- voucher_ever_by_code
SELECT n FROM vouchers WHERE project = $1 AND code = $2
UNION ALL
(SELECT n FROM vouchers WHERE project = $1 AND former_code = $2 ORDER BY n DESC LIMIT 1)
LIMIT 1;

-- voucher_holds_code
SELECT 1 FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.n = $2 AND v.code IS NOT NULL AND p.freed IS NOT TRUE;

-- voucher_insert
INSERT INTO vouchers (project, code, folded, status, updated_at, created_at) VALUES ($1, $2, $4, 0, $3, $3)
ON CONFLICT DO NOTHING RETURNING n;

-- voucher_set
UPDATE vouchers SET terms = $3, active = $4::int::boolean, start_date = $5, expiration_date = $6, metadata = $7,
    updated_at = $8, version = version + 1
WHERE project = $1 AND n = $2 AND version = $9;

-- voucher_change
-- Counts are added to.
UPDATE vouchers SET redeemed_quantity = redeemed_quantity + $3, granted = granted + $4, subtracted = subtracted + $5,
    spent = spent + $6, status = $7, holder = $8, assigned_at = $9, redeemed_at = $10, updated_at = $11,
    version = version + 1
WHERE project = $1 AND n = $2 AND version = $12;

-- voucher_reserve
-- Something is reserved of it, which nobody may have decided without.
UPDATE vouchers SET version = version + 1 WHERE project = $1 AND n = $2 AND version = $3;

-- voucher_delete
UPDATE vouchers SET status = 3, updated_at = $4, version = version + 1,
    code = CASE WHEN $3::boolean THEN NULL ELSE code END,
    folded = CASE WHEN $3::boolean THEN NULL ELSE folded END,
    former_code = CASE WHEN $3::boolean THEN coalesce(code, former_code) ELSE former_code END
WHERE project = $1 AND n = $2 AND version = $5;

-- vouchers_delete
-- Their rows, and their versions in the same order.
UPDATE vouchers AS v SET status = 3, updated_at = $5, version = v.version + 1,
    code = CASE WHEN $4::boolean THEN NULL ELSE v.code END,
    folded = CASE WHEN $4::boolean THEN NULL ELSE v.folded END,
    former_code = CASE WHEN $4::boolean THEN coalesce(v.code, v.former_code) ELSE v.former_code END
FROM ROWS FROM (json_array_elements_text($2::json), json_array_elements_text($3::json)) AS seen (n, version)
WHERE v.project = $1 AND v.n = seen.n::bigint AND v.version = seen.version::integer;

-- vouchers_holdings_uncount
UPDATE holdings AS kept SET count = kept.count - gone.count
FROM (
    SELECT h.customer, coalesce(v.pool, 0) AS pool, count(*) AS count
    FROM holders AS h JOIN vouchers AS v ON v.project = h.project AND v.n = h.voucher
    WHERE h.project = $1
        AND h.voucher = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($2::json)))
    GROUP BY 1, 2
) AS gone
WHERE kept.project = $1 AND kept.customer = gone.customer AND kept.pool = gone.pool;

-- vouchers_holders_delete
DELETE FROM holders
WHERE project = $1 AND voucher = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($2::json)));

-- vouchers_sessions_delete
DELETE FROM sessions
WHERE project = $1 AND voucher = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($2::json)));

-- vouchers_between
-- Those in these rows that are there, of that pool or of none, and whether something was done with them since.
SELECT v.n, v.code, v.status, v.holder IS NOT NULL OR v.granted <> 0 OR v.subtracted <> 0 OR v.spent <> 0 OR EXISTS (
        SELECT 1 FROM redemptions AS r WHERE r.project = $1 AND r.voucher = v.n
    ) OR EXISTS (SELECT 1 FROM sessions AS s WHERE s.project = $1 AND s.voucher = v.n AND s.expires_at > $4),
    v.version, v.pool
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.n BETWEEN $2 AND $3 AND v.status < 3 AND p.deleted_at IS NULL
ORDER BY v.n;

-- vouchers_deleted_between
SELECT v.n, coalesce(v.code, v.former_code), v.code IS NULL, v.pool, p.deleted_at IS NOT NULL
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = $1 AND v.n BETWEEN $2 AND $3 AND v.status = 3 ORDER BY v.n;

-- voucher_restore
UPDATE vouchers SET status = $3, code = coalesce(code, $4), folded = $5,
    former_code = CASE WHEN code IS NULL THEN NULL ELSE former_code END, updated_at = $6, version = version + 1
WHERE project = $1 AND n = $2 AND status = 3;
