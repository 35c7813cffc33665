-- project_by_id
SELECT n, tag FROM projects WHERE id = ?1;

-- project_by_n
SELECT n, tag FROM projects WHERE n = ?1;

-- project_insert
INSERT INTO projects (id, tag, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- pools_page
SELECT n, id, name, template, active, start_date, expiration_date, available, assigned, redeemed, created_at, project
FROM pools WHERE project = ?1 AND deleted_at IS NULL ORDER BY n LIMIT ?3 OFFSET ?2;

-- pool_names
SELECT name FROM pools WHERE project = ?1 AND deleted_at IS NULL ORDER BY n DESC LIMIT ?2;

-- pool_by_id_or_name
SELECT n, id, name, template, active, start_date, expiration_date, available, assigned, redeemed, created_at, project
FROM pools
WHERE project = ?1 AND n = coalesce(
    (SELECT n FROM pools WHERE project = ?1 AND id = ?2 AND deleted_at IS NULL),
    (SELECT n FROM pools WHERE project = ?1 AND name = ?2 AND deleted_at IS NULL)
);

-- pools_deleted
SELECT n, id, name, template, active, start_date, expiration_date, available, assigned, redeemed, created_at, project
FROM pools WHERE project = ?1 AND (id = ?2 OR name = ?2) AND deleted_at IS NOT NULL AND freed <= ?3
ORDER BY deleted_at DESC, n DESC;

-- pool_holds
-- The cards that are not as the pool's template makes them, which holds ?3; no JSON is read for those without own terms.
SELECT count(*), coalesce(sum(balance / 1000000), 0), coalesce(sum(balance % 1000000), 0)
FROM (
    SELECT coalesce(opening, CASE WHEN terms IS NULL THEN ?3
        ELSE coalesce(terms ->> '$.gift.amount', terms ->> '$.loyalty_card.points', 0) END)
        + granted - subtracted - spent AS balance
    FROM vouchers
    WHERE project = ?1 AND pool = ?2 AND +status < 3 AND (
        terms IS NOT NULL OR opening IS NOT NULL OR granted <> 0 OR subtracted <> 0 OR spent <> 0
    )
);

-- pool_own_dates
-- How many codes have a date of their own in place of the pool's start (?3) or end (?4).
SELECT count(*) FROM vouchers INDEXED BY vouchers_dated
WHERE project = ?1 AND pool = ?2 AND status < 3 AND (start_date IS NOT NULL OR expiration_date IS NOT NULL)
    AND (?3 AND start_date IS NOT NULL OR ?4 AND expiration_date IS NOT NULL);

-- pool_insert
INSERT INTO pools (project, id, name, template, active, start_date, expiration_date, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8);

-- pool_name_taken
SELECT 1 FROM pools WHERE project = ?1 AND name = ?2 AND deleted_at IS NULL AND id <> ?3;

-- pool_update
-- Only where the pool is what the rules decided by (from ?8 on).
UPDATE pools SET name = ?3, active = ?4, start_date = ?5, expiration_date = ?6, updated_at = ?7
WHERE project = ?1 AND n = ?2 AND deleted_at IS NULL AND name = ?8 AND active = ?9 AND start_date IS ?10
    AND expiration_date IS ?11;

-- pool_delete
UPDATE pools SET deleted_at = coalesce(deleted_at, ?3), freed = max(freed, ?4), updated_at = ?3
WHERE project = ?1 AND n = ?2 AND (deleted_at IS NULL OR ?4 AND NOT freed);

-- pool_day_count
INSERT INTO pool_days (project, pool, day, used, change) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (project, pool, day) DO UPDATE SET used = used + excluded.used, change = change + excluded.change;

-- pools_heaviest
-- Of the pools from row ?2 to ?3, the customer with the most codes, where those are many.
SELECT pool, customer, max(count) FROM holdings INDEXED BY holdings_many
WHERE project = ?1 AND pool BETWEEN ?2 AND ?3 AND count >= 10 GROUP BY pool;

-- pools_dated
-- How many available codes have an end of their own in place of the pool's.
SELECT count(*) FROM vouchers INDEXED BY vouchers_next
WHERE project = ?1 AND pool = ?2 AND status = 0 AND active = 1 AND expiration_date IS NOT NULL;

-- pools_days
SELECT pool, day, used, change FROM pool_days
WHERE project = ?1 AND pool BETWEEN ?2 AND ?3 AND day BETWEEN ?4 AND ?5;

-- pools_ends
-- When available codes end by dates of their own.
SELECT pool, expiration_date, count(*) FROM vouchers INDEXED BY vouchers_next
WHERE project = ?1 AND pool = ?2 AND status = 0 AND active = 1 AND expiration_date < ?3 GROUP BY expiration_date;

-- pool_count
UPDATE pools SET available = available + ?3, assigned = assigned + ?4, redeemed = redeemed + ?5
WHERE project = ?1 AND n = ?2;

-- pool_ever
-- Whether it is deleted, since when it is as it is, and whether one of its codes was taken over.
SELECT n, id, name, deleted_at IS NOT NULL, EXISTS (
    SELECT 1 FROM vouchers WHERE project = ?1 AND pool = p.n AND status < 3 AND code IS NULL
) FROM pools AS p WHERE project = ?1 AND id = ?2;

-- pool_restore
UPDATE pools SET deleted_at = NULL, freed = 0, updated_at = ?3
WHERE project = ?1 AND n = ?2 AND deleted_at IS NOT NULL;

-- pools_guesses
SELECT pool, day, guesses FROM pool_guesses
WHERE project = ?1 AND day BETWEEN ?4 AND ?5 AND pool BETWEEN ?2 AND ?3 AND guesses >= ?6;

-- pool_guesses_count
INSERT INTO pool_guesses (project, day, pool, guesses) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (project, day, pool) DO UPDATE SET guesses = guesses + excluded.guesses;

-- pool_redemptions
-- How often its codes were redeemed within that time, counted up to ?5.
SELECT count(*) FROM (
    SELECT 1 FROM redemptions
    WHERE project = ?1 AND pool = ?2 AND created_at >= ?3 AND created_at < ?4 AND voucher IS NOT NULL LIMIT ?5
);
