-- audit_end
SELECT max(n) FROM audit;

-- audit_page
SELECT a.n, p.tag, a.at, p.id, a.caller, a.tool, a.digest, a.key, a.outcome, a.subject, a.amount, a.points, a.codes,
    a.client, a.approved_by, a.kind, a.ids, a.before, a.after, a.owner
FROM audit AS a JOIN projects AS p ON p.n = a.project
WHERE a.n > $1 AND a.n <= $2
  AND ($3::text IS NULL OR p.id = $3) AND ($4::bigint IS NULL OR a.at >= $4) AND ($5::text IS NULL OR a.tool = $5)
ORDER BY a.n LIMIT $6;

-- changes_page
-- Of the lines before $2, of which at most $6 are looked at.
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM (SELECT * FROM audit WHERE project = $1 AND n < $2 ORDER BY n DESC LIMIT $6) AS lines
WHERE ($3::bigint IS NULL OR at >= $3) AND ($4::text IS NULL OR tool = $4)
ORDER BY n DESC LIMIT $5;

-- changes_end
-- The first line that such a page does not look at.
SELECT n, at FROM audit WHERE project = $1 AND n < $2 ORDER BY n DESC LIMIT 1 OFFSET $3;

-- changes_of_tool
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit
WHERE project = $1 AND n < $2 AND ($3::bigint IS NULL OR at >= $3) AND tool = $4 AND tool <> 'redeem_vouchers'
ORDER BY n DESC LIMIT $5;

-- changes_of_pool
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit
WHERE project = $1 AND n < $2 AND ($3::bigint IS NULL OR at >= $3) AND ($4::text IS NULL OR tool = $4) AND pool = $6
ORDER BY n DESC LIMIT $5;

-- changes_of_voucher
-- Of the voucher with the id $6 and, on this database's own vouchers, in the row $7: of each of the two at most $8.
WITH lines AS (
    SELECT line FROM (
        SELECT line FROM audit_subjects WHERE project = $1 AND id = $6 AND line < $2 ORDER BY line DESC LIMIT $8
    ) AS named
    UNION
    SELECT line FROM (
        SELECT line FROM redemptions
        WHERE project = $1 AND voucher = $7 AND voucher IS NOT NULL AND line < $2
        ORDER BY created_at DESC, n DESC LIMIT $8
    ) AS redeemed
)
SELECT
    a.n, a.at, a.caller, a.client, a.tool, a.outcome, a.amount, a.points, a.codes, a.kind, a.ids,
    a.before, a.after, a.pool, a.undo, a.undoes, a.owner
FROM lines JOIN audit AS a ON a.project = $1 AND a.n = lines.line
WHERE ($3::bigint IS NULL OR a.at >= $3) AND ($4::text IS NULL OR a.tool = $4)
ORDER BY a.n DESC LIMIT $5;

-- change_by_n
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit WHERE project = $1 AND n = $2;

-- changes_undone
-- The last line that took each of these back.
SELECT undoes, max(n) FROM audit
WHERE project = $1 AND undoes IS NOT NULL AND outcome = 'success' AND undoes = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($2::json)))
GROUP BY undoes;
