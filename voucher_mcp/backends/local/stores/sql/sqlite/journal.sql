-- write_by_key
SELECT digest, result FROM writes WHERE project = ?1 AND caller = ?2 AND key = ?3;

-- write_insert
INSERT INTO writes (project, caller, key, digest, result, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- audit_insert
INSERT INTO audit (at, project, caller, tool, digest, key, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
