-- session_holds
SELECT s.voucher, count(*), sum(s.amount)
FROM json_each(?2) AS wanted CROSS JOIN vouchers AS v ON v.project = ?1 AND v.code = wanted.value
CROSS JOIN sessions AS s ON s.project = ?1 AND s.voucher = v.n
WHERE s.expires_at > ?3 AND s.key <> ?4 GROUP BY s.voucher;

-- session_rows
-- What is reserved of a deleted voucher is gone with it; that of a deleted pool's codes too, whose rows stay as they are.
SELECT s.voucher, s.amount
FROM sessions AS s JOIN vouchers AS v ON v.project = s.project AND v.n = s.voucher
LEFT JOIN pools AS p ON p.project = s.project AND p.n = v.pool
WHERE s.project = ?1 AND s.key = ?2 AND s.expires_at > ?3 AND p.deleted_at IS NULL;

-- session_insert
INSERT INTO sessions (project, key, voucher, amount, expires_at, created_at, customer)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- session_of_voucher
SELECT amount, expires_at FROM sessions
WHERE project = ?1 AND voucher = ?2 AND expires_at > ?3 ORDER BY expires_at, key;

-- session_release
DELETE FROM sessions WHERE project = ?1 AND key = ?2 AND voucher = ?3;

-- session_sweep
DELETE FROM sessions WHERE project = ?1 AND voucher = ?2 AND expires_at <= ?3;

-- sessions_of
SELECT key, voucher, amount, expires_at, created_at, customer FROM sessions
WHERE project = ?1 AND voucher IN (SELECT value FROM json_each(?2)) AND expires_at > ?3 ORDER BY key, voucher;
