"""Floors for writes: bare loops of statements in SQLite, on tables as they were before the figures were set.

The tables and statements are fixed here and in the first four migrations, so that a change of the engine's
own moves the figure and not its floor. A loop writes what the engine's call writes: the effect, both
counters, the key with its first result, and the audit line; nothing checks, decides or answers. (An assign of
the engine also writes who holds the code, which the loop leaves out.)
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import apsw

from bench.engine import write
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite.ends import connect

_SCHEMA = 4
_BLOCK = 8192

_FIND = """
SELECT v.n, v.code, v.status, v.pool, p.id, p.name, p.template, p.active, p.start_date, p.expiration_date,
    v.terms, v.active, v.start_date, v.expiration_date, v.metadata, v.redeemed_quantity, v.opening, v.granted,
    v.subtracted, v.spent, v.holder, v.created_at, v.updated_at, p.deleted_at
FROM vouchers AS v LEFT JOIN pools AS p ON p.n = v.pool
WHERE v.project = 1 AND v.code = ?1 AND v.status < 3 AND p.deleted_at IS NULL
"""
_REDEMPTION = """
INSERT INTO redemptions (project, voucher, pool, amount, tracking_id, body, created_at)
VALUES (1, ?1, 1, 0, ?2, ?3, ?4) RETURNING n
"""
_REDEEM = """
UPDATE vouchers SET redeemed_quantity = 1, assigned_at = coalesce(assigned_at, NULL), redeemed_at = ?2,
    updated_at = ?2
