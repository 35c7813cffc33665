-- transaction_insert
INSERT INTO transactions (project, voucher, type, amount, balance, total, reason, source_id, redemption, created_at, n)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- transactions_down
SELECT t.n, t.type, t.amount, t.balance, t.total, t.reason, t.source_id, t.redemption, t.created_at, r.related
FROM transactions AS t
LEFT JOIN redemptions AS r ON r.project = t.project AND r.n = t.redemption AND r.rollback
WHERE t.project = $1 AND t.voucher = $2 AND t.n < $3 ORDER BY t.n DESC LIMIT $4;

-- transactions_up
SELECT t.n, t.type, t.amount, t.balance, t.total, t.reason, t.source_id, t.redemption, t.created_at, r.related
FROM transactions AS t
LEFT JOIN redemptions AS r ON r.project = t.project AND r.n = t.redemption AND r.rollback
WHERE t.project = $1 AND t.voucher = $2 AND t.n > $3 ORDER BY t.n LIMIT $4;

-- transaction_of_voucher
SELECT 1 FROM transactions WHERE project = $1 AND voucher = $2 AND n = $3;
