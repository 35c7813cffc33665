"""Locks between processes as rows with a time until which they count, by the database's clock.

A holder renews its lease at a third of its life, in the background. Nothing depends on a session, so that a
pooler may stand between, and a lease outlives a connection that breaks. A holder that stands still for longer
than that loses it. So what must not happen twice is guarded in its own transaction too; and what happens in
somebody else's system is begun only while `is_held` says that nobody can have taken the lease.
"""

import secrets
import sys
import time
from typing import Final

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.stores.postgres.connections import Connections
from voucher_mcp.stores.postgres.failures import as_unavailable
from voucher_mcp.stores.postgres.statements import statements
from voucher_mcp.stores.postgres.transaction import begin_write

LIFE: Final = 30_000
"""Milliseconds that a lease counts after it was renewed, if nothing else is said."""

GIVING_UP_SECONDS: Final = 2.0
"""How long giving back may take where the taking was called off: it may be ours all the same."""


def _steady() -> float:
    """Milliseconds of a clock that nobody sets; where there is one, it goes on while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000
    return time.monotonic() * 1_000


class Lease:
    """A handle on one lock; two handles exclude each other, within a process too."""

    def __init__(self, leases: "Leases", name: str, seconds: float | None) -> None:
        self._leases = leases
        self._name = name
        self._life = LIFE if seconds is None else round(seconds * 1_000)
        self._owner = secrets.token_hex(8)
        self._scope: anyio.CancelScope | None = None
        self._shared = False
        self._until = 0.0
        """By our own clock, from before the last renewal was asked for; so the database's comes later."""

    async def acquire(self, *, shared: bool = False) -> bool:
        self._shared = shared
        try:
            if not await self._extend("lease_share" if shared else "lease_take"):
                return False
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(GIVING_UP_SECONDS, shield=True):
                await self._give_back("lease_leave" if shared else "lease_release")
            raise
        self._scope = anyio.CancelScope()
        self._leases.tasks.start_soon(self._renew_on, self._scope)
        return True

    def is_held(self, seconds: float = 0.0) -> bool:
        return _steady() + seconds * 1_000 < self._until

    async def keep(self, seconds: float) -> bool:
        return self.is_held(seconds) or (await self._renew() and self.is_held(seconds))

    async def release(self, *, forget: bool = False) -> None:
        if self._scope is None:
            return
        self._scope.cancel()
        self._scope, self._until = None, 0.0
        await self._give_back(
            "lease_leave" if self._shared else "lease_forget" if forget else "lease_release"
        )

    async def _give_back(self, query: str) -> None:
        try:
            await self._leases.run(query, self._name, self._owner)
        except VoucherError:
            return  # it runs out by itself

    async def _renew_on(self, scope: anyio.CancelScope) -> None:
        """Renew it until it is lost; a try that fails is made up for soon."""
        with scope:
            pause = self._life / 3_000
            while True:
                await anyio.sleep(pause)
                try:
                    if not await self._renew():
                        return
                    pause = self._life / 3_000
                except VoucherError:
                    pause = self._life / 30_000

    async def _renew(self) -> bool:
        """Renew it; false where somebody else may have had it since it was taken."""
        if self._scope is None:
            return False
        kept = await self._extend("lease_share" if self._shared else "lease_renew")
        if not kept:
            self._until = 0.0
        return kept

    async def _extend(self, query: str) -> bool:
        asked = _steady()
        if not await self._leases.run(query, self._name, self._owner, self._life):
            return False
        self._until = max(self._until, asked + self._life)
        return True


class Leases:
    """The leases of one database."""

    def __init__(self, connections: Connections, tasks: TaskGroup) -> None:
        self._connections = connections
        self.tasks = tasks

    def lease(self, name: str, seconds: float | None = None) -> Lease:
        """A new handle on the lock of that name."""
        return Lease(self, name, seconds)

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
                await connection.driver.execute(begin_write("read_committed"))
                status = await connection.driver.execute(statement.text, *statement.values(values))
                await connection.driver.execute("COMMIT")
        return int(status.rpartition(" ")[2])
