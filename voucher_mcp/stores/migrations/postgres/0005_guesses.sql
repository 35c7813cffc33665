-- How many codes were asked for on each day that do not exist, but read like codes of a pool; never which.
CREATE TABLE pool_guesses (
    project bigint NOT NULL,
    day bigint NOT NULL,  -- since 1970, UTC
    pool bigint NOT NULL,
    guesses bigint NOT NULL,
    PRIMARY KEY (project, day, pool)
);
CREATE INDEX pool_guesses_days ON pool_guesses (day);
