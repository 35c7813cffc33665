"""Any number of codes into a pool, in batches that leave others their turn.

Each batch is a transaction of its own. Its size follows the clock, so that a writer in another process waits
about as long on a slow machine as on a fast one.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.ids import Project
from voucher_mcp.backends.local.pace import Pace
from voucher_mcp.backends.local.pools import codes, pools
from voucher_mcp.backends.local.references import is_an_id
from voucher_mcp.backends.local.stores.base import Transaction
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.pool import ImportedBatch, NewCode, Taken
from voucher_mcp.domain.times import now
from voucher_mcp.domain.write import Worth, Write

BATCH_SECONDS = 0.12
"""What a transaction may take, without its commit: the commit's flush costs the same for fewer codes."""

SMALLEST, FIRST, LARGEST = 5_000, 10_000, 50_000


class Batches:
    """Adds codes to one pool and says of each batch what became of it."""

    def __init__(self, engine: Engine, write: Write, pool_id: str) -> None:
        self._engine = engine
        self._write = replace(write, key=None)  # one key cannot stand for many writes
        self._pool_id = pool_id
        self._first_n: int | None = None
        self._pace = Pace(BATCH_SECONDS, SMALLEST, FIRST, LARGEST)

    async def run(self, wanted: Iterable[NewCode]) -> AsyncIterator[ImportedBatch]:
        rest = iter(wanted)
        while batch := list(islice(rest, self._pace.size)):
            yield await self._run(batch)

    async def _run(self, batch: Sequence[NewCode]) -> ImportedBatch:
        async def effect(transaction: Transaction, project: Project) -> Answer[ImportedBatch]:
            with self._pace.measured(len(batch)):
                rejected = await self._add(transaction, project, batch)
            return Answer(ImportedBatch(len(batch) - len(rejected), rejected))

        write = replace(self._write, worth=Worth(codes=len(batch)))
        return (await self._engine.write(write, effect)).data

    async def _add(
        self, transaction: Transaction, project: Project, batch: Sequence[NewCode]
    ) -> list[tuple[NewCode, Taken]]:
        pool = await pools.find(transaction, project, self._pool_id)
        if self._first_n is None:
            self._first_n = await codes.last_row(transaction) + 1
        fit = [code for code in batch if not is_an_id(project, code.value)]
        last, count = await codes.store(transaction, project, pool, fit, now())
        if count == len(batch):
            return []
        added = await codes.rows_after(transaction, last)
        return [
            (code, await self._reason(transaction, project, pool, code.value))
            for code in batch
            if added.pop(code.value, None) is None
        ]

    async def _reason(self, transaction: Transaction, project: Project, pool: pools.Pool, code: str) -> Taken:
        if is_an_id(project, code):
            return Taken.IS_AN_ID
        row = await transaction.one("code_owner", project.n, code)
        assert row is not None  # someone has the code, or it would have been added
        assert self._first_n is not None
        n, owner, status = row
        if owner != pool.n:
            return Taken.IN_PROJECT
        if status == codes.DELETED:
            return Taken.DELETED
        return Taken.IN_POOL if n < self._first_n else Taken.IN_FILE
