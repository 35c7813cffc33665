-- row_numbers
-- For rows that a work is about to write: one that looked at what another wrote has higher ones.
SELECT nextval('row_numbers') FROM generate_series(1, $1);

-- project_by_id
SELECT n, tag FROM projects WHERE id = $1;

-- project_by_n
SELECT n, tag FROM projects WHERE n = $1;

-- project_insert
INSERT INTO projects (id, tag, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- pools_page
SELECT p.n, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date, p.available + m.available,
    p.assigned + m.assigned, p.redeemed + m.redeemed, p.created_at, p.project
FROM (SELECT * FROM pools WHERE project = $1 AND deleted_at IS NULL ORDER BY n LIMIT $3 OFFSET $2) AS p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(available), 0) AS available, coalesce(sum(assigned), 0) AS assigned,
        coalesce(sum(redeemed), 0) AS redeemed
    FROM code_moves WHERE project = $1 AND pool = p.n
) AS m
ORDER BY p.n;

-- pool_names
SELECT name FROM pools WHERE project = $1 AND deleted_at IS NULL ORDER BY n DESC LIMIT $2;

-- pool_by_id_or_name
SELECT p.n, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date, p.available + m.available,
    p.assigned + m.assigned, p.redeemed + m.redeemed, p.created_at, p.project
FROM pools AS p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(available), 0) AS available, coalesce(sum(assigned), 0) AS assigned,
        coalesce(sum(redeemed), 0) AS redeemed
    FROM code_moves WHERE project = $1 AND pool = p.n
) AS m
WHERE p.project = $1 AND p.n = coalesce(
    (SELECT n FROM pools WHERE project = $1 AND id = $2 AND deleted_at IS NULL),
    (SELECT n FROM pools WHERE project = $1 AND name = $2 AND deleted_at IS NULL)
);

-- pools_deleted
SELECT p.n, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date, p.available + m.available,
    p.assigned + m.assigned, p.redeemed + m.redeemed, p.created_at, p.project
FROM pools AS p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(available), 0) AS available, coalesce(sum(assigned), 0) AS assigned,
        coalesce(sum(redeemed), 0) AS redeemed
    FROM code_moves WHERE project = $1 AND pool = p.n
) AS m
WHERE p.project = $1 AND (p.id = $2 OR p.name = $2) AND p.deleted_at IS NOT NULL AND p.freed::int <= $3::int
ORDER BY p.deleted_at DESC, p.n DESC;

-- pool_holds
-- The cards that are not as the pool's template makes them, which holds $3; no JSON is read for those without own terms.
SELECT count(*), coalesce(sum(balance / 1000000), 0)::bigint, coalesce(sum(balance % 1000000), 0)::bigint
FROM (
    SELECT coalesce(opening, CASE WHEN terms IS NULL THEN $3::bigint ELSE coalesce(
        (terms::json #>> '{gift,amount}')::bigint, (terms::json #>> '{loyalty_card,points}')::bigint, 0) END)
        + granted - subtracted - spent AS balance
    FROM vouchers
    WHERE project = $1 AND pool = $2 AND status < 3 AND (
        terms IS NOT NULL OR opening IS NOT NULL OR granted <> 0 OR subtracted <> 0 OR spent <> 0
    )
) AS touched;

-- pool_own_dates
-- How many codes have a date of their own in place of the pool's start ($3) or end ($4).
SELECT count(*) FROM vouchers
WHERE project = $1 AND pool = $2 AND status < 3 AND (start_date IS NOT NULL OR expiration_date IS NOT NULL)
    AND ($3::boolean AND start_date IS NOT NULL OR $4::boolean AND expiration_date IS NOT NULL);

-- pool_insert
INSERT INTO pools (project, id, name, template, active, start_date, expiration_date, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- pool_name_taken
SELECT 1 FROM pools WHERE project = $1 AND name = $2 AND deleted_at IS NULL AND id <> $3;

-- pool_update
-- Only where the pool is what the rules decided by (from $8 on).
UPDATE pools SET name = $3, active = $4, start_date = $5, expiration_date = $6, updated_at = $7
WHERE project = $1 AND n = $2 AND deleted_at IS NULL AND name = $8 AND active = $9
    AND start_date IS NOT DISTINCT FROM $10 AND expiration_date IS NOT DISTINCT FROM $11;

-- pool_delete
UPDATE pools SET deleted_at = coalesce(deleted_at, $3), freed = freed OR $4::boolean, updated_at = $3
WHERE project = $1 AND n = $2 AND (deleted_at IS NULL OR $4::boolean AND NOT freed);

-- pool_ever
-- Whether it is deleted, since when it is as it is, and whether one of its codes was taken over.
SELECT n, id, name, deleted_at IS NOT NULL, EXISTS (
    SELECT 1 FROM vouchers WHERE project = $1 AND pool = p.n AND status < 3 AND code IS NULL
) FROM pools AS p WHERE project = $1 AND id = $2;

-- pool_restore
UPDATE pools SET deleted_at = NULL, freed = FALSE, updated_at = $3
WHERE project = $1 AND n = $2 AND deleted_at IS NOT NULL;

-- pools_heaviest
-- Of the pools from row $2 to $3, the customer with the most codes, where those are many.
SELECT DISTINCT ON (pool) pool, customer, count FROM holdings
WHERE project = $1 AND pool BETWEEN $2 AND $3 AND count >= 10 ORDER BY pool, count DESC;

-- pools_dated
-- How many available codes have an end of their own in place of the pool's.
SELECT count(*) FROM vouchers
WHERE project = $1 AND pool = $2 AND status = 0 AND active AND expiration_date IS NOT NULL;

-- pools_days
SELECT pool, day, sum(used)::bigint, sum(change)::bigint
FROM (
    SELECT pool, day, used, change FROM pool_days
    WHERE project = $1 AND pool BETWEEN $2 AND $3 AND day BETWEEN $4 AND $5
    UNION ALL
    SELECT pool, day, used, available FROM code_moves
    WHERE project = $1 AND pool BETWEEN $2 AND $3 AND day BETWEEN $4 AND $5
) AS days
GROUP BY pool, day;

-- pools_ends
-- When available codes end by dates of their own.
SELECT pool, expiration_date, count(*) FROM vouchers
WHERE project = $1 AND pool = $2 AND status = 0 AND active AND expiration_date < $3 GROUP BY pool, expiration_date
ORDER BY expiration_date;

-- pools_guesses
SELECT pool, day, guesses FROM pool_guesses
WHERE project = $1 AND day BETWEEN $4 AND $5 AND pool BETWEEN $2 AND $3 AND guesses >= $6;

-- pool_guesses_count
INSERT INTO pool_guesses AS g (project, day, pool, guesses) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, day, pool) DO UPDATE SET guesses = g.guesses + excluded.guesses;

-- pool_redemptions
-- How often its codes were redeemed within that time, counted up to $5.
SELECT count(*) FROM (
    SELECT 1 FROM redemptions
    WHERE project = $1 AND pool = $2 AND created_at >= $3 AND created_at < $4 AND voucher IS NOT NULL LIMIT $5
) AS redeemed;
