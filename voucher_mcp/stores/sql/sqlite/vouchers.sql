-- voucher_by_n
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, 0
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = ?1 AND v.n = ?2 AND v.status < 3 AND p.deleted_at IS NULL;

-- voucher_by_code
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, 0
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = ?1 AND v.code = ?2 AND v.status < 3 AND p.deleted_at IS NULL;

-- vouchers_named
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, 0
FROM json_each(?2) AS wanted
CROSS JOIN vouchers AS v ON v.project = ?1 AND v.code = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.status < 3 AND p.deleted_at IS NULL;

-- vouchers_in_rows
-- Deleted ones too.
SELECT v.n, coalesce(v.code, v.former_code), v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, 0
FROM json_each(?2) AS wanted
CROSS JOIN vouchers AS v ON v.project = ?1 AND v.n = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool;

-- voucher_ever_by_n
SELECT v.n, coalesce(v.code, v.former_code), v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date,
    p.expiration_date, v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening,
    v.granted, v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at,
    v.project, v.assigned_at, v.redeemed_at, 0
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = ?1 AND v.n = ?2;

-- voucher_ever_by_code
SELECT n FROM vouchers WHERE project = ?1 AND code = ?2
UNION ALL
SELECT n FROM (SELECT n FROM vouchers WHERE project = ?1 AND former_code = ?2 ORDER BY n DESC LIMIT 1)
LIMIT 1;

-- voucher_holds_code
SELECT 1 FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE v.project = ?1 AND v.n = ?2 AND v.code IS NOT NULL AND coalesce(p.freed, 0) = 0;

-- voucher_insert
INSERT INTO vouchers (project, code, folded, status, updated_at, created_at) VALUES (?1, ?2, ?4, 0, ?3, ?3)
ON CONFLICT DO NOTHING RETURNING n;

-- voucher_set
-- Nobody else writes in a transaction of SQLite, so that a voucher has no version here (?9).
UPDATE vouchers SET terms = ?3, active = ?4, start_date = ?5, expiration_date = ?6, metadata = ?7, updated_at = ?8
WHERE project = ?1 AND n = ?2 AND ?9 IS NOT NULL;

-- voucher_change
-- Counts are added to.
UPDATE vouchers SET redeemed_quantity = redeemed_quantity + ?3, granted = granted + ?4, subtracted = subtracted + ?5,
    spent = spent + ?6, status = ?7, holder = ?8, assigned_at = ?9, redeemed_at = ?10, updated_at = ?11
WHERE project = ?1 AND n = ?2 AND ?12 IS NOT NULL;

-- voucher_reserve
UPDATE vouchers SET status = status WHERE project = ?1 AND n = ?2 AND ?3 IS NOT NULL;

-- voucher_delete
UPDATE vouchers SET status = 3, updated_at = ?4, code = CASE WHEN ?3 THEN NULL ELSE code END,
    folded = CASE WHEN ?3 THEN NULL ELSE folded END,
    former_code = CASE WHEN ?3 THEN coalesce(code, former_code) ELSE former_code END
WHERE project = ?1 AND n = ?2 AND ?5 IS NOT NULL;

-- vouchers_delete
-- In a statement for each of them SQLite would open all indexes each time.
UPDATE vouchers SET status = 3, updated_at = ?5, code = CASE WHEN ?4 THEN NULL ELSE code END,
    folded = CASE WHEN ?4 THEN NULL ELSE folded END,
    former_code = CASE WHEN ?4 THEN coalesce(code, former_code) ELSE former_code END
WHERE +project = ?1 AND n IN (SELECT value FROM json_each(?2)) AND ?3 IS NOT NULL;

-- vouchers_holdings_uncount
UPDATE holdings AS kept SET count = kept.count - gone.count
FROM (
    SELECT h.project, h.customer, coalesce(v.pool, 0) AS pool, count(*) AS count
    FROM json_each(?2) AS wanted
    CROSS JOIN holders AS h ON h.project = ?1 AND h.voucher = wanted.value
    CROSS JOIN vouchers AS v ON v.project = ?1 AND v.n = h.voucher
    GROUP BY 1, 2, 3
) AS gone
WHERE kept.project = gone.project AND kept.customer = gone.customer AND kept.pool = gone.pool;

-- vouchers_holders_delete
DELETE FROM holders WHERE project = ?1 AND voucher IN (SELECT value FROM json_each(?2));

-- vouchers_sessions_delete
DELETE FROM sessions INDEXED BY sessions_voucher
WHERE project = ?1 AND voucher IN (SELECT value FROM json_each(?2));

-- vouchers_between
-- Those in these rows that are there, of that pool or of none, and whether something was done with them since.
SELECT v.n, v.code, v.status, v.holder IS NOT NULL OR v.granted <> 0 OR v.subtracted <> 0 OR v.spent <> 0 OR EXISTS (
        SELECT 1 FROM redemptions AS r WHERE r.project = ?1 AND r.voucher = v.n
    ) OR EXISTS (SELECT 1 FROM sessions AS s WHERE s.project = ?1 AND s.voucher = v.n AND s.expires_at > ?4), 0, v.pool
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE +v.project = ?1 AND v.n BETWEEN ?2 AND ?3 AND v.status < 3 AND p.deleted_at IS NULL
ORDER BY v.n;

-- vouchers_deleted_between
SELECT v.n, coalesce(v.code, v.former_code), v.code IS NULL, v.pool, p.deleted_at IS NOT NULL
FROM vouchers AS v LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE +v.project = ?1 AND v.n BETWEEN ?2 AND ?3 AND v.status = 3 ORDER BY v.n;

-- voucher_restore
UPDATE vouchers SET status = ?3, code = coalesce(code, ?4), folded = ?5,
    former_code = CASE WHEN code IS NULL THEN NULL ELSE former_code END, updated_at = ?6
WHERE project = ?1 AND n = ?2 AND status = 3;
