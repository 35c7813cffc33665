"""Opening a SQLite file for writing, and leaving it where it is not the same file any more."""

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal, Self

import apsw

from voucher_mcp.stores.sqlite.failures import Gone, Unfinished
from voucher_mcp.stores.sqlite.places import INDEX, LOG, Place, Places, place_of, real_path, stat_of
from voucher_mcp.stores.sqlite.schema import bring_up_to_date, version_of
from voucher_mcp.stores.sqlite.transaction import SqliteTransaction
from voucher_mcp.stores.sqlite.turnstile import Turnstile, TurnTimeout

Queries = Mapping[str, str]
Stamp = tuple[int, int] | None
"""What changes when the file itself is written; None where there is none."""

BUSY_TIMEOUT = 5_000
"""Milliseconds to wait for a program that locks the file without taking turns."""

CACHE_KIB = 64 * 1024

LOG_BYTES = 64 * 1024 * 1024
"""To what size the log is cut once it was written back."""


def connect(
    name: str | Path, flags: int = apsw.SQLITE_OPEN_READWRITE, *, alone: bool = False
) -> apsw.Connection:
    """A connection as every part of the engine uses it. It makes no file.

    `alone` takes no locks, and keeps the index of the log in memory.
    """
    connection = apsw.Connection(str(name), flags=flags, vfs="unix-none" if alone else None)
    try:
        if alone:
            connection.pragma("locking_mode", "EXCLUSIVE")
        connection.set_busy_timeout(BUSY_TIMEOUT)
        connection.pragma("synchronous", "FULL")
        # plans that do not look at bound values: else some queries are prepared again at each call, at 30 µs
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.wal_autocheckpoint(0)  # the writer checkpoints in its turn
    except apsw.Error:  # no database, for one
        connection.close()
        raise
    return connection


class WriteEnd:
    """The connection that writes to a file, the turn that it takes, and which file it is."""

    def __init__(
        self, given: Path, path: Path, connection: apsw.Connection, turnstile: Turnstile, queries: Queries
    ) -> None:
        """`given` is the name that leads to the file, `path` the one beside which its log lies."""
        self.connection = connection
        self.turnstile = turnstile
        self._given, self._path = str(given), str(path)
        self._found, self._stamp = self._places()
        self.transaction = SqliteTransaction(connection, queries, (self._found.file, self._found.log))

    @classmethod
    def open(cls, given: Path, queries: Queries, stop: threading.Event, *, make: bool) -> Self:
        """Open the file, migrated where needed, and made where `make` says so.

        A migration may take minutes; `stop` calls it off.

        Raises:
            Gone, Unfinished: what came in the place of a file that was opened before is not a whole database.
            WrongDatabase: another program's file, or one of a newer version.
            Stopped: `stop` was set.
            SeveralNames, TurnTimeout, OSError, apsw.Error: it cannot be opened for writing.
        """
        path = real_path(given)
        if make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        elif stat_of(str(path)) is None:
            raise Gone
        with ExitStack() as undo:  # where opening fails, every later call tries again
            connection = connect(path) if make else _connect_to_whole(path)
            undo.callback(connection.close)
            version_of(connection)  # before any file is put beside another program's
            turnstile = Turnstile(path)
            undo.callback(turnstile.close)
            bring_up_to_date(connection, turnstile, path, stop)
            connection.pragma("temp_store", "MEMORY")  # what a savepoint may bring back; a file costs writes
            connection.pragma("journal_size_limit", LOG_BYTES)
            end = cls(given, path, connection, turnstile, queries)
            undo.pop_all()
        return end

    def look(self) -> Literal["same", "gone", "other"]:
        """What lies under the names now: what was opened, nothing, or something else."""
        now, stamp = self._places()
        if now == self._found:
            self._stamp = stamp
            return "same"
        return "gone" if now.file is None else "other"

    def is_there(self) -> bool:
        """Whether the file is still under its name; a shorter look than `look`."""
        return place_of(self._given) == self._found.file

    def write_back(self) -> None:
        """Write the log back into the file that it belongs to, wherever that is, for who holds the turn.

        Raises:
            apsw.BusyError: somebody reads what is older.
        """
        self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def settle(self) -> None:
        """Bring all that was committed into the file that it belongs to; for who holds the turn.

        For a file that is not under its name any more, or whose log is not. Only where the log was removed
        and the file was written since is it left as it is: a copy may have been put there.

        Raises:
            apsw.Error: it could not be done now, and nothing else may be opened under the name.
        """
        now, stamp = self._places()
        replaced = now.file != self._found.file
        log_removed = now.log is None and stamp == self._stamp
        index_removed = now.log == self._found.log and now.log_index is None
        if replaced or log_removed or index_removed:
            self.write_back()
        if replaced:  # what comes in its place must not be read with a log that is not its own
            if now.log == self._found.log:
                _remove(self._path + LOG)
            if now.log_index == self._found.log_index:
                _remove(self._path + INDEX)

    def close(self) -> None:
        """Close it; the last one of all processes writes the log back."""
        if self.look() != "same":
            with suppress(apsw.Error, OSError, TurnTimeout), self.turnstile.turn(0.0):
                self.settle()
            self.abandon()
        else:
            self.connection.close()
            self.turnstile.close()

    def abandon(self) -> None:
        """Close without writing or removing anything under names that may be another file's now."""
        self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.connection.close()
        self.turnstile.close()

    def _places(self) -> tuple[Places, Stamp]:
        file = stat_of(self._given)
        log, index = place_of(self._path + LOG), place_of(self._path + INDEX)
        if file is None:
            return Places(None, log, index), None
        return Places(Place(file.st_dev, file.st_ino), log, index), (file.st_mtime_ns, file.st_size)


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


def _connect_to_whole(path: Path) -> apsw.Connection:
    """Raises Unfinished where the file is empty, or has fewer pages than it says: it is being copied."""
    log = stat_of(str(path) + LOG)
    try:
        with ExitStack() as undo:
            connection = connect(path)
            undo.callback(connection.close)
            size = int(connection.pragma("page_count")) * int(connection.pragma("page_size"))
            short = path.stat().st_size < size and not (log and log.st_size)
            if short or version_of(connection) == 0:
                raise Unfinished
            undo.pop_all()
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Unfinished from error
    return connection


def _remove(name: str) -> None:
    Path(name).unlink(missing_ok=True)
