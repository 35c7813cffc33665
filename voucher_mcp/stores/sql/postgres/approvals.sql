-- approvals_of_call
-- What was asked about a call and may still count, or stands in the way of another question; the newest first.
SELECT id, caller, client, key, tool, shown, question, amount, points, codes, asked_at, expires_at, status, decided_by,
    decided_at FROM approvals
WHERE project = $1 AND caller = $2 AND call = $3 AND key = $4
  AND (expires_at > $5 AND status <> 'closed' OR status = 'open')
ORDER BY asked_at DESC, id;

-- approvals_waiting
SELECT count(*) FROM approvals
WHERE project = $1 AND caller = $2 AND expires_at > $3 AND status IN ('open', 'closed');

-- approval_close
UPDATE approvals SET status = 'closed' WHERE project = $1 AND id = $2 AND status IN ('open', 'approved');

-- approval_insert
INSERT INTO approvals (
    project, id, caller, client, key, tool, call, shown, question, amount, points, codes, asked_at, expires_at, status
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open')
ON CONFLICT (project, caller, call, key) WHERE status = 'open' DO NOTHING;

-- approval_by_id
SELECT id, caller, client, key, tool, shown, question, amount, points, codes, asked_at, expires_at, status, decided_by,
    decided_at FROM approvals WHERE project = $1 AND id = $2;

-- approvals_open
SELECT id, caller, client, key, tool, shown, question, amount, points, codes, asked_at, expires_at, status, decided_by,
    decided_at FROM approvals
WHERE project = $1 AND status = 'open' AND expires_at > $2
ORDER BY asked_at, id LIMIT $3;

-- approval_decide
UPDATE approvals SET status = $4, decided_by = $5, decided_at = $3
WHERE project = $1 AND id = $2 AND status = 'open' AND expires_at > $3;

-- approval_use
UPDATE approvals SET status = 'used', used_at = $4
WHERE project = $1 AND id = $2 AND shown = $3 AND status = 'approved' AND expires_at > $4;

-- approval_give_back
UPDATE approvals SET status = 'approved', used_at = NULL WHERE project = $1 AND id = $2 AND status = 'used';
