"""Who is at a write: each server process that writes to vendors holds a lock for as long as it lives.

So whether a pending write's owner is still there is known by its lock and never by a clock.
"""

import secrets

from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.base import ProcessLock, Store

_PREFIX = "owner-"


class Owner:
    """This process, to the others that use the same state database."""

    def __init__(self, store: Store) -> None:
        self.id = secrets.token_hex(8)
        self._store = store
        self._lock: ProcessLock | None = None

    async def claim(self) -> None:
        """Take the lock, before the first intent that names this owner.

        Raises:
            Unavailable: it cannot be taken, so nothing may be sent.
        """
        if self._lock is None:
            self._store.sweep_locks(_PREFIX)
            lock = self._store.lock(_lock_name(self.id))
            taken = await _acquire(lock)
            assert taken, "a random name is nobody else's"
            self._lock = lock

    async def is_dead(self, owner: str) -> bool:
        """Whether another owner's process is gone."""
        lock = self._store.lock(_lock_name(owner))
        if not await _acquire(lock):
            return False
        await lock.release(forget=True)
        return True

    async def release(self) -> None:
        """Let go, at the end of this process."""
        if self._lock is not None:
            await self._lock.release(forget=True)
            self._lock = None


async def _acquire(lock: ProcessLock) -> bool:
    try:
        return await lock.acquire()
    except OSError as error:  # a full disk, for one
        raise Unavailable(
            f"The journal cannot be kept, as its lock cannot be taken: {error.strerror}."
        ) from error


def _lock_name(owner: str) -> str:
    return f"{_PREFIX}{owner}"
