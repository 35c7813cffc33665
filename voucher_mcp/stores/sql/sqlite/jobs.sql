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
FROM jobs WHERE n = ?1;

-- jobs_ended
SELECT n, project, id, type, status, parameters, total, cursor, done_count, failed_count, ignored, error,
    created_at, updated_at
FROM jobs WHERE project = ?1 AND type = ?2 AND status = 'DONE' ORDER BY n DESC LIMIT ?3;

-- jobs_unfinished
SELECT j.n, j.type, p.id
FROM jobs AS j JOIN projects AS p ON p.n = j.project
WHERE j.status IN ('RECEIVING', 'ENQUEUED', 'IN_PROGRESS') AND j.status <> 'RECEIVING' ORDER BY j.n;

-- jobs_receiving
SELECT n FROM jobs WHERE status IN ('RECEIVING', 'ENQUEUED', 'IN_PROGRESS') AND status = 'RECEIVING';

-- job_project
SELECT p.n, p.tag FROM jobs AS j JOIN projects AS p ON p.n = j.project WHERE j.n = ?1;

-- job_enqueue
UPDATE jobs SET status = 'ENQUEUED', parameters = ?2, total = ?3, updated_at = ?4 WHERE n = ?1;

-- job_set
UPDATE jobs SET status = ?2, cursor = ?3, done_count = ?4, failed_count = ?5, ignored = ?6, error = ?7, updated_at = ?8
WHERE n = ?1;

-- job_delete
DELETE FROM jobs WHERE n = ?1;

-- job_chunk_insert
INSERT INTO job_chunks (job, number, line, content) VALUES (?1, ?2, ?3, ?4);

-- job_chunk_at
SELECT number, line, content FROM job_chunks WHERE job = ?1 AND number <= ?2 ORDER BY number DESC LIMIT 1;

-- job_chunks
SELECT content FROM job_chunks WHERE job = ?1 ORDER BY number;

-- job_chunks_size
SELECT coalesce(sum(length(content)), 0) FROM job_chunks WHERE job = ?1;

-- job_chunks_delete
DELETE FROM job_chunks
WHERE job = ?1 AND number IN (SELECT number FROM job_chunks WHERE job = ?1 ORDER BY number LIMIT ?2);

-- job_failure_insert
INSERT INTO job_failures (job, row, code, reason) VALUES (?1, ?2, ?3, ?4);

-- job_failures
SELECT code, reason, row FROM job_failures WHERE job = ?1 ORDER BY row LIMIT ?2;

-- voucher_import
INSERT INTO vouchers (
    project, code, folded, terms, active, start_date, expiration_date, metadata, redeemed_quantity, status,
    updated_at, created_at
)
VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?2, ?2) ON CONFLICT DO NOTHING;

-- transactions_extent
SELECT coalesce(max(n), 0), count(*) FROM transactions WHERE voucher = ?1;
