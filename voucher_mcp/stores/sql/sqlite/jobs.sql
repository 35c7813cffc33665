-- job_insert
INSERT INTO jobs (project, id, type, status, parameters, caller, total, cursor, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) RETURNING n;

-- job_by_id
SELECT n, project, id, type, status, parameters, total, cursor, done_count, failed_count, ignored, error,
    created_at, updated_at
FROM jobs WHERE project = ?1 AND id = ?2 AND status <> 'RECEIVING';

-- job_by_n
SELECT n, project, id, type, status, parameters, total, cursor, done_count, failed_count, ignored, error,
    created_at, updated_at
FROM jobs WHERE project = ?1 AND n = ?2;

-- job_to_change
SELECT n, project, id, type, status, parameters, total, cursor, done_count, failed_count, ignored, error,
    created_at, updated_at
FROM jobs WHERE project = ?1 AND n = ?2;

-- jobs_ended
SELECT n, project, id, type, status, parameters, total, cursor, done_count, failed_count, ignored, error,
    created_at, updated_at
FROM jobs WHERE project = ?1 AND type = ?2 AND status = 'DONE' ORDER BY n DESC LIMIT ?3;

-- jobs_unfinished
SELECT j.project, j.n, j.type, p.id
FROM jobs AS j JOIN projects AS p ON p.n = j.project
WHERE j.status IN ('RECEIVING', 'ENQUEUED', 'IN_PROGRESS') AND j.status <> 'RECEIVING' ORDER BY j.n;

-- jobs_receiving
SELECT project, n FROM jobs
WHERE status IN ('RECEIVING', 'ENQUEUED', 'IN_PROGRESS') AND status = 'RECEIVING';

-- job_enqueue
UPDATE jobs SET status = 'ENQUEUED', parameters = ?3, total = ?4, updated_at = ?5 WHERE project = ?1 AND n = ?2;

-- job_set
UPDATE jobs SET status = ?3, cursor = ?4, done_count = ?5, failed_count = ?6, ignored = ?7, error = ?8, updated_at = ?9
WHERE project = ?1 AND n = ?2;

-- job_delete
DELETE FROM jobs WHERE project = ?1 AND n = ?2;

-- job_chunk_insert
INSERT INTO job_chunks (project, job, number, line, content) VALUES (?1, ?2, ?3, ?4, ?5);

-- job_chunk_at
SELECT number, line, content FROM job_chunks
WHERE project = ?1 AND job = ?2 AND number <= ?3 ORDER BY number DESC LIMIT 1;

-- job_chunk_after
SELECT number, content FROM job_chunks
WHERE project = ?1 AND job = ?2 AND number > ?3 ORDER BY number LIMIT 1;

-- job_chunks_delete
DELETE FROM job_chunks
WHERE project = ?1 AND job = ?2
    AND number IN (SELECT number FROM job_chunks WHERE project = ?1 AND job = ?2 ORDER BY number LIMIT ?3);

-- job_trace_insert
INSERT INTO job_traces (project, job, number, content) VALUES (?1, ?2, ?3, ?4);

-- job_traces
SELECT content FROM job_traces WHERE project = ?1 AND job = ?2 ORDER BY number;

-- job_failure_insert
INSERT INTO job_failures (project, job, row, code, reason) VALUES (?1, ?2, ?3, ?4, ?5);

-- job_failures
SELECT code, reason, row FROM job_failures WHERE project = ?1 AND job = ?2 ORDER BY row LIMIT ?3;

-- vouchers_insert
-- Each is a list of the columns from code to status.
INSERT OR IGNORE INTO vouchers (
    project, code, folded, terms, active, start_date, expiration_date, metadata, redeemed_quantity, status,
    updated_at, created_at
)
SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, ?2, ?2
FROM json_each(?3);

-- transactions_extent
SELECT coalesce(max(n), 0), count(*) FROM transactions WHERE project = ?1 AND voucher = ?2;
