"""The SQLite store: one writer with group commit, and reads that never wait for it.

Reads run at once on the event loop's own connection (WAL gives each a consistent state); each is bounded by
its query. Writes go to the writer's thread. The driver is apsw, whose wheels bring a current SQLite: releases
before 3.51.3 can corrupt a WAL file that several processes use.
"""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import anyio.to_thread
import apsw
from anyio.abc import TaskGroup

from voucher_mcp.backends.local.stores.base import Row, Store, T, Transaction, Work, run_to_end
from voucher_mcp.backends.local.stores.failures import as_unavailable
from voucher_mcp.backends.local.stores.queries import load_queries
from voucher_mcp.backends.local.stores.schema import bring_up_to_date, refuse_strange
from voucher_mcp.backends.local.stores.turnstile import Turnstile
from voucher_mcp.backends.local.stores.writer import Writer

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

    def __init__(self, path: Path, reader: apsw.Connection, writer: Writer, transaction: Transaction) -> None:
        self.path = path
        self._reader = reader
        self._writer = writer
        self._reading = transaction

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
        return cls(path, reader, writer, SqliteTransaction(reader, queries))

    async def read(self, work: Work[T]) -> T:
        with as_unavailable(self.path):
            self._reader.execute("BEGIN")
            try:
                return run_to_end(work(self._reading))
            finally:
                if self._reader.in_transaction:
                    self._reader.execute("ROLLBACK")

    async def write(self, work: Work[T]) -> T:
        return await self._writer.submit(work)

    async def close(self) -> None:
        self._reader.close()
        await anyio.to_thread.run_sync(self._writer.close)


def connect(path: Path) -> apsw.Connection:
    """A connection as every part of the engine uses it."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT)
        connection.pragma("synchronous", "FULL")
        connection.pragma("cache_size", -CACHE_KIB)
        connection.wal_autocheckpoint(0)  # the writer checkpoints in its turn
    except apsw.Error:  # no database, for one
        connection.close()
        raise
    return connection


def _open(path: Path) -> tuple[Turnstile, apsw.Connection, apsw.Connection]:
    """The turnstile, the writing and the reading connection."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # before SQLite makes it readable for everyone
    with ExitStack() as undo:  # where opening fails, every later call tries again
        connection = connect(path)
        undo.callback(connection.close)
        refuse_strange(connection)  # before any file is put beside another program's
        turnstile = Turnstile(path)
        undo.callback(turnstile.close)
        bring_up_to_date(connection, turnstile)
        reader = connect(path)
        undo.callback(reader.close)
        reader.pragma("query_only", True)
        reader.set_busy_timeout(READ_BUSY_TIMEOUT)
        undo.pop_all()
    return turnstile, connection, reader
