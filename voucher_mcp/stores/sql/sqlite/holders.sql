-- holder_insert
INSERT INTO holders (project, customer, voucher, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- holder_delete
DELETE FROM holders WHERE voucher = ?1 AND customer = ?2;

-- holder_first
SELECT customer, created_at FROM holders WHERE voucher = ?1 ORDER BY n LIMIT 1;

-- holdings_count
INSERT INTO holdings (project, customer, pool, count)
SELECT ?1, ?2, coalesce(pool, 0), ?4 FROM vouchers WHERE n = ?3
ON CONFLICT DO UPDATE SET count = count + excluded.count;
