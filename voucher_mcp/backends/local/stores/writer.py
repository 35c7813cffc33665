"""The one writer of a SQLite file in this process, with group commit.

Callers hand in work and wait. A thread takes its turn among the processes, runs what is waiting in one
transaction, each piece but the first in a savepoint of its own, commits once, and only then are the callers
told. So a commit's disk flush is shared, and nothing is acknowledged that is not on disk. The first needs no
savepoint, which would copy every page that it changes: where it fails there is nothing else to keep.
"""

import time
from collections import deque
from pathlib import Path
from typing import Any, Generic

import anyio
import anyio.to_thread
import apsw

from voucher_mcp.backends.local.stores.base import T, Transaction, Work, run_to_end
from voucher_mcp.backends.local.stores.failures import Ended, lost_commit, unavailable
from voucher_mcp.backends.local.stores.turnstile import Turnstile, TurnTimeout
from voucher_mcp.domain.errors import VoucherError

TURN_TIMEOUT = 5.0
"""Seconds that a write waits for its turn."""

GROUP_SECONDS = 0.05
"""How long a group may take up more work; longer work makes a group of its own."""

CHECKPOINT_PAGES = 4_000
"""Write the log back into the database after 16 MB of our own."""

LONGEST_LOG = 10 * CHECKPOINT_PAGES
"""From here on everyone writes it back, whoever filled it."""


class _Operation(Generic[T]):
    """One caller's work and, once it is done, its result or error."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done = anyio.Event()
        self.deadline = time.monotonic() + TURN_TIMEOUT
        self.abandoned = False
        self.error: BaseException | None = None
        self.result: T


class Writer:
    """Runs work on the writing connection; `run` is its task, `submit` its only entrance."""

    def __init__(
        self, path: Path, connection: apsw.Connection, turnstile: Turnstile, transaction: Transaction
    ) -> None:
        self._path = path
        self._connection = connection
        self._turnstile = turnstile
        self._transaction = transaction
        self._waiting: deque[_Operation[Any]] = deque()
        self._wake = anyio.Event()
        self._ended = False
        self._log_pages = 0
        self._written_back = 0
        connection.set_wal_hook(self._on_commit)

    async def submit(self, work: Work[T]) -> T:
        """Run work in a transaction; return once it is on disk.

        A caller that is cancelled before its work began leaves no trace.

        Raises:
            Unavailable: also once the writer has ended, so that nobody waits for it in vain.
        """
        if self._ended:
            raise unavailable(self._path, Ended())
        operation = _Operation(work)
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
        self._connection.close()
        self._turnstile.close()

    def _commit_group(self) -> list[_Operation[Any]]:
        group: list[_Operation[Any]] = []
        failure = unavailable
        try:
            with self._turnstile.turn(self._waiting[0].deadline - time.monotonic()):
                self._connection.execute("BEGIN IMMEDIATE")
                deadline = time.monotonic() + GROUP_SECONDS
                while self._waiting and time.monotonic() < deadline:
                    self._run_next(group)
                failure = lost_commit
                self._connection.execute("COMMIT")
        except (apsw.Error, OSError, TurnTimeout) as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if not group:
                self._take_overdue(group)
            _fail(group, failure(self._path, error))
        return group

    def _run_next(self, group: list[_Operation[Any]]) -> None:
        operation = self._waiting.popleft()
        if operation.abandoned:
            return
        first = not group
        group.append(operation)
        if not first:
            self._connection.execute("SAVEPOINT operation")
        try:
            operation.result = run_to_end(operation.work(self._transaction))
        except Exception as error:  # carried to the caller's task, whatever it is
            if isinstance(error, apsw.Error) and not isinstance(error, apsw.ConstraintError):
                raise  # the database failed, and with it the whole group
            operation.error = error
            self._connection.execute("ROLLBACK; BEGIN IMMEDIATE" if first else "ROLLBACK TO operation")
        if not first:
            self._connection.execute("RELEASE operation")

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
        return self._connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0]

    def _checkpoint(self) -> None:
        try:
            with self._turnstile.turn(TURN_TIMEOUT):
                self._log_pages, self._written_back = 0, self._written()
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.Error, OSError, TurnTimeout):
            return  # the log keeps growing until a later turn succeeds; nothing is lost

    def _on_commit(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK


def _fail(group: list[_Operation[Any]], error: VoucherError) -> None:
    """Let the group fail, but for those who were refused before anyone changed what is undone now."""
    changed = False
    for operation in group:
        changed = changed or operation.error is None
        if changed:
            operation.error = error
