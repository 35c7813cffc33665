"""The counts that a database keeps, held against the codes that it has."""

from pathlib import Path

from tests.databases.database import Database, Rows, at


def counts(database: Database) -> Rows:
    """What each pool is said to have: available, assigned and redeemed codes, in the order of making."""
    return [tuple(row[1:]) for row in database.rows(_COUNTS[database.dialect])]


def assert_counters_equal_rows(place: Database | Path) -> None:
    """The database is sound, and the counts of pools and of their blocks are those of their codes."""
    database = at(place)
    database.assert_sound()
    assert database.rows(_COUNTS[database.dialect]) == database.rows(_ROWS)
    for query in _WRONG[database.dialect]:
        assert database.rows(query) == []


_COUNTS = {
    "sqlite": "SELECT n, available, assigned, redeemed FROM pools ORDER BY n",
    "postgres": """
        SELECT p.n, p.available + moved.available, p.assigned + moved.assigned, p.redeemed + moved.redeemed
        FROM pools AS p CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.available), 0) AS available, coalesce(sum(m.assigned), 0) AS assigned,
                coalesce(sum(m.redeemed), 0) AS redeemed
            FROM code_moves AS m WHERE m.project = p.project AND m.pool = p.n
        ) AS moved ORDER BY n
    """,
}

_ROWS = """
SELECT p.n, count(*) FILTER (WHERE status = 0), count(*) FILTER (WHERE status = 1),
    count(*) FILTER (WHERE status = 2)
FROM pools AS p LEFT JOIN vouchers AS v ON v.pool = p.n GROUP BY p.n ORDER BY p.n
"""

_BLOCKS = """
WITH runs AS (
    SELECT *, lead(first_n, 1, 9e18) OVER (PARTITION BY pool ORDER BY first_n) AS next_n FROM code_blocks
)
SELECT b.pool, first_n, size, available, assigned, redeemed, count(v.n)
FROM runs AS b LEFT JOIN vouchers AS v ON v.pool = b.pool AND v.n >= first_n AND v.n < next_n
GROUP BY b.pool, first_n
HAVING size <> count(v.n) OR available <> total(status = 0) OR assigned <> total(status = 1)
    OR redeemed <> total(status = 2)
"""
"""The blocks of SQLite whose counts are not those of the rows from their start to the next block's."""

_OUTSIDE = """
SELECT n FROM vouchers AS v WHERE pool NOT NULL
    AND NOT EXISTS (SELECT 1 FROM code_blocks AS b WHERE b.pool = v.pool AND first_n <= n)
"""
"""The codes of a pool that are in none of its blocks."""

_BLOCKS_AND_MOVES = """
WITH counted AS (
    SELECT pool, block, sum(available) AS available, sum(assigned) AS assigned, sum(redeemed) AS redeemed
    FROM (
        SELECT pool, block, available, assigned, redeemed FROM code_blocks
        UNION ALL SELECT pool, block, available, assigned, redeemed FROM code_moves
    ) AS c GROUP BY pool, block
), real AS (
    SELECT pool, n >> 13 AS block, count(*) FILTER (WHERE status = 0) AS available,
        count(*) FILTER (WHERE status = 1) AS assigned, count(*) FILTER (WHERE status = 2) AS redeemed
    FROM vouchers WHERE pool IS NOT NULL GROUP BY pool, n >> 13
)
SELECT pool, block, c.available, r.available, c.assigned, r.assigned, c.redeemed, r.redeemed
FROM counted AS c FULL JOIN real AS r USING (pool, block)
WHERE coalesce(c.available, 0) <> coalesce(r.available, 0)
    OR coalesce(c.assigned, 0) <> coalesce(r.assigned, 0)
    OR coalesce(c.redeemed, 0) <> coalesce(r.redeemed, 0)
"""
"""The blocks of PostgreSQL, with what moved since, whose counts are not those of their rows."""

_WRONG = {"sqlite": (_BLOCKS, _OUTSIDE), "postgres": (_BLOCKS_AND_MOVES,)}
