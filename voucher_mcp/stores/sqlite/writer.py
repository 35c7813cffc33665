"""The one writer of a SQLite file in this process, with group commit.

Callers hand in work and wait. A thread takes its turn among the processes, runs what is waiting in one
transaction, commits once, and only then are the callers told. So a commit's disk flush is shared, and nothing
is acknowledged that is not on disk.

A savepoint copies every page that is changed in it, so only work that is meant to be undone has one. Most
that fails does so before it changed anything. Where it did not, its group is undone and run again, each piece
in a savepoint of its own.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic

import anyio
import anyio.to_thread
import apsw

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.stores.base import T, Work, run_to_end
from voucher_mcp.stores.sqlite.ends import BUSY_TIMEOUT, Queries, WriteEnd
from voucher_mcp.stores.sqlite.failures import (
    FAILURES,
    Ended,
    Gone,
    is_of_the_database,
    lost_commit,
    unavailable,
)

TURN_TIMEOUT = 5.0
"""Seconds that a write waits for its turn."""

GROUP_SECONDS = 0.05
"""How long a group may take up more work; longer work makes a group of its own."""

CHECKPOINT_PAGES = 4_000
"""Write the log back into the database after 16 MB of our own."""

LONGEST_LOG = 10 * CHECKPOINT_PAGES
"""From here on everyone writes it back, whoever filled it."""

RESTART_TIMEOUT = 200
"""Milliseconds that writing back a very long log waits for readers; all writers wait meanwhile."""


class _Operation(Generic[T]):
    """One caller's work and, once it is done, its result or error."""

    def __init__(self, work: Work[T], *, kept: bool) -> None:
        self.work = work
        self.alone = not kept
        """Whether it is run in a savepoint of its own."""
        self.done = anyio.Event()
        self.deadline = time.monotonic() + TURN_TIMEOUT
        self.abandoned = False
        self.error: BaseException | None = None
        self.result: T


class _Culprit(Exception):
    """The database failed at the last of a group."""

    def __init__(self, error: Exception) -> None:
        super().__init__("the database failed")
        self.error = error


class _HalfDone(Exception):
    """The last of a group failed after it had changed something, and has no savepoint."""


