"""A bare import with the standard library's sqlite3, run as a process of its own; prints the seconds it took.

One executemany in one transaction, synchronous FULL, the rows in memory before the clock starts.
"""

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from voucher_mcp.stores.queries import load_migrations


def lean(connection: sqlite3.Connection, values: list[str]) -> None:
    """The least that can tell codes apart and count them."""
    connection.execute(
        "CREATE TABLE codes(code TEXT PRIMARY KEY, pool INTEGER, status INTEGER) WITHOUT ROWID"
    )
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO codes VALUES (?, 1, 0)", ((value,) for value in values))
    connection.execute("COMMIT")


def same(connection: sqlite3.Connection, values: list[str]) -> None:
    """The engine's own table with its indexes, a statement for each row: each opens all of them."""
    for name in ("composed", "caseless"):  # of an upgrade alone
        connection.create_function(name, 1, str)
    for script in load_migrations("sqlite"):
        connection.executescript(script)
    now = time.time_ns() // 1_000_000
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO vouchers (project, pool, code, status, updated_at, created_at)"
        " VALUES (1, 1, ?1, 0, ?2, ?2) ON CONFLICT DO NOTHING",
        ((value, now) for value in values),
    )
    connection.execute("COMMIT")


TABLES: dict[str, Callable[[sqlite3.Connection, list[str]], None]] = {"lean": lean, "same": same}


def main(table: str, file: Path, database: Path, cache_kib: int) -> None:
    """Import a CSV of one column; a page cache of 0 KiB is the standard library's own."""
    values = file.read_text(encoding="ascii").split()[1:]
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if cache_kib:
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    started = time.perf_counter()
    TABLES[table](connection, values)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
