-- How much of a pool was used on each day, so that its health is known without counting.
CREATE TABLE pool_days (
    project bigint NOT NULL,
    pool bigint NOT NULL,
    day bigint NOT NULL,  -- since 1970, UTC
    used bigint NOT NULL,  -- codes that were assigned or redeemed, less those that were given back
    change bigint NOT NULL,  -- how many more codes are available after it; unknown (0) before this schema
    PRIMARY KEY (project, pool, day)
);
-- A write's line says on which day it was, and how many codes it used; of older lines that is not known.
ALTER TABLE code_moves ADD COLUMN day bigint NOT NULL DEFAULT 0, ADD COLUMN used integer NOT NULL DEFAULT 0;
-- What was used in the last three months, by the codes that still say so.
INSERT INTO pool_days (project, pool, day, used, change)
SELECT v.project, v.pool, coalesce(v.assigned_at, v.redeemed_at) / 86400000, count(*), 0
FROM pools AS p JOIN vouchers AS v ON v.project = p.project AND v.pool = p.n
WHERE p.deleted_at IS NULL AND v.status IN (1, 2)
    AND v.updated_at >= (extract(epoch FROM now())::bigint - 92 * 86400) * 1000
    AND coalesce(v.assigned_at, v.redeemed_at) >= (extract(epoch FROM now())::bigint - 92 * 86400) * 1000
GROUP BY 1, 2, 3;
-- The customers who hold conspicuously many codes of a pool.
CREATE INDEX holdings_many ON holdings (project, pool, count) WHERE count >= 10;
