-- is_in
{column} IN ({values})

-- not_in
({column} IN ({values})) IS NOT TRUE

-- has_value
{column} IS NOT NULL

-- is_unknown
{column} IS NULL

-- starts_with
substr({column}, 1, ?) = ?

-- ends_with
substr({column}, -?) = ?

-- contains
instr({column}, ?) > 0

-- does_not_contain
(instr({column}, ?) > 0) IS NOT TRUE

-- more_than
{column} > ?

-- less_than
{column} < ?

-- at_least
{column} >= ?

-- at_most
{column} <= ?

-- flag
coalesce({column}, FALSE) = ?

-- of_pool
project = ?1 AND pool = ?

-- held_by
n IN (SELECT voucher FROM holders WHERE project = ?1 AND customer = ?)

-- nothing
FALSE

-- voucher_id
printf('v_%s%010x', ?3, n)

-- voucher_metadata
coalesce(
    (SELECT CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END
    FROM json_each(own_metadata) WHERE key = ?),
    (SELECT CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END
    FROM json_each(shared_metadata) WHERE key = ?)
)

-- voucher_is_active
active AND coalesce(start_date <= ?2, TRUE) AND NOT coalesce(expiration_date < ?2, FALSE)

-- voucher_is_disabled
NOT active

-- voucher_is_expired
coalesce(expiration_date < ?2, FALSE)

-- voucher_is_referral
FALSE
