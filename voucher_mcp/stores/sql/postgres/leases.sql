-- lease_take
-- Free is what nobody has: who had it last, and let go of it, is not before those who share it.
INSERT INTO leases AS l (name, owner, until, sharers)
VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3, '{}')
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, sharers = '{}'
WHERE (l.owner = excluded.owner AND l.until >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint) OR (
    l.until < (extract(epoch FROM clock_timestamp()) * 1000)::bigint AND NOT EXISTS (
        SELECT 1 FROM jsonb_each_text(l.sharers) AS s
        WHERE s.value::bigint >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    )
);

-- lease_renew
-- Who took it meanwhile is its owner now; so as long as it is ours, nobody did.
UPDATE leases SET until = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3
WHERE name = $1 AND owner = $2;

-- lease_share
INSERT INTO leases AS l (name, owner, until, sharers)
VALUES ($1, '', 0, jsonb_build_object($2::text, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3))
ON CONFLICT (name) DO UPDATE SET owner = '', sharers = l.sharers || excluded.sharers
WHERE l.until < (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- lease_release
UPDATE leases SET owner = '', until = 0 WHERE name = $1 AND owner = $2;

-- lease_forget
DELETE FROM leases WHERE name = $1 AND owner = $2;

-- lease_leave
UPDATE leases SET sharers = sharers - $2 WHERE name = $1;

-- leases_sweep
DELETE FROM leases
WHERE starts_with(name, $1) AND until < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 3600000;
