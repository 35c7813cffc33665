"""Folding the lines that count a pool's codes into its blocks, now and then, in the background."""

import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.stores.base import Transaction

if TYPE_CHECKING:
    from voucher_mcp.stores.base import Store

EVERY: Final = 64
"""Writes of this process on a pool between two folds; the first comes after any number up to that, so that
processes which write a little fold as often as one that writes much."""

AT_ONCE: Final = 10_000
"""Lines that one fold takes."""


class Folding:
    """Folds the pools that this process writes to."""

    def __init__(self, store: "Store", tasks: TaskGroup) -> None:
        self._store = store
        self._tasks = tasks
        self._left: dict[tuple[int, int], int] = {}

    def note(self, moved: Iterable[tuple[int, int]]) -> None:
        """Codes of these pools were counted, each with its project, in a write that is final."""
        for pool in moved:
            left = self._left.get(pool) or random.randint(1, EVERY)
            self._left[pool] = left - 1 or EVERY
            if left == 1:
                self._tasks.start_soon(self._fold, pool)

    async def _fold(self, pool: tuple[int, int]) -> None:
        async def work(transaction: Transaction) -> int:
            return await transaction.run("moves_fold", *pool, AT_ONCE)

        try:
            with anyio.CancelScope(shield=True):
                await self._store.write(work)
        except VoucherError:
            self._left[pool] = 1  # the next write tries again
