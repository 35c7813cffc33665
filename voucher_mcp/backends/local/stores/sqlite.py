"""The SQLite store: one writer with group commit, and reads that never wait for it.

Quick reads run at once on the event loop's own connection (WAL gives each a consistent state), the others
one by one on a connection and a thread of their own. Writes go to the writer's thread. The driver is apsw,
whose wheels bring a current SQLite: releases before 3.51.3 can corrupt a WAL file that several processes use.
"""

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.to_thread
import apsw
from anyio.abc import TaskGroup

from voucher_mcp.backends.local.stores.base import (
    PLACE,
    Row,
    Store,
    T,
    Where,
    Work,
    run_to_end,
)
from voucher_mcp.backends.local.stores.failures import as_unavailable
from voucher_mcp.backends.local.stores.queries import load_queries
from voucher_mcp.backends.local.stores.schema import bring_up_to_date, refuse_strange
from voucher_mcp.backends.local.stores.turnstile import Turnstile
from voucher_mcp.backends.local.stores.writer import Writer
from voucher_mcp.backends.locks import FileLock, sweep

BUSY_TIMEOUT = 5_000
"""Milliseconds to wait for a program that locks the file without taking turns."""

READ_BUSY_TIMEOUT = 100
"""The same for reads, which hold up the event loop while they wait; writers never make them wait."""

CACHE_KIB = 64 * 1024


class SqliteTransaction:
    """A transaction on one connection; it never suspends."""

    def __init__(self, connection: apsw.Connection, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries

    async def all(self, query: str, *values: Any) -> list[Row]:
        return self._connection.execute(self._queries[query], values).fetchall()

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        numbers = count(len(values) + 1)  # behind those of the query itself
        numbered = PLACE.sub(lambda _: f"?{next(numbers)}", where.sql)
        statement = self._queries[query].replace("{where}", numbered)
        return self._connection.execute(statement, (*values, *where.values)).fetchall()

    async def one(self, query: str, *values: Any) -> Row | None:
        row: Row | None = self._connection.execute(self._queries[query], values).fetchone()
        return row

    async def run(self, query: str, *values: Any) -> int:
        self._connection.execute(self._queries[query], values)
        return self._connection.changes()

    async def many(self, query: str, rows: Iterable[Row]) -> int:
        before = self._connection.total_changes()
        self._connection.executemany(self._queries[query], rows)
        return self._connection.total_changes() - before


class SqliteStore(Store):
    """One database file. Make it with `open`; its writer lives in the task group that is given."""

    def __init__(self, path: Path, reader: apsw.Connection, writer: Writer, queries: dict[str, str]) -> None:
        self.path = path
        self._reader = reader
        self._writer = writer
        self._queries = queries
        self._walker: apsw.Connection | None = None
        self._walking = anyio.Lock()

    @classmethod
    async def open(cls, path: Path, tasks: TaskGroup) -> Self:
        """Open the file, made and migrated where needed.

        Raises:
            Unavailable: it cannot be opened, is no database, or is another program's or a newer version's.
        """
        queries = load_queries("sqlite")
        with as_unavailable(path):
            turnstile, connection, reader = await anyio.to_thread.run_sync(_open, path)
        writer = Writer(path, connection, turnstile, SqliteTransaction(connection, queries))
        tasks.start_soon(writer.run)
        return cls(path, reader, writer, queries)

    async def read(self, work: Work[T], *, quick: bool = True) -> T:
        with as_unavailable(self.path):
            if quick:
                return self._read(self._reader, work)
            async with self._walking:
                return await anyio.to_thread.run_sync(self._walk, work)

    def _walk(self, work: Work[T]) -> T:
        if self._walker is None:
            self._walker = _connect_for_reading(self.path)
        return self._read(self._walker, work)

    def _read(self, connection: apsw.Connection, work: Work[T]) -> T:
        connection.execute("BEGIN")
        try:
            return run_to_end(work(SqliteTransaction(connection, self._queries)))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    async def write(self, work: Work[T]) -> T:
        return await self._writer.submit(work)

    def lock(self, name: str) -> FileLock:
        return FileLock(self.path.with_name(f"{self.path.name}-{name}"))

    def sweep_locks(self, prefix: str) -> None:
        sweep(self.path, prefix)

    async def close(self) -> None:
        self._reader.close()
        if self._walker is not None:
            self._walker.close()
        await anyio.to_thread.run_sync(self._writer.close)


def connect(path: Path) -> apsw.Connection:
    """A connection as every part of the engine uses it."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT)
        connection.pragma("synchronous", "FULL")
        # plans that do not look at bound values: else some queries are prepared anew at each call, at 30 µs
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.wal_autocheckpoint(0)  # the writer checkpoints in its turn
    except apsw.Error:  # no database, for one
        connection.close()
        raise
    return connection


def _connect_for_reading(path: Path) -> apsw.Connection:
    connection = connect(path)
    connection.pragma("query_only", True)
    connection.set_busy_timeout(READ_BUSY_TIMEOUT)
    return connection


def _make(path: Path) -> None:
    """Make the file, before SQLite makes it readable for everyone.

    One that is there is only looked at: closing it here would drop the locks of this process on it.
    """
    if path.is_dir():
        raise IsADirectoryError(path)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(path)


def _open(path: Path) -> tuple[Turnstile, apsw.Connection, apsw.Connection]:
    """The turnstile, the writing and the reading connection."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make(path)
    with ExitStack() as undo:  # where opening fails, every later call tries again
        connection = connect(path)
        undo.callback(connection.close)
        refuse_strange(connection)  # before any file is put beside another program's
        turnstile = Turnstile(path)
        undo.callback(turnstile.close)
        bring_up_to_date(connection, turnstile)
        connection.pragma("temp_store", "MEMORY")  # what a savepoint may bring back; a file costs writes
        reader = _connect_for_reading(path)
        undo.pop_all()
    return turnstile, connection, reader