class Writer:
    """Runs work on the writing connection; `run` is its task, `submit` its only entrance."""

    def __init__(self, path: Path, queries: Queries, end: WriteEnd, stop: threading.Event) -> None:
        self._path = path
        self._queries = queries
        self._stop = stop
        self._end: WriteEnd | None = None
        self._waiting: deque[_Operation[Any]] = deque()
        self._wake = anyio.Event()
        self._ended = False
        self._log_pages = 0
        self._written_back = 0
        self._take(end)

    async def submit(self, work: Work[T], *, kept: bool = True) -> T:
        """Run work in a transaction; return once it is on disk. What is not `kept` will raise at its end.

        A caller that is cancelled before its work began leaves no trace.

        Raises:
            Unavailable: also once the writer has ended, so that nobody waits for it in vain.
        """
        if self._ended:
            raise unavailable(self._path, Ended())
        operation = _Operation(work, kept=kept)
        self._waiting.append(operation)
        self._wake.set()
        try:
            await operation.done.wait()
        finally:
            operation.abandoned = True
        if operation.error is not None:
            raise operation.error
        return operation.result

    async def run(self) -> None:
        """Serve until cancelled; who still waits then is told."""
        try:
            while True:
                await self._wake.wait()
                self._wake = anyio.Event()
                while self._waiting:
                    with anyio.CancelScope(shield=True):  # or nobody would tell those whose work is done
                        group = await anyio.to_thread.run_sync(self._commit_group)
                    for operation in group:
                        operation.done.set()
                if self._log_is_long():
                    await anyio.to_thread.run_sync(self._checkpoint)
        finally:
            self._ended = True
            while self._waiting:
                operation = self._waiting.popleft()
                operation.error = unavailable(self._path, Ended())
                operation.done.set()

    def close(self) -> None:
        """Close the connection; the last one of all processes writes the log back."""
        if self._end is not None:
            self._end.close()

    @contextmanager
    def _turn(self, deadline: float) -> Iterator[WriteEnd]:
        """Hold the turn at the file that is under the path now.

        Raises:
            Gone: nothing is there.
            TurnTimeout, OSError, apsw.Error and others: of what is there.
        """
        while True:
            end = self._end or self._take(WriteEnd.open(self._path, self._queries, self._stop, make=False))
            with end.turnstile.turn(deadline - time.monotonic()):
                found = end.look()
                if found == "same":
                    yield end
                    return
                if found == "gone":
                    with suppress(apsw.Error):  # so that the file is whole, wherever it was moved
                        end.write_back()
                    raise Gone
                end.settle()
            self._end = None
            end.abandon()

    def _take(self, end: WriteEnd) -> WriteEnd:
        """Write with this end from now on."""
        end.connection.set_wal_hook(self._on_commit)
        self._log_pages = self._written_back = 0
        self._end = end
        return end

    def _commit_group(self) -> list[_Operation[Any]]:
        group: list[_Operation[Any]] = []
        failure = unavailable
        end: WriteEnd | None = None
        try:
            with self._turn(self._waiting[0].deadline) as end:
                end.connection.execute("BEGIN IMMEDIATE")
                deadline = time.monotonic() + GROUP_SECONDS
                while self._waiting and time.monotonic() < deadline:
                    self._run_next(end, group)
                end.transaction.settle()
                failure = lost_commit
                end.connection.execute("COMMIT")
                if not end.is_there():
                    raise Gone  # just now, so whether the commit was in time cannot be told
        except _HalfDone:  # which nobody is told of: the loop goes on with those who wait
            _undo(end)
            for operation in group:
                operation.alone = True
            self._waiting.extendleft(reversed(group))
            return []
        except _Culprit as culprit:  # the others are run again without it
            _undo(end)
            alone = group.pop()
            self._waiting.extendleft(reversed(group))
            alone.error = unavailable(self._path, culprit.error)
            return [alone]
        except FAILURES as error:
            _undo(end)
            if not group:
                self._take_overdue(group)
            _fail(group, failure(self._path, error))
        return group

    def _run_next(self, end: WriteEnd, group: list[_Operation[Any]]) -> None:
        operation = self._waiting.popleft()
        if operation.abandoned:
            return
        first = not group
        group.append(operation)
        operation.error = None  # of a try that was undone with its group
        alone = operation.alone and not first  # where the first fails there is nothing else to keep
        if alone:
            end.transaction.settle()  # what the others counted is not to be undone with it
            end.connection.execute("SAVEPOINT operation")
        before = end.transaction.changes
        try:
            operation.result = run_to_end(operation.work(end.transaction))
        except Exception as error:  # carried to the caller's task, whatever it is
            if is_of_the_database(error) or not end.connection.in_transaction:
                raise _Culprit(error) from error
            operation.error = error
            if end.transaction.changes != before:
                if not (first or alone):
                    raise _HalfDone from error
                end.connection.execute("ROLLBACK; BEGIN IMMEDIATE" if first else "ROLLBACK TO operation")
                end.transaction.forget()
        if alone:
            end.connection.execute("RELEASE operation")

    def _take_overdue(self, group: list[_Operation[Any]]) -> None:
        """The first who waits, and all who have waited long enough: they do not wait one after another."""
        while self._waiting and (not group or self._waiting[0].deadline <= time.monotonic()):
            group.append(self._waiting.popleft())

    def _log_is_long(self) -> bool:
        """Whether to write the log back: who fills it does it, so that an import holds up nobody else."""
        own = self._written() - self._written_back
        return own > CHECKPOINT_PAGES or self._log_pages > LONGEST_LOG

    def _written(self) -> int:
        """Pages that this connection ever wrote to the log."""
        return 0 if self._end is None else self._end.connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0]

    def _checkpoint(self) -> None:
        """Write the log back. Where it is very long, also wait a little for who reads what is older, so that
        it can begin again from its start."""
        try:
            with self._turn(time.monotonic() + TURN_TIMEOUT) as end:
                very_long = self._log_pages > LONGEST_LOG
                self._log_pages, self._written_back = 0, self._written()
                end.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                if very_long:
                    end.connection.set_busy_timeout(RESTART_TIMEOUT)
                    end.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                end.look()  # which notes that the file was written by us
        except FAILURES:
            return  # the log keeps growing until a later turn succeeds; nothing is lost
        finally:
            if self._end is not None:
                self._end.connection.set_busy_timeout(BUSY_TIMEOUT)

    def _on_commit(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK


def _undo(end: WriteEnd | None) -> None:
    if end is None:
        return
    end.transaction.forget()
    if end.connection.in_transaction:
        end.connection.execute("ROLLBACK")


def _fail(group: list[_Operation[Any]], error: VoucherError) -> None:
    """Let the group fail, but for those who were refused before anyone changed what is undone now."""
    changed = False
    for operation in group:
        changed = changed or operation.error is None
        if changed:
            operation.error = error
