"""The SQLite store: one writer with group commit, and reads that never wait for it.

Quick reads run at once on the event loop's own connection (WAL gives each a consistent state), the others
on connections and threads of their own. Writes go to the writer's thread. Where the file can only be read,
reads are served all the same. The driver is apsw, whose wheels bring a current SQLite: releases before 3.51.3
can corrupt a WAL file that several processes use.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread
import apsw
from anyio.abc import TaskGroup

from voucher_mcp.stores.base import Store, T, Transaction, Work
from voucher_mcp.stores.locks import FileLock, sweep
from voucher_mcp.stores.queries import load_queries
from voucher_mcp.stores.sqlite.ends import Queries, WriteEnd
from voucher_mcp.stores.sqlite.failures import FAILURES, OnlyReadable, Stopped, TooLong, as_unavailable
from voucher_mcp.stores.sqlite.places import real_path
from voucher_mcp.stores.sqlite.reading import QUICK_SECONDS, LongReads, ReadEnd
from voucher_mcp.stores.sqlite.schema import is_current
from voucher_mcp.stores.sqlite.writer import Writer


class SqliteStore(Store):
    """One database file. Make it with `open`; its writer lives in the task group that is given."""

    side_by_side = False

    def __init__(
        self,
        given: Path,
        queries: Queries,
        tasks: TaskGroup,
        stop: threading.Event,
        ends: tuple[ReadEnd, WriteEnd | None],
    ) -> None:
        self.path = real_path(given)
        self._given = given
        self._queries = queries
        self._tasks = tasks
        self._stop = stop
        self._reader: ReadEnd | None = ends[0]
        self._long_reads = LongReads(lambda: ReadEnd.open(given, queries))
        self._renewing = anyio.Lock()
        self._writer = None if ends[1] is None else self._start(ends[1])
        tasks.start_soon(self._stop_at_the_end)

    @classmethod
    async def open(cls, path: Path, tasks: TaskGroup) -> Self:
        """Open the file, made and migrated where needed; one that can only be read is opened for that.

        Raises:
            Unavailable: it cannot be opened, is not a database, or is another program's or a newer version's.
        """
        queries = load_queries("sqlite")
        with as_unavailable(path):
            stop = threading.Event()
            try:
                ends = await anyio.to_thread.run_sync(_open, path, queries, stop, abandon_on_cancel=True)
            finally:
                stop.set()  # where this was cancelled: nobody waits for the thread
            return cls(path, queries, tasks, threading.Event(), ends)

    @property
    def read_only(self) -> bool:
        return self._writer is None

    def _leave_what_is_gone(self) -> None:
        """Close the reading connections to a file that is not under the path any more: they lock it."""
        if self._reader is not None and not self._reader.is_current():
            self._reader.close()
            self._reader = None
            self._long_reads.close()

    async def read(self, work: Work[T], *, quick: bool = True) -> T:
        with as_unavailable(self.path):
            reader = await self._current_reader()
            if quick:
                try:
                    return reader.read(work, QUICK_SECONDS)
                except TooLong:
                    pass  # it was not quick
            return await self._long_reads.run(work)

    async def write(self, work: Work[T], *, kept: bool = True) -> T:
        self._leave_what_is_gone()
        if self._writer is None:
            async with self._renewing:
                self._writer = self._writer or await self._try_to_write()
        return await self._writer.submit(work, kept=kept)

    def lock(self, name: str, seconds: float | None = None) -> FileLock:
        return FileLock(self.path.with_name(f"{self.path.name}-{name}"))

    def sweep_locks(self, prefix: str) -> None:
        sweep(self.path, prefix)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._long_reads.close()
        if self._writer is not None:
            await anyio.to_thread.run_sync(self._writer.close)

    def _start(self, end: WriteEnd) -> Writer:
        writer = Writer(self._given, self._queries, end, self._stop)
        self._tasks.start_soon(writer.run)
        return writer

    async def _stop_at_the_end(self) -> None:
        """Call off the migration of a file that came in the place of this one."""
        try:
            await anyio.sleep_forever()
        finally:
            self._stop.set()

    async def _try_to_write(self) -> Writer:
        """Write to a file that could only be read when it was opened.

        Raises:
            Unavailable: it still can only be read.
        """
        with as_unavailable(self.path):
            try:
                end = await anyio.to_thread.run_sync(self._open_again)
            except _MAY_BE_READ as error:
                raise OnlyReadable from error
        return self._start(end)

    def _open_again(self) -> WriteEnd:
        return WriteEnd.open(self._given, self._queries, self._stop, make=False)

    async def _current_reader(self) -> ReadEnd:
        """The connection for quick reads, opened again where another file came in its place."""
        self._leave_what_is_gone()
        if self._reader is not None:
            return self._reader
        async with self._renewing:
            if self._reader is None:
                if self._writer is not None:  # which first brings into the old file what is its own
                    await self._writer.submit(_nothing)
                self._reader = ReadEnd.open(self._given, self._queries)
            return self._reader


_MAY_BE_READ = (OSError, apsw.ReadOnlyError, apsw.CantOpenError)
"""What opening for writing fails with where the file may still be read."""


def _open(path: Path, queries: Queries, stop: threading.Event) -> tuple[ReadEnd, WriteEnd | None]:
    """The ends to read and to write with; None where the file can only be read."""
    try:
        end = WriteEnd.open(path, queries, stop, make=True)
    except _MAY_BE_READ as error:
        return _open_for_reading(path, queries, error), None
    with ExitStack() as undo:
        undo.callback(end.close)
        reader = ReadEnd.open(path, queries)
        undo.callback(reader.close)
        if stop.is_set():
            raise Stopped
        undo.pop_all()
    return reader, end


def _open_for_reading(path: Path, queries: Queries, error: Exception) -> ReadEnd:
    """Raises why it cannot be written where it cannot be read either, or has to be migrated first."""
    try:
        reader = ReadEnd.open(path, queries)
    except FAILURES:
        raise error from None
    with ExitStack() as undo:
        undo.callback(reader.close)
        if not is_current(reader.connection):
            raise OnlyReadable from error
        undo.pop_all()
    return reader


async def _nothing(transaction: Transaction) -> None:
    """Work that changes nothing."""
