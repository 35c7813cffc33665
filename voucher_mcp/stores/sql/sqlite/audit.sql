-- audit_end
SELECT max(n) FROM audit;

-- audit_page
SELECT audit.n, at, id, caller, tool, digest, key, outcome, subject, amount, points, codes, client, approved_by, kind, ids, before,
    after, owner
FROM audit CROSS JOIN projects ON projects.n = audit.project  -- in this order, so that nothing is sorted
WHERE audit.n > ?1 AND audit.n <= ?2
  AND (?3 IS NULL OR id = ?3) AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR tool = ?5)
ORDER BY audit.n LIMIT ?6;
