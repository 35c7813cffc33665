-- customer_insert
INSERT INTO customers (project, id, created_at, folded) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- customers_with
SELECT c.id, (
    SELECT coalesce(sum(h.count), 0)::bigint
    FROM holdings AS h LEFT JOIN pools AS p ON p.project = h.project AND p.n = h.pool
    WHERE h.project = $1 AND h.customer = c.id AND p.deleted_at IS NULL
)
FROM customers AS c
WHERE c.project = $1 AND NOT EXISTS (
    SELECT 1 FROM json_array_elements_text($2::json) AS word (value) WHERE strpos(c.folded, word.value) = 0
)
ORDER BY c.id LIMIT $3;

-- customer_known
SELECT 1 FROM customers WHERE project = $1 AND id = $2;
