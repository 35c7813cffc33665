-- write_by_key
SELECT digest, state, result, owner, created_at, line FROM writes
WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- write_insert
INSERT INTO writes (project, caller, key, digest, result, created_at, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- write_intend
INSERT INTO writes (project, caller, key, digest, result, created_at, state, owner, line)
VALUES (?1, ?2, ?3, ?4, '', ?5, 'pending', ?6, ?7);

-- write_take_over
UPDATE writes SET state = 'pending', owner = ?4
WHERE project = ?1 AND caller = ?2 AND key = ?3 AND owner IS ?5;

-- write_settle
UPDATE writes SET state = ?5, result = ?6, owner = NULL
WHERE project = ?1 AND caller = ?2 AND key = ?3 AND owner = ?4;

-- write_free
DELETE FROM writes WHERE project = ?1 AND caller = ?2 AND key = ?3 AND owner = ?4;

-- audit_insert
INSERT INTO audit (
    at, project, caller, tool, digest, key, outcome, subject, amount, points, codes, owner, client, kind, ids, before,
    after, pool, undo, undoes
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
RETURNING n;

-- audit_next
-- The number that the next line is going to have: nobody else writes in a transaction of SQLite.
SELECT coalesce(max(n), 0) + 1 FROM audit;

-- audit_settle
UPDATE audit SET outcome = ?4, owner = NULL, kind = ?5, ids = ?6, before = ?7, after = ?8, pool = ?9,
    undo = ?10
WHERE project = ?1 AND n = ?2 AND owner = ?3;

-- audit_subjects_insert
INSERT OR IGNORE INTO audit_subjects (project, id, line) SELECT ?1, value, ?3 FROM json_each(?2);

-- audit_earliest_since
SELECT min(at) FROM (SELECT at FROM audit WHERE n >= ?1 ORDER BY n LIMIT ?2);

-- audit_add
UPDATE audit SET codes = coalesce(codes, 0) + ?3 WHERE project = ?1 AND n = ?2;

-- audit_approve
UPDATE audit SET approved_by = ?3 WHERE project = ?1 AND n = ?2;

-- minted_today
SELECT amount, points FROM minted WHERE project = ?1 AND day = ?2;

-- minted_add
-- Only where the day's amount and points are at most ?5 and ?6 before; NULL is without a limit.
INSERT INTO minted (project, day, amount, points) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (project, day) DO UPDATE SET
    amount = max(0, min(amount + excluded.amount, 1 << 53)), points = max(0, min(points + excluded.points, 1 << 53))
WHERE (?5 IS NULL OR amount <= ?5) AND (?6 IS NULL OR points <= ?6);

-- calls_turn
-- Whoever counts a call is alone, as every writer is in SQLite.
SELECT 1 FROM projects WHERE n = ?1;

-- calls_forget
DELETE FROM calls WHERE project = ?1 AND (at <= ?2 OR at > ?3);

-- calls_count
SELECT count(*), min(at) FROM calls WHERE project = ?1;

-- calls_since
SELECT count(*) FROM calls WHERE project = ?1 AND at > ?2;

-- call_insert
INSERT INTO calls (project, at) VALUES (?1, ?2);
