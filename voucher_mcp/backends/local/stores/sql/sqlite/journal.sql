-- write_by_key
SELECT digest, state, result, owner, created_at FROM writes
WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- write_insert
INSERT INTO writes (project, caller, key, digest, result, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- write_intend
INSERT INTO writes (project, caller, key, digest, result, created_at, state, owner)
VALUES (?1, ?2, ?3, ?4, '', ?5, 'pending', ?6);

-- write_take_over
UPDATE writes SET state = 'pending', owner = ?4 WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- write_settle
UPDATE writes SET state = ?4, result = ?5, owner = NULL WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- write_free
DELETE FROM writes WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- writes_forget
DELETE FROM writes WHERE (project, caller, key) IN (
    SELECT project, caller, key FROM writes WHERE created_at < ?1 ORDER BY created_at LIMIT ?2
);

-- audit_insert
INSERT INTO audit (at, project, caller, tool, digest, key, outcome, subject, amount, points, codes, owner)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
RETURNING n;

-- audit_settle
UPDATE audit SET outcome = ?2, owner = NULL WHERE n = ?1;

-- audit_add
UPDATE audit SET codes = coalesce(codes, 0) + ?2 WHERE n = ?1;

-- minted_today
SELECT amount, points FROM minted WHERE project = ?1 AND day = ?2;

-- minted_add
INSERT INTO minted (project, day, amount, points) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (project, day) DO UPDATE SET
    amount = max(0, min(amount + excluded.amount, 1 << 53)), points = max(0, min(points + excluded.points, 1 << 53));

-- calls_forget
DELETE FROM calls WHERE project = ?1 AND at <= ?2;

-- calls_count
SELECT count(*), min(at) FROM calls WHERE project = ?1;

-- call_insert
INSERT INTO calls (project, at) VALUES (?1, ?2);
