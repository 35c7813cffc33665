-- is_in
{column} IN ({values})

-- not_in
({column} IN ({values})) IS NOT TRUE

-- has_value
{column} IS NOT NULL

-- is_unknown
{column} IS NULL

-- starts_with
left({column}, ?::int) = ?

-- ends_with
right({column}, ?::int) = ?

-- contains
strpos({column}, ?) > 0

-- does_not_contain
(strpos({column}, ?) > 0) IS NOT TRUE

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
project = $1 AND pool = ?

-- held_by
n IN (SELECT voucher FROM holders WHERE project = $1 AND customer = ?)

-- nothing
FALSE

-- voucher_id
'v_' || $3::text || lpad(to_hex(n), 10, '0')

-- voucher_metadata
coalesce(own_metadata::json ->> ?::text, shared_metadata::json ->> ?::text)

-- voucher_is_active
active AND coalesce(start_date <= $2, TRUE) AND NOT coalesce(expiration_date < $2, FALSE)

-- voucher_is_disabled
NOT active

-- voucher_is_expired
coalesce(expiration_date < $2, FALSE)

-- voucher_is_referral
FALSE
