-- clock_last
SELECT line, at, elapsed FROM clock ORDER BY line DESC LIMIT 1;

-- clock_note
INSERT INTO clock (line, at, elapsed) VALUES ($1, $2, $3)
ON CONFLICT (line) DO UPDATE SET at = excluded.at, elapsed = excluded.elapsed;

-- clock_horizon
SELECT max(line) FROM clock WHERE elapsed <= $1;

-- clock_forget
DELETE FROM clock WHERE line < $1;

-- writes_forget
DELETE FROM writes WHERE (project, caller, key) IN (
    SELECT project, caller, key FROM writes WHERE line < $1 ORDER BY line LIMIT $2 FOR UPDATE SKIP LOCKED
);

-- sessions_of_the_future
UPDATE sessions SET expires_at = $1 + expires_at - created_at, created_at = $1 WHERE created_at > $1;

-- sessions_forget
DELETE FROM sessions WHERE (project, key, voucher) IN (
    SELECT project, key, voucher FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
    FOR UPDATE SKIP LOCKED
);

-- audit_subjects_forget
DELETE FROM audit_subjects WHERE (project, id, line) IN (
    SELECT a.project, touched.value, a.n
    FROM (SELECT * FROM audit ORDER BY n LIMIT $2) AS a
    CROSS JOIN json_array_elements_text(coalesce(a.undo::json -> 'vouchers', a.ids::json)) AS touched
    WHERE a.at < $1 AND a.n < (SELECT max(n) FROM audit)
);

-- audit_forget
-- The last line stays, however old it is: keys are kept by them.
DELETE FROM audit WHERE (project, n) IN (
    SELECT project, n FROM (SELECT project, n, at FROM audit ORDER BY n LIMIT $2) AS oldest
    WHERE at < $1 AND n < (SELECT max(n) FROM audit)
);

-- audit_is_old
SELECT 1 FROM (SELECT at FROM audit WHERE n < (SELECT max(n) FROM audit) ORDER BY n LIMIT $2) AS oldest
WHERE at < $1 LIMIT 1;

-- session_is_over
SELECT 1 FROM sessions WHERE expires_at <= $1 LIMIT 1;

-- job_over
SELECT project, n FROM jobs WHERE status IN ('DONE', 'FAILED') AND updated_at < $1 ORDER BY updated_at LIMIT 1;

-- job_traces_delete
DELETE FROM job_traces WHERE project = $1 AND job = $2;

-- job_failures_delete
DELETE FROM job_failures WHERE project = $1 AND job = $2;

-- approval_is_over
SELECT 1 FROM approvals WHERE expires_at <= $1 LIMIT 1;

-- approvals_forget
DELETE FROM approvals WHERE (project, id) IN (
    SELECT project, id FROM approvals WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
    FOR UPDATE SKIP LOCKED
);

-- guesses_are_old
SELECT 1 FROM pool_guesses WHERE day < $1 LIMIT 1;

-- guesses_forget
DELETE FROM pool_guesses WHERE (project, day, pool) IN (
    SELECT project, day, pool FROM pool_guesses WHERE day < $1 ORDER BY day LIMIT $2 FOR UPDATE SKIP LOCKED
);
