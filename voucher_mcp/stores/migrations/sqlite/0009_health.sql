-- How much of a pool was used on each day, so that its health is known without counting.
CREATE TABLE pool_days (
    project INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    day INTEGER NOT NULL,  -- since 1970, UTC
    used INTEGER NOT NULL,  -- codes that were assigned or redeemed, less those that were given back
    change INTEGER NOT NULL,  -- how many more codes are available after it; unknown (0) before this schema
    PRIMARY KEY (project, pool, day)
) STRICT, WITHOUT ROWID;
-- What was used in the last three months, by the codes that still say so.
INSERT INTO pool_days (project, pool, day, used, change)
SELECT v.project, v.pool, coalesce(v.assigned_at, v.redeemed_at) / 86400000 AS day, count(*), 0
FROM pools AS p CROSS JOIN vouchers AS v INDEXED BY vouchers_updated
    ON v.project = p.project AND v.pool = p.n AND v.updated_at >= (unixepoch() - 92 * 86400) * 1000
    AND v.status IN (1, 2)
WHERE p.deleted_at IS NULL AND coalesce(v.assigned_at, v.redeemed_at) >= (unixepoch() - 92 * 86400) * 1000
GROUP BY v.project, v.pool, day;
-- The customers who hold conspicuously many codes of a pool.
CREATE INDEX holdings_many ON holdings (project, pool, count) WHERE count >= 10;
