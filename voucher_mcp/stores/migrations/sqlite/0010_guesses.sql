-- How many codes were asked for on each day that do not exist, but read like codes of a pool; never which.
CREATE TABLE pool_guesses (
    project INTEGER NOT NULL,
    day INTEGER NOT NULL,  -- since 1970, UTC
    pool INTEGER NOT NULL,
    guesses INTEGER NOT NULL,
    PRIMARY KEY (project, day, pool)
) STRICT, WITHOUT ROWID;
CREATE INDEX pool_guesses_days ON pool_guesses (day);
