-- customer_holdings
SELECT coalesce(sum(h.count), 0)::bigint, coalesce(sum(h.count) FILTER (WHERE p.deleted_at IS NULL), 0)::bigint
FROM customers AS c
LEFT JOIN holdings AS h ON h.project = c.project AND h.customer = c.id
LEFT JOIN pools AS p ON p.project = h.project AND p.n = h.pool
WHERE c.project = $1 AND c.id = $2 GROUP BY c.id;

-- holder_was_given
SELECT coalesce(
    (SELECT customer = $2 FROM holders WHERE project = $1 AND n = $3),
    $3 BETWEEN 1 AND (SELECT last_value FROM holders_n)
);

-- holders_ahead
SELECT n FROM holders WHERE project = $1 AND customer = $2 AND n > $3 ORDER BY n LIMIT 2 OFFSET $4;

-- holders_behind
SELECT n FROM holders WHERE project = $1 AND customer = $2 AND n < $3 ORDER BY n DESC LIMIT 2 OFFSET $4;

-- redeemables_oldest_first
SELECT n, voucher, id, created_at, redeemable_id, redeemable_object, holder_role, campaign_id, campaign_type, voucher_type
FROM redeemables
WHERE project = $1 AND customer = $2 AND n > $3 AND n < $4 AND ({where}) ORDER BY n LIMIT $5;

-- redeemables_newest_first
SELECT n, voucher, id, created_at, redeemable_id, redeemable_object, holder_role, campaign_id, campaign_type, voucher_type
FROM redeemables
WHERE project = $1 AND customer = $2 AND n > $3 AND n < $4 AND ({where}) ORDER BY n DESC LIMIT $5;

-- redeemables_count
SELECT count(*) FROM redeemables WHERE project = $1 AND customer = $2 AND n > $3 AND n < $4 AND ({where});
