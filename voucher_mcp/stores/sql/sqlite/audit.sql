-- audit_end
SELECT max(n) FROM audit;

-- audit_page
-- Of the lines behind ?1 and up to ?2, of which at most ?3 are looked at.
SELECT a.n, a.project, tag, at, projects.id, caller, tool, digest, key, outcome, subject, amount, points, codes, client,
    approved_by, kind, pool, pools.name, ids, before, after, owner
FROM (SELECT * FROM audit WHERE n > ?1 AND n <= ?2 ORDER BY n LIMIT ?3) AS a
CROSS JOIN projects ON projects.n = a.project  -- in this order, so that nothing is sorted
LEFT JOIN pools ON pools.project = a.project AND pools.id = a.pool
WHERE (?4 IS NULL OR projects.id = ?4) AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at <= ?6)
    AND (?7 IS NULL OR tool = ?7) AND (?8 IS NULL OR outcome IN (?8, ?8 || ' (partly)', 'pending'))
    AND (?9 IS NULL OR caller = ?9) AND (?10 IS NULL OR pool IN (SELECT value FROM json_each(?10)))
    AND (?11 IS NULL OR a.n IN (SELECT value FROM json_each(?11)))
ORDER BY a.n;

-- audit_page_end
-- The last line that such a page looks at.
SELECT max(n) FROM (SELECT n FROM audit WHERE n > ?1 AND n <= ?2 ORDER BY n LIMIT ?3) AS lines;

-- audit_of_voucher
-- The lines about the voucher with the id ?2 and, on this database's own vouchers, in the row ?3.
SELECT line FROM audit_subjects WHERE project = ?1 AND id = ?2
UNION
SELECT line FROM redemptions WHERE project = ?1 AND voucher = ?3 AND voucher IS NOT NULL AND line IS NOT NULL
ORDER BY 1;

-- audit_cards
-- Which of these vouchers hold points.
SELECT v.n FROM json_each(?2) AS wanted
CROSS JOIN vouchers AS v ON v.project = ?1 AND v.n = wanted.value
LEFT JOIN pools AS p ON p.project = v.project AND p.n = v.pool
WHERE json_extract(coalesce(v.terms, p.template), '$.type') = 'LOYALTY_CARD';

-- audit_redemptions
-- Whose these redemptions are, what was spent, its pool, and whether that are points.
SELECT r.n, r.customer, r.amount, p.name,
    coalesce(json_extract(coalesce(v.terms, p.template), '$.type') = 'LOYALTY_CARD', FALSE)
FROM json_each(?2) AS wanted
CROSS JOIN redemptions AS r ON r.project = ?1 AND r.n = wanted.value
LEFT JOIN pools AS p ON p.project = r.project AND p.n = r.pool
LEFT JOIN vouchers AS v ON v.project = r.project AND v.n = r.voucher;

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
