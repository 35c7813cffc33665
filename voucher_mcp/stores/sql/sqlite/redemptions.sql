-- redemption_insert
INSERT INTO redemptions
    (project, parent, voucher, pool, customer, amount, made_holder, tracking_id, body, created_at, line)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING n;

-- rollback_insert
INSERT INTO redemptions
    (project, rollback, related, parent, voucher, pool, customer, amount, reason, tracking_id, body, created_at,
    line)
VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING n;

-- redemption_mark_rolled_back
UPDATE redemptions SET rolled_back_by = ?3 WHERE project = ?1 AND n = ?2 AND rolled_back_by IS NULL;

-- redemption_last_live
SELECT created_at FROM redemptions
WHERE project = ?1 AND voucher = ?2 AND rollback = 0 AND rolled_back_by IS NULL ORDER BY created_at DESC LIMIT 1;

-- redemption_holds
SELECT
    EXISTS (
        SELECT 1 FROM redemptions WHERE project = ?1 AND customer = ?2 AND voucher = ?3 AND made_holder = 1
    ),
    EXISTS (
        SELECT 1 FROM redemptions
        WHERE project = ?1 AND customer = ?2 AND voucher = ?3 AND rollback = 0 AND rolled_back_by IS NULL
    );

-- redemption_first
-- The first that counts of those who said who they are.
SELECT customer, created_at FROM redemptions
WHERE project = ?1 AND voucher = ?2 AND rollback = 0 AND rolled_back_by IS NULL AND customer IS NOT NULL
ORDER BY n LIMIT 1;

-- redemption_holds_forget
UPDATE redemptions SET made_holder = 0
WHERE project = ?1 AND customer = ?2 AND voucher = ?3 AND made_holder = 1;

-- redemption_by_n
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions WHERE project = ?1 AND n = ?2;

-- redemption_members
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions WHERE project = ?1 AND parent = ?2 ORDER BY n;

-- redemptions_page
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions
WHERE project = ?1 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
ORDER BY created_at DESC, n DESC LIMIT ?8 OFFSET ?7;

-- redemptions_count
SELECT count(*) FROM (
    SELECT 1 FROM redemptions WHERE project = ?1 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
    LIMIT ?7
);

-- redemptions_of_voucher_page
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions INDEXED BY redemptions_voucher
WHERE project = ?1 AND voucher = ?2 AND created_at >= ?5 AND created_at < ?6
    AND (?3 IS NULL OR customer = ?3) AND (?4 IS NULL OR pool = ?4)
ORDER BY created_at DESC, n DESC LIMIT ?8 OFFSET ?7;

-- redemptions_of_voucher_count
SELECT count(*) FROM (
    SELECT 1 FROM redemptions INDEXED BY redemptions_voucher
    WHERE project = ?1 AND voucher = ?2 AND created_at >= ?5 AND created_at < ?6
        AND (?3 IS NULL OR customer = ?3) AND (?4 IS NULL OR pool = ?4)
    LIMIT ?7
);

-- redemptions_of_customer_page
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions INDEXED BY redemptions_customer
WHERE project = ?1 AND customer = ?3 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
    AND (?4 IS NULL OR +pool = ?4)
ORDER BY created_at DESC, n DESC LIMIT ?8 OFFSET ?7;

-- redemptions_of_customer_count
SELECT count(*) FROM (
    SELECT 1 FROM redemptions INDEXED BY redemptions_customer
    WHERE project = ?1 AND customer = ?3 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
        AND (?4 IS NULL OR +pool = ?4)
    LIMIT ?7
);

-- redemptions_of_pool_page
SELECT n, rollback, related, parent, voucher, pool, customer, amount, rolled_back_by, reason, tracking_id, body, created_at
FROM redemptions INDEXED BY redemptions_pool
WHERE project = ?1 AND pool = ?4 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
ORDER BY created_at DESC, n DESC LIMIT ?8 OFFSET ?7;

-- redemptions_of_pool_count
SELECT count(*) FROM (
    SELECT 1 FROM redemptions INDEXED BY redemptions_pool
    WHERE project = ?1 AND pool = ?4 AND created_at >= ?5 AND created_at < ?6 AND voucher IS NOT NULL
    LIMIT ?7
);
