"""Looking into a database file of the embedded engine, from beside the engine."""

from pathlib import Path
from typing import Any

import apsw

Rows = list[tuple[Any, ...]]


def rows(path: Path, query: str, *values: Any) -> Rows:
    """What a query finds in the file."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(5_000)
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def dump(path: Path) -> dict[str, Rows]:
    """Every row of every table."""
    tables = rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {name: rows(path, f'SELECT * FROM "{name}" ORDER BY 1, 2') for (name,) in tables}


def assert_counters_equal_rows(path: Path) -> None:
    """The file is sound, and the counts that pools and blocks carry are those of their codes."""
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, _POOLS) == []
    assert rows(path, _BLOCKS) == []
    assert rows(path, _OUTSIDE) == []


_POOLS = """
SELECT p.n, p.available, p.assigned, p.redeemed, sum(status = 0), sum(status = 1), sum(status = 2)
FROM pools AS p LEFT JOIN vouchers AS v ON v.pool = p.n GROUP BY p.n
HAVING p.available <> total(status = 0) OR p.assigned <> total(status = 1) OR p.redeemed <> total(status = 2)
"""
"""The pools whose counts are not those of their rows."""

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
"""The blocks whose counts are not those of the rows from their start to the next block's."""

_OUTSIDE = """
SELECT n FROM vouchers AS v WHERE pool NOT NULL
    AND NOT EXISTS (SELECT 1 FROM code_blocks AS b WHERE b.pool = v.pool AND first_n <= n)
"""
"""The codes of a pool that are in none of its blocks."""