WHERE n = ?1
"""
_STATUS = "UPDATE vouchers SET status = ?2 WHERE n = ?1"
_NEXT = """
WITH RECURSIVE ends (at) AS (
    SELECT min(expiration_date) FROM vouchers
    WHERE pool = 1 AND status = 0 AND active = 1 AND expiration_date >= ?1
    UNION ALL
    SELECT (
        SELECT min(v.expiration_date) FROM vouchers AS v
        WHERE v.pool = 1 AND v.status = 0 AND v.active = 1 AND v.expiration_date > ends.at
    ) FROM ends WHERE at IS NOT NULL LIMIT 1000
)
SELECT n, code FROM vouchers WHERE n = (
    SELECT min(n) FROM (
        SELECT (
            SELECT v.n FROM vouchers AS v
            WHERE v.pool = 1 AND v.status = 0 AND v.active = 1 AND v.expiration_date = ends.at
                AND NOT EXISTS (
                    SELECT 1 FROM sessions AS s
                    WHERE s.voucher = v.n AND s.expires_at > ?1 AND s.customer IS NOT ?2
                )
            ORDER BY v.n LIMIT 1
        ) AS n FROM ends WHERE at IS NOT NULL
        UNION ALL
        SELECT (
            SELECT v.n FROM vouchers AS v
            WHERE v.pool = 1 AND v.status = 0 AND v.active = 1 AND v.expiration_date IS NULL
                AND NOT EXISTS (
                    SELECT 1 FROM sessions AS s
                    WHERE s.voucher = v.n AND s.expires_at > ?1 AND s.customer IS NOT ?2
                )
            ORDER BY v.n LIMIT 1
        )
    )
)
"""
_ASSIGN = """
UPDATE vouchers SET status = 1, holder = ?2, assigned_at = ?3, updated_at = ?3 WHERE n = ?1 AND status = 0
"""
_CUSTOMER = "INSERT INTO customers (project, id, created_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING"
_POOL = """
UPDATE pools SET available = available - 1, assigned = assigned + ?1, redeemed = redeemed + ?2 WHERE n = 1
"""
_CODE = """
INSERT INTO vouchers (project, pool, code, status, updated_at, created_at) VALUES (1, 1, ?1, 0, 0, 0)
"""
_BLOCKS = """
UPDATE code_blocks SET available = available - 1, assigned = assigned + ?2, redeemed = redeemed + ?3
WHERE pool = 1 AND first_n = (SELECT max(first_n) FROM code_blocks WHERE pool = 1 AND first_n <= ?1)
"""
_AUDIT = """
INSERT INTO audit (at, project, caller, tool, digest, key, outcome, subject)
VALUES (?1, 1, ?2, ?3, ?4, ?5, 'success', ?6) RETURNING n
"""
_KEY = """
INSERT INTO writes (project, caller, key, digest, result, created_at, line) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)
"""


def prepare(database: Path, codes: Iterable[str]) -> None:
    """A new file with one pool of these codes."""
    connection = connect(database, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    connection.pragma("journal_mode", "WAL")
    for name in ("composed", "caseless"):  # of an upgrade alone
        connection.create_scalar_function(name, lambda *code: code[0], 1)
    with connection:
        for script in load_migrations("sqlite")[:_SCHEMA]:
            connection.execute(script)
        connection.execute("INSERT INTO projects (id, tag, created_at) VALUES ('default', '00000000', 0)")
        connection.execute(
            "INSERT INTO pools (project, id, name, template, active, created_at, updated_at)"
            " VALUES (1, 'camp_1', 'campaign', '{}', 1, 0, 0)"
        )
        connection.executemany(_CODE, ((code,) for code in codes))
        connection.execute(
            "INSERT INTO code_blocks (pool, first_n, size, available, assigned, redeemed)"
            " SELECT 1, min(n), count(*), count(*), 0, 0 FROM vouchers GROUP BY (n - 1) / ?",
            (_BLOCK,),
        )
        connection.execute("UPDATE pools SET available = (SELECT count(*) FROM vouchers)")
    connection.close()


def redeem(database: Path, codes: list[str], group: int, body: str, result: str) -> float:
    """Seconds for redeeming the codes, so many in a commit."""

    def one(connection: apsw.Connection, code: str) -> None:
        n = _row_of(connection, _FIND, (code,))
        moment, warrant = time.time_ns() // 1_000_000, write("redeem_vouchers")
        connection.execute(_REDEMPTION, (n, warrant.key, body, moment)).fetchall()
        connection.execute(_REDEEM, (n, moment))
        connection.execute(_STATUS, (n, 2))
        _count(connection, n, (0, 1))
        _note(connection, warrant, code, result, moment)

    return _in_groups(database, codes, group, one)


def assign(database: Path, customers: list[str], group: int, result: str) -> float:
    """Seconds for giving the next code to each of the customers, so many in a commit."""

    def one(connection: apsw.Connection, customer: str) -> None:
        moment, warrant = time.time_ns() // 1_000_000, write("assign_voucher_code")
        n = _row_of(connection, _NEXT, (moment, customer))
        connection.execute(_ASSIGN, (n, customer, moment))
        connection.execute(_CUSTOMER, (customer, moment))
        _count(connection, n, (1, 0))
        _note(connection, warrant, "campaign", result, moment)

    return _in_groups(database, customers, group, one)


def _row_of(connection: apsw.Connection, statement: str, values: tuple[Any, ...]) -> int:
    row: Any = connection.execute(statement, values).fetchone()
    return int(row[0])


def _count(connection: apsw.Connection, n: int, more: tuple[int, int]) -> None:
    connection.execute(_POOL, more)
    connection.execute(_BLOCKS, (n, *more))


def _note(connection: apsw.Connection, warrant: Any, subject: str, result: str, moment: int) -> None:
    key = (warrant.caller, warrant.key, warrant.digest)
    line = (moment, warrant.caller, warrant.tool, warrant.digest, warrant.key, subject)
    n = _row_of(connection, _AUDIT, line)
    connection.execute(_KEY, (*key, result, moment, n))


def _in_groups(
    database: Path, wanted: list[str], group: int, one: Callable[[apsw.Connection, str], None]
) -> float:
    connection = connect(database)
    started = time.perf_counter()
    for first in range(0, len(wanted), group):
        connection.execute("BEGIN IMMEDIATE")
        for value in wanted[first : first + group]:
            one(connection, value)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds
