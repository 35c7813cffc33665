"""Who is at a write: each server process that writes to vendors holds a lock for as long as it lives.

So whether a pending write's owner is still there is known by its lock and never by how long ago it began. A
file's lock dies with its holder. In a database on another host it is a lease, which a process that stands
still loses while its request may still leave: such a process must not send any more, and finds that out by a
clock of its own, which began before the lease did.
"""

import secrets
from typing import Final

import anyio

from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.base import ProcessLock, Store

_PREFIX = "owner-"

LIFE_SECONDS: Final = 120.0
"""How long a lease counts that nobody renews; it is renewed each 40 s, so a call always fits into it."""

CALL_SECONDS: Final = 55.0
"""How long it has to count when a write begins: longer than a call, which ends within 50 s."""


class Claim:
    """What a write is begun under: the name of this process, to the others that use the same database."""

    def __init__(self, name: str, lock: ProcessLock) -> None:
        self.name = name
        self._lock = lock

    def is_held(self, seconds: float) -> bool:
        """Whether nobody has taken this process for dead, nor does so within that time, a call's at most."""
        return self._lock.is_held(min(seconds, CALL_SECONDS))

    async def keep(self) -> bool:
        """Make sure that nobody does before a call from now on is over; false where somebody may have.

        Raises:
            Unavailable: the database cannot be reached, so nothing may be sent.
        """
        return await self._lock.keep(CALL_SECONDS)

    async def release(self) -> None:
        """Say that this process is not at any write any more."""
        await self._lock.release(forget=True)


class Owner:
    """This process, to the others that use the same state database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._claim: Claim | None = None
        self._claiming = anyio.Lock()

    async def claim(self) -> Claim:
        """Take the lock, before the first intent; a process that was taken for dead gets a new name.

        Raises:
            Unavailable: it cannot be taken, so nothing may be sent.
        """
        async with self._claiming:
            if self._claim is None or not await self._claim.keep():
                self._store.sweep_locks(_PREFIX)
                name = secrets.token_hex(8)
                lock = self._lock_of(name, LIFE_SECONDS)
                taken = await _acquire(lock)
                assert taken, "a random name is nobody else's"
                self._claim = Claim(name, lock)
            return self._claim

    async def is_gone(self, name: str) -> bool:
        """Whether whoever began a write under that name is not at it any more.

        Its process is gone, or stood still and sends nothing from now on; or this one could not settle it.
        """
        if self._claim is not None and name == self._claim.name:
            return True
        lock = self._lock_of(name)
        if not await _acquire(lock):
            return False
        await lock.release(forget=True)
        return True

    async def release(self) -> None:
        """Let go, at the end of this process."""
        if self._claim is not None:
            await self._claim.release()
            self._claim = None

    def _lock_of(self, name: str, seconds: float | None = None) -> ProcessLock:
        return self._store.lock(f"{_PREFIX}{name}", seconds)


async def _acquire(lock: ProcessLock) -> bool:
    try:
        return await lock.acquire()
    except OSError as error:  # a full disk, for one
        raise Unavailable(
            f"The journal cannot be kept, as its lock cannot be taken: {error.strerror}."
        ) from error
