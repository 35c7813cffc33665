"""Locks between processes as rows with a time until which they count, by the database's clock.

A holder renews its lease at a third of its life, in the background. Nothing depends on a session, so that a
pooler may stand between, and a lease outlives a connection that breaks. What must not happen twice is guarded
in its own transaction as well: a lease says who tries, not who may.
"""

import secrets
from typing import Final

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.stores.postgres.connections import Connections
from voucher_mcp.stores.postgres.failures import as_unavailable
from voucher_mcp.stores.postgres.statements import statements

LIFE: Final = 30_000
"""Milliseconds that a lease counts after it was renewed."""


class Lease:
    """A handle on one lock; two handles exclude each other, within a process too."""

    def __init__(self, leases: "Leases", name: str) -> None:
        self._leases = leases
        self._name = name
        self._owner = secrets.token_hex(8)
        self._scope: anyio.CancelScope | None = None
        self._shared = False

    async def acquire(self, *, shared: bool = False) -> bool:
        query = "lease_share" if shared else "lease_take"
        if not await self._leases.run(query, self._name, self._owner, LIFE):
            return False
        self._shared = shared
        self._scope = anyio.CancelScope()
        self._leases.tasks.start_soon(self._renew, self._scope)
        return True

    async def release(self, *, forget: bool = False) -> None:
        if self._scope is None:
            return
        self._scope.cancel()
        self._scope = None
        query = "lease_leave" if self._shared else "lease_forget" if forget else "lease_release"
        try:
            await self._leases.run(query, self._name, self._owner)
        except VoucherError:
            return  # it runs out by itself

    async def _renew(self, scope: anyio.CancelScope) -> None:
        query = "lease_share" if self._shared else "lease_take"
        with scope:
            while True:
                await anyio.sleep(LIFE / 3_000)
                try:
                    await self._leases.run(query, self._name, self._owner, LIFE)
                except VoucherError:
                    continue  # the next try comes in time, or somebody else takes it


class Leases:
    """The leases of one database."""

    def __init__(self, connections: Connections, tasks: TaskGroup) -> None:
        self._connections = connections
        self.tasks = tasks

    def lease(self, name: str) -> Lease:
        """A new handle on the lock of that name."""
        return Lease(self, name)

    def sweep(self, prefix: str) -> None:
        """Forget leases whose names begin so and that ran out long ago."""
        self.tasks.start_soon(self._sweep, prefix)

    async def _sweep(self, prefix: str) -> None:
        try:
            await self.run("leases_sweep", prefix)
        except VoucherError:
            return  # the next one does

    async def run(self, query: str, *values: object) -> int:
        """Run a statement by itself; answer how many rows changed.

        Raises:
            Unavailable: the database cannot be reached.
        """
        statement = statements()[query]
        with as_unavailable():
            async with self._connections.one() as connection:
                await connection.driver.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                status = await connection.driver.execute(statement.text, *statement.values(values))
                await connection.driver.execute("COMMIT")
        return int(status.rpartition(" ")[2])
