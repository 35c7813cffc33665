-- holder_known
SELECT 1 FROM holders WHERE project = ?1 AND customer = ?2 AND voucher = ?3;

-- holder_insert
INSERT INTO holders (project, customer, voucher, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- holder_delete
DELETE FROM holders WHERE project = ?1 AND voucher = ?2 AND customer = ?3;

-- holder_since
UPDATE holders SET created_at = (
    SELECT created_at FROM redemptions
    WHERE project = ?1 AND customer = ?2 AND voucher = ?3 AND rollback = 0 AND rolled_back_by IS NULL ORDER BY n LIMIT 1
)
WHERE project = ?1 AND voucher = ?3 AND customer = ?2;

-- holdings_count
INSERT INTO holdings (project, customer, pool, count) VALUES (?1, ?2, coalesce(?3, 0), ?4)
ON CONFLICT (project, customer, pool) DO UPDATE SET count = count + excluded.count;

-- holders_of
SELECT n, customer, voucher, role, created_at FROM holders WHERE project = ?1 AND voucher IN (SELECT value FROM json_each(?2)) ORDER BY n;

-- holder_restore
INSERT INTO holders (project, n, customer, voucher, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- customer_forget
-- One who came into being at that moment, and holds and did nothing else.
DELETE FROM customers
WHERE project = ?1 AND id = ?2 AND created_at = ?3
    AND NOT EXISTS (SELECT 1 FROM holders WHERE project = ?1 AND customer = ?2)
    AND NOT EXISTS (SELECT 1 FROM redemptions WHERE project = ?1 AND customer = ?2 AND voucher IS NOT NULL);
