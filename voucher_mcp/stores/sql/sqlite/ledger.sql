-- voucher_amounts_set
UPDATE vouchers SET granted = ?2, subtracted = ?3, spent = ?4, updated_at = ?5 WHERE n = ?1;

-- transaction_insert
INSERT INTO transactions (project, voucher, type, amount, balance, total, reason, source_id, redemption, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- transaction_latest
SELECT max(n) FROM transactions WHERE voucher = ?1;

-- transactions_down
SELECT t.n, t.type, t.amount, t.balance, t.total, t.reason, t.source_id, t.redemption, t.created_at, r.related
FROM transactions AS t LEFT JOIN redemptions AS r ON r.n = t.redemption AND r.rollback = 1
WHERE t.voucher = ?1 AND t.n < ?2 ORDER BY t.n DESC LIMIT ?3;

-- transactions_up
SELECT t.n, t.type, t.amount, t.balance, t.total, t.reason, t.source_id, t.redemption, t.created_at, r.related
FROM transactions AS t LEFT JOIN redemptions AS r ON r.n = t.redemption AND r.rollback = 1
WHERE t.voucher = ?1 AND t.n > ?2 ORDER BY t.n LIMIT ?3;

-- transaction_of_voucher
SELECT 1 FROM transactions WHERE voucher = ?1 AND n = ?2;
