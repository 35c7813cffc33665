"""Counting guesses: codes that were asked for and do not exist, but read like codes of a pool.

A call that fails only leaves the text here. At most once a second those of a moment are looked up and counted
together, by pool and day; so a flood of them is no flood of writes, and no call waits for it. The texts
themselves are kept nowhere. Nothing of this may fail a call: what cannot be counted is forgotten.
"""

import logging
from collections import Counter
from collections.abc import Collection
from typing import Final

import anyio

from voucher_mcp.backends.local.records.references import as_json
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.health.guesses import reads_like
from voucher_mcp.domain.values.texts import looked_up, unstorable
from voucher_mcp.domain.values.times import day_of
from voucher_mcp.domain.vouchers.code_config import MAX_CODE_LENGTH
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction

logger = logging.getLogger(__name__)

MOMENT: Final = 1.0
"""Seconds between two times that they are counted."""

MOST_AT_ONCE: Final = 500
"""Different texts of a moment; more are not counted, for so many say enough."""


class Guesses:
    """The guesses at the codes of one project; `run` is their task."""

    def __init__(self, project_id: str, store: Store) -> None:
        self._project_id = project_id
        self._store = store
        self._texts: set[str] = set()
        self._wake = anyio.Event()

    def note(self, texts: Collection[str]) -> None:
        """Somebody asked for these, and for one of them in vain; those that exist count for nothing."""
        for text in map(looked_up, texts):
            if len(self._texts) == MOST_AT_ONCE:
                return
            if 0 < len(text) <= MAX_CODE_LENGTH and not unstorable(text):
                self._texts.add(text)
                self._wake.set()

    async def run(self) -> None:
        """Count them until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            texts, self._texts = self._texts, set()
            try:
                await self._count(texts)
            except VoucherError as error:
                logger.info("guesses were not counted: %s", error.message)
            await anyio.sleep(MOMENT)

    async def _count(self, texts: Collection[str]) -> None:
        if self._store.read_only:
            return

        async def look(transaction: Transaction) -> tuple[int, Counter[int]]:
            project = await projects.find(transaction, self._project_id)
            if project is None:
                return 0, Counter()
            return project.n, await _pools(transaction, project.n, texts)

        project, pools = await self._store.read(look)
        if not pools:
            return

        async def count(transaction: Transaction) -> None:
            day = day_of(transaction.now())
            rows = [(project, day, pool, guesses) for pool, guesses in sorted(pools.items())]
            await transaction.many("pool_guesses_count", rows)

        await self._store.write(count)


async def _pools(transaction: Transaction, project: int, texts: Collection[str]) -> Counter[int]:
    """How many of these are guesses at codes of which pool.

    Codes that begin alike stand together in the order of codes, so that those beside a text tell whether any
    begins like it.
    """
    pools: Counter[int] = Counter()
    for text, *beside in await transaction.all("codes_beside", project, as_json(list(texts))):
        above, of_above, below, of_below = beside
        if above == text:
            continue  # there it is, or lies in the bin
        for code, pool in ((above, of_above), (below, of_below)):
            if code is not None and pool is not None and reads_like(text, code):
                pools[pool] += 1
                break
    return pools
