"""A few connections to one database, opened as they are needed and shared by all calls of this process.

Nothing is kept in a connection's session, so that a pooler may stand between that gives each transaction
another one (PgBouncer in its transaction mode).
"""

import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

import anyio
import asyncpg

from voucher_mcp.config.postgres import PostgresOptions
from voucher_mcp.stores.postgres.failures import LOST
from voucher_mcp.stores.postgres.schema import Standing, standing_of

IDLE_SECONDS: Final = 300.0
"""How long a connection that nobody needs stays open."""

CLOCK_SECONDS: Final = 60.0
"""How often the database's clock is compared with this machine's."""

RECOVERY_SECONDS: Final = 2.0
"""What ending an interrupted transaction may take; then its connection is given up."""


class Connection(NamedTuple):
    """An open connection, and what it leads to."""

    driver: asyncpg.Connection
    standing: Standing
    ahead: int
    """Milliseconds that the clock which counts is ahead of this machine's."""


class Connections:
    """A pool of connections."""

    def __init__(self, options: PostgresOptions) -> None:
        self._options = options
        self._room = anyio.Semaphore(options.pool_size)
        self._free: list[tuple[Connection, float]] = []
        self._closed = False
        self._compared, self._ahead = 0.0, 0
        self.last: Standing | None = None
        """Of the connection that was opened last."""

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection outside of any transaction; where the block raises, it is brought back to that.

        Raises:
            asyncpg errors, OSError, TimeoutError: none can be opened.
            WrongSchema: it does not lead to a database of this version.
        """
        async with self._room:
            connection = await self._take()
            usable = interrupted = False
            try:
                yield connection
                usable = True
            except anyio.get_cancelled_exc_class():
                interrupted = True
                raise
            finally:
                if not usable:
                    usable = await _brought_back(connection.driver, interrupted=interrupted)
                self._put(connection, usable=usable)

    async def _take(self) -> Connection:
        while self._free:
            connection, _ = self._free.pop()
            if not connection.driver.is_closed():
                if time.monotonic() - self._compared > CLOCK_SECONDS:
                    await self._look(connection.driver)
                return connection._replace(ahead=self._ahead)
        driver = await connect(self._options)
        standing = await self._look(driver, opened=True)
        return Connection(driver, standing, self._ahead)

    async def _look(self, driver: asyncpg.Connection, *, opened: bool = False) -> Standing:
        """Where a connection leads to. One that does not tell is closed, for nobody has it yet."""
        with ExitStack() as undo:
            undo.callback(driver.terminate)
            standing = await standing_of(driver)
            if opened:
                standing.require_current()
            undo.pop_all()
        self._know(standing)
        return standing

    def _know(self, standing: Standing) -> None:
        self._compared = time.monotonic()
        self.last = standing
        self._ahead = standing.ahead if self._options.clock == "database" else 0

    def _put(self, connection: Connection, *, usable: bool) -> None:
        now = time.monotonic()
        if usable and not self._closed and not connection.driver.is_closed():
            self._free.append((connection, now))
        else:
            connection.driver.terminate()
        while self._free and now - self._free[0][1] > IDLE_SECONDS:
            self._free.pop(0)[0].driver.terminate()

    def drop_idle(self) -> None:
        """Close those that nobody uses just now: the server that they lead to may be gone."""
        while self._free:
            self._free.pop()[0].driver.terminate()

    async def close(self) -> None:
        """Close them all; one that is in use is closed as it comes back."""
        self._closed = True
        try:
            while self._free:
                connection, _ = self._free.pop()
                try:
                    with anyio.move_on_after(RECOVERY_SECONDS), suppress(*LOST, asyncpg.PostgresError):
                        await connection.driver.close()
                finally:
                    connection.driver.terminate()
        finally:
            self.drop_idle()  # the goodbye was cancelled


async def connect(options: PostgresOptions) -> asyncpg.Connection:
    """A connection, as every part of the store uses it.

    Raises:
        asyncpg errors, OSError, TimeoutError: it cannot be opened.
    """
    arguments: dict[str, Any] = {
        "timeout": options.connect_timeout,
        "statement_cache_size": options.statement_cache_size,
        "max_cached_statement_lifetime": 0,
    }
    connection: asyncpg.Connection = await asyncpg.connect(options.address, **arguments)
    return connection


async def _brought_back(driver: asyncpg.Connection, *, interrupted: bool) -> bool:
    """End what a failed or interrupted caller left; false where the connection cannot be used any more."""
    if not (interrupted or driver.is_closed() or driver.is_in_transaction()):
        return True
    with anyio.move_on_after(RECOVERY_SECONDS, shield=True):
        try:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")
                return True
        except (*LOST, asyncpg.PostgresError):
            return False
    return False
