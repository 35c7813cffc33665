"""Reads of a SQLite file: quick ones at once on the event loop, the others in threads, all of them bounded.

A read that may look at many rows goes to one of a few connections with a thread each, so that it holds up
neither the event loop nor the others; one that turns out to be long on the loop is begun again there. It is
stopped when its caller is cancelled, which the end of a call's time does too.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import anyio
import anyio.lowlevel
import anyio.to_thread
import apsw

from voucher_mcp.stores.base import T, Work, run_to_end
from voucher_mcp.stores.sqlite.ends import connect
from voucher_mcp.stores.sqlite.failures import Gone, TooLong, as_unavailable
from voucher_mcp.stores.sqlite.places import LOG, place_of, real_path, stat_of
from voucher_mcp.stores.sqlite.schema import version_of
from voucher_mcp.stores.sqlite.transaction import SqliteTransaction

QUICK_SECONDS: Final = 0.05
"""What a read on the event loop may take, before it is begun again in a thread."""

LONGEST_SECONDS: Final = 20.0
"""What any read may take; a call has 50 s."""

SIDE_BY_SIDE: Final = 4
"""Long reads at once; more wait for one of them to end."""

BUSY_TIMEOUT = 100
"""Milliseconds to wait for a program that locks the file, as writers never do; it holds up the event loop."""

COMMAND_TIMEOUT = 5_000
"""The same, of a command that holds up nobody."""

_STEPS = 1_000
"""Instructions of SQLite's machine, some 30 µs, between two looks at the clock."""


class ReadEnd:
    """A connection that reads, and which file it is."""

    def __init__(
        self, connection: apsw.Connection, queries: Mapping[str, str], look: Callable[[], Hashable]
    ) -> None:
        self.connection = connection
        self._look = look
        self._found = look()
        self._transaction = SqliteTransaction(connection, queries, self._found)
        self._until = 0.0
        self._stopped = False
        connection.set_progress_handler(self._is_over, _STEPS)

    @classmethod
    def open(cls, given: Path, queries: Mapping[str, str]) -> Self:
        """Raises apsw.Error where it cannot be read, and Gone where nothing is there."""
        watched, name = str(given), str(real_path(given))
        if stat_of(watched) is None:
            raise Gone
        connection, alone = _connect_somehow(name, BUSY_TIMEOUT)
        if alone:
            return cls(connection, queries, lambda: _unchanging(name))
        return cls(connection, queries, lambda: (place_of(watched), place_of(name + LOG)))

    def is_current(self) -> bool:
        """Whether what was opened is still what lies there."""
        return self._look() == self._found

    def read(self, work: Work[T], seconds: float) -> T:
        """Run work on one consistent state.

        Raises:
            TooLong: it took longer, or was stopped.
        """
        self._until = time.monotonic() + seconds
        self._stopped = False
        self.connection.execute("BEGIN")
        try:
            return run_to_end(work(self._transaction))
        except apsw.InterruptError as error:
            raise TooLong from error
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    async def stop_when_cancelled(self) -> None:
        """Wait to be cancelled, and stop what runs then."""
        try:
            await anyio.sleep_forever()
        finally:
            self._stopped = True

    def close(self) -> None:
        self.connection.close()

    def _is_over(self) -> bool:
        return self._stopped or time.monotonic() > self._until


class LongReads:
    """A few connections for reads that may be long, opened as they are needed."""

    def __init__(self, open_end: Callable[[], ReadEnd]) -> None:
        self._open_end = open_end
        self._free: list[ReadEnd] = []
        self._turns = anyio.Semaphore(SIDE_BY_SIDE)

    async def run(self, work: Work[T]) -> T:
        """Run work in a thread; it stops when the caller is cancelled."""
        async with self._turns:
            end = await self._take()
            try:
                return await _stoppable(end, work)
            finally:
                self._free.append(end)

    async def _take(self) -> ReadEnd:
        while self._free:
            end = self._free.pop()
            if end.is_current():
                return end
            end.close()
        return await anyio.to_thread.run_sync(self._open_end)

    def close(self) -> None:
        """Close what is free; nothing runs any more."""
        while self._free:
            self._free.pop().close()


async def _stoppable(end: ReadEnd, work: Work[T]) -> T:
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end.stop_when_cancelled)
            result = await anyio.to_thread.run_sync(end.read, work, LONGEST_SECONDS)
            tasks.cancel_scope.cancel()
    except ExceptionGroup as failure:  # of one
        await anyio.lowlevel.checkpoint_if_cancelled()  # which is why it was stopped
        raise failure.exceptions[0] from None
    return result


def open_to_look(path: Path) -> apsw.Connection:
    """A connection that only reads, for a command: it may wait for who opens or closes the file just now."""
    return _connect_somehow(str(real_path(path)), COMMAND_TIMEOUT)[0]


def schema_of(path: Path) -> int | None:
    """A file's schema, 0 where it is empty, None where there is no file; nothing is changed.

    Raises:
        Unavailable: it cannot be read, is not a database, or is another program's or a newer version's.
    """
    with as_unavailable(path):
        if not path.exists():
            return None
        with closing(open_to_look(path)) as connection:
            return version_of(connection)


def _connect_somehow(name: str, timeout: int) -> tuple[apsw.Connection, bool]:
    """A connection that only reads, and whether it takes no locks, as nobody can write the file."""
    try:
        return _connect(name, timeout), False
    except (apsw.CantOpenError, apsw.ReadOnlyError):  # no index of the log can be made beside it
        log = stat_of(name + LOG)
        if log is not None and log.st_size:  # of a server that was killed
            return _connect(f"file:{quote(name)}", timeout, alone=True), True
        return _connect(f"file:{quote(name)}?immutable=1", timeout), True


def _connect(name: str, timeout: int, *, alone: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE
    if name.startswith("file:"):
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = connect(name, flags, alone=alone)
    try:
        connection.pragma("query_only", True)
        connection.set_busy_timeout(timeout)
        # a reader that goes last must not write a log back into a file that may not be the log's any more
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.pragma("user_version")  # which opens the log, so that what lies there can be compared
    except apsw.Error:
        connection.close()
        raise
    return connection


def _unchanging(name: str) -> Hashable:
    """What must stay as it is where the file is read without locks."""
    found = stat_of(name)
    log = stat_of(name + LOG)
    return tuple(
        None if one is None else (one.st_dev, one.st_ino, one.st_mtime_ns, one.st_size)
        for one in (found, log)
    )
