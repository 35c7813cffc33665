-- audit_end
SELECT max(n) FROM audit;

-- audit_page
SELECT a.n, a.at, p.id, a.caller, a.tool, a.digest, a.key, a.outcome, a.subject, a.amount, a.points, a.codes,
    a.client, a.approved_by, a.kind, a.ids, a.before, a.after, a.owner
FROM audit AS a JOIN projects AS p ON p.n = a.project
WHERE a.n > $1 AND a.n <= $2
  AND ($3::text IS NULL OR p.id = $3) AND ($4::bigint IS NULL OR a.at >= $4) AND ($5::text IS NULL OR a.tool = $5)
ORDER BY a.n LIMIT $6;
