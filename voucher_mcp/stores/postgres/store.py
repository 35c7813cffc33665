"""The PostgreSQL store: a few connections, writes that are run again where others came first.

A write looks, decides and writes with guards, in the order in which the rules do that. Whoever is overtaken
meanwhile (a guard that misses, a unique key that another wrote first, a conflict that the database found) is
undone and run again from its start.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Self

import anyio
import asyncpg
from anyio.abc import TaskGroup

from voucher_mcp.config.postgres import PostgresOptions
from voucher_mcp.stores.base import Overtaken, Store, T, Work
from voucher_mcp.stores.postgres.codes import Choices
from voucher_mcp.stores.postgres.connections import Connections
from voucher_mcp.stores.postgres.convoys import Convoys, Member
from voucher_mcp.stores.postgres.failures import (
    FAILURES,
    LOST,
    WrongSchema,
    as_unavailable,
    lost_commit,
    unavailable,
)
from voucher_mcp.stores.postgres.folding import Folding
from voucher_mcp.stores.postgres.leases import Lease, Leases
from voucher_mcp.stores.postgres.transaction import PostgresTransaction, begin_read, begin_write

TRIES: Final = 30
"""How often a write is run again that others overtake."""

TRIES_WITHOUT_CONNECTION: Final = 3
"""How often it is run again where the connection broke before anything could be final."""

PAUSE_WITHOUT_CONNECTION: Final = 0.2
"""Seconds before that, at most."""

LONGEST_PAUSE: Final = 0.05

LONGEST_READ: Final = 20.0
"""Seconds that one statement of a read may take; a call has 50 s."""

COMMIT_SECONDS: Final = 20.0
"""What a commit may take before its fate counts as not known."""

_OVERTAKEN = (
    Overtaken,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
)


class _HalfDone(Exception):
    """One of several failed after it had written something."""


class _LostCommit(Exception):
    """The connection broke while the change was being made final."""


class PostgresStore(Store):
    """One database. Make it with `open`; what it does by itself lives in the task group that is given."""

    side_by_side = True

    def __init__(self, options: PostgresOptions, connections: Connections, tasks: TaskGroup) -> None:
        self._options = options
        self._connections = connections
        self._begin = begin_write(options.isolation)
        self._begins_at_once = options.isolation != "read_committed" or not options.statement_cache_size
        self._leases = Leases(connections, tasks)
        self._folding = Folding(self, tasks)
        self._choices = Choices()
        self._convoys = Convoys(self._together, self._alone, tasks)

    @classmethod
    async def open(cls, options: PostgresOptions, tasks: TaskGroup) -> Self:
        """Reach the database.

        Raises:
            Unavailable: it cannot be reached, or has not this version's schema.
        """
        connections = Connections(options)
        with as_unavailable():
            async with connections.one():
                pass
        return cls(options, connections, tasks)

    @property
    def read_only(self) -> bool:
        return self._connections.last is not None and self._connections.last.read_only

    async def read(self, work: Work[T], *, quick: bool = True) -> T:
        for left in reversed(range(TRIES_WITHOUT_CONNECTION)):
            try:
                return await self._read(work)
            except LOST as error:
                if not left:
                    raise unavailable(error) from error
                await self._reach_again()
            except (*FAILURES, WrongSchema) as error:
                raise unavailable(error) from error
        raise AssertionError("the last try returns or raises")

    async def _read(self, work: Work[T]) -> T:
        async with self._connections.one() as connection:
            transaction = PostgresTransaction(connection, begin_read(LONGEST_READ), at_once=True)
            result = await work(transaction)
            await transaction.commit()
            return result

    async def write(self, work: Work[T], *, kept: bool = True) -> T:
        try:
            return await self._tried(lambda: self._try(work, kept=kept), tries=1)
        except _OVERTAKEN as error:
            if kept and isinstance(error, Overtaken) and error.row is not None:
                return await self._convoys.run(error.row, work)
        return await self._alone(work)

    async def _alone(self, work: Work[T]) -> T:
        """Run work that was overtaken, with locks on what it looks at."""
        try:
            return await self._tried(lambda: self._locking(work), tries=TRIES)
        except Overtaken:
            raise
        except _OVERTAKEN as error:
            raise Overtaken("What this changes") from error

    async def _tried(self, run: Callable[[], Awaitable[T]], *, tries: int) -> T:
        """Run it so often at most.

        Raises:
            Overtaken, asyncpg errors of `_OVERTAKEN`: others were faster each time.
        """
        lost = overtaken = 0
        while True:
            try:
                return await run()
            except _LostCommit as error:
                raise lost_commit() from error
            except _OVERTAKEN:
                overtaken += 1
                if overtaken == tries:
                    raise
                await anyio.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.001 * 2**overtaken)))
            except LOST as error:
                lost += 1
                if lost == TRIES_WITHOUT_CONNECTION:
                    raise unavailable(error) from error
                await self._reach_again()
            except (*FAILURES, WrongSchema) as error:
                raise unavailable(error) from error

    async def _try(self, work: Work[T], *, kept: bool) -> T:
        """Run work as if nobody else were there, with guards."""
        at_once = self._begins_at_once
        async with self._connections.one() as connection:
            transaction = PostgresTransaction(
                connection,
                self._begin,
                at_once=at_once,
                fought_for=self._convoys if kept else (),
                choices=None if at_once else self._choices,
            )
            try:
                result = await work(transaction)
                await _commit(transaction)
            finally:
                for pool, n in transaction.chosen:
                    self._choices.drop(pool, n)
        self._folding.note(transaction.moved)
        return result

    async def _locking(self, work: Work[T]) -> T:
        """Run work, which was overtaken, with locks."""
        async with self._connections.one() as connection:
            at_once = self._begins_at_once
            transaction = PostgresTransaction(connection, self._begin, at_once=at_once, locks=True)
            result = await work(transaction)
            await _commit(transaction)
        self._folding.note(transaction.moved)
        return result

    async def _together(self, group: Sequence[Member[Any]]) -> bool:
        """Run several in one transaction, one after another; false where that was undone."""
        moved: list[tuple[int, int]] = []
        try:
            async with self._connections.one() as connection:
                transaction = PostgresTransaction(connection, self._begin, at_once=True, locks=True)
                for member in group:
                    transaction = transaction.next()
                    member.error = None
                    try:
                        member.result = await member.work(transaction)
                        await transaction.flush()
                    except (*_OVERTAKEN, *FAILURES):
                        raise
                    except Exception as error:  # carried to the caller's task, whatever it is
                        if transaction.wrote:
                            raise _HalfDone from error
                        member.error = error
                    moved += transaction.moved
                await _commit(transaction)
        except _LostCommit:
            for member in group:
                member.error = member.error or lost_commit()
        except (*_OVERTAKEN, *FAILURES, WrongSchema, _HalfDone):
            return False
        self._folding.note(moved)
        return True

    async def _reach_again(self) -> None:
        """What is open may lead to a server that is gone; another one may be there in a moment."""
        self._connections.drop_idle()
        await anyio.sleep(random.uniform(0.5, 1) * PAUSE_WITHOUT_CONNECTION)

    def lock(self, name: str, seconds: float | None = None) -> Lease:
        return self._leases.lease(name, seconds)

    def sweep_locks(self, prefix: str) -> None:
        self._leases.sweep(prefix)

    async def close(self) -> None:
        await self._connections.close()


async def _commit(transaction: PostgresTransaction) -> None:
    """Make it final, whether or not the caller still waits: its fate has to be known.

    Raises:
        _LostCommit: it is not.
    """
    try:
        with anyio.CancelScope(shield=True), anyio.fail_after(COMMIT_SECONDS):
            await transaction.commit()
    except LOST as error:
        raise _LostCommit from error
