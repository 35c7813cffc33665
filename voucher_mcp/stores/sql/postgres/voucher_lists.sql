-- vouchers_newest_first
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY n DESC LIMIT $4;

-- vouchers_oldest_first
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY n LIMIT $4;

-- vouchers_by_change
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY updated_at, n LIMIT $4;

-- vouchers_by_change_down
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY updated_at DESC, n DESC LIMIT $4;

-- vouchers_by_code
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY code LIMIT $4;

-- vouchers_by_code_down
SELECT n FROM voucher_list WHERE project = $1 AND ({where}) ORDER BY code DESC LIMIT $4;
