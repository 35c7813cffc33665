-- audit_end
SELECT max(n) FROM audit;

-- audit_page
SELECT audit.n, tag, at, id, caller, tool, digest, key, outcome, subject, amount, points, codes, client, approved_by, kind, ids, before,
    after, owner
FROM audit CROSS JOIN projects ON projects.n = audit.project  -- in this order, so that nothing is sorted
WHERE audit.n > ?1 AND audit.n <= ?2
  AND (?3 IS NULL OR id = ?3) AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR tool = ?5)
ORDER BY audit.n LIMIT ?6;

-- changes_page
-- Of the lines before ?2, of which at most ?6 are looked at.
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM (SELECT * FROM audit INDEXED BY audit_project WHERE project = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?6) AS lines
WHERE (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR tool = ?4)
ORDER BY n DESC LIMIT ?5;

-- changes_end
-- The first line that such a page does not look at.
SELECT n, at FROM audit INDEXED BY audit_project WHERE project = ?1 AND n < ?2 ORDER BY n DESC LIMIT 1 OFFSET ?3;

-- changes_of_tool
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit INDEXED BY audit_tool
WHERE project = ?1 AND n < ?2 AND (?3 IS NULL OR at >= ?3) AND tool = ?4 AND tool <> 'redeem_vouchers'
ORDER BY n DESC LIMIT ?5;

-- changes_of_pool
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit INDEXED BY audit_pool
WHERE project = ?1 AND n < ?2 AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR tool = ?4) AND pool = ?6
ORDER BY n DESC LIMIT ?5;

-- changes_of_voucher
-- Of the voucher with the id ?6 and, on this database's own vouchers, in the row ?7: of each of the two at most ?8.
WITH lines AS (
    SELECT line FROM (
        SELECT line FROM audit_subjects WHERE project = ?1 AND id = ?6 AND line < ?2 ORDER BY line DESC LIMIT ?8
    ) AS named
    UNION
    SELECT line FROM (
        SELECT line FROM redemptions
        WHERE project = ?1 AND voucher = ?7 AND voucher IS NOT NULL AND line < ?2
        ORDER BY created_at DESC, n DESC LIMIT ?8
    ) AS redeemed
)
SELECT
    a.n, a.at, a.caller, a.client, a.tool, a.outcome, a.amount, a.points, a.codes, a.kind, a.ids,
    a.before, a.after, a.pool, a.undo, a.undoes, a.owner
FROM lines CROSS JOIN audit AS a ON a.project = ?1 AND a.n = lines.line
WHERE (?3 IS NULL OR a.at >= ?3) AND (?4 IS NULL OR a.tool = ?4)
ORDER BY a.n DESC LIMIT ?5;

-- change_by_n
SELECT
    n, at, caller, client, tool, outcome, amount, points, codes, kind, ids, before, after, pool, undo, undoes, owner
FROM audit WHERE +project = ?1 AND n = ?2;

-- changes_undone
-- The last line that took each of these back.
SELECT undoes, max(n) FROM audit
WHERE project = ?1 AND undoes IS NOT NULL AND outcome = 'success' AND undoes IN (SELECT value FROM json_each(?2))
GROUP BY undoes;
