-- holder_insert
INSERT INTO holders (project, customer, voucher, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- holder_delete
DELETE FROM holders WHERE project = ?1 AND voucher = ?2 AND customer = ?3;

-- holder_first
SELECT customer, created_at FROM holders WHERE project = ?1 AND voucher = ?2 ORDER BY n LIMIT 1;

-- holdings_count
INSERT INTO holdings (project, customer, pool, count)
SELECT ?1, ?2, coalesce(pool, 0), ?4 FROM vouchers WHERE project = ?1 AND n = ?3
ON CONFLICT DO UPDATE SET count = count + excluded.count;
