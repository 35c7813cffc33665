"""Any number of codes into a pool, in batches that leave others their turn.

Each batch is a transaction of its own. Its size follows the clock, so that a writer in another process waits
about as long on a slow machine as on a fast one. All of them share one line of the journal.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.records import codes, pools, taken
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.vouchers.pool import ImportedBatch, NewCode, Taken
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.journal import records
from voucher_mcp.journal.records import DryRun
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.pace import Pace
from voucher_mcp.stores.projects import Project

BATCH_SECONDS = 0.12
"""What a transaction may take, without its commit: the commit's flush costs the same for fewer codes."""

SMALLEST, FIRST, LARGEST = 5_000, 10_000, 50_000


class _NothingFits(Exception):
    """Undoes a batch that would leave an empty pool behind."""

    def __init__(self, batch: ImportedBatch) -> None:
        super().__init__("nothing fits")
        self.batch = batch


class Batches:
    """Adds codes to one pool and says of each batch what became of it."""

    def __init__(self, engine: Engine, write: Write, pool_id: str, voucher: Mapping[str, Any] | None) -> None:
        self._engine = engine
        self._write = write
        self._pool_id = pool_id
        self._voucher = voucher
        self._line: int | None = None
        self._first_n: int | None = None
        self._pace = Pace(BATCH_SECONDS, SMALLEST, FIRST, LARGEST)

    async def run(self, wanted: Iterable[NewCode]) -> AsyncGenerator[ImportedBatch]:
        rest = iter(wanted)
        while batch := list(islice(rest, self._pace.size)):
            yield await self._run(batch)

    async def _run(self, batch: Sequence[NewCode]) -> ImportedBatch:
        async def work(transaction: Transaction) -> tuple[int, int | None, ImportedBatch]:
            project = await self._engine.find_or_make_project(transaction)
            with self._pace.measured(len(batch)):
                pool, is_new = await self._pool(transaction, project)
                first_n, rejected = await self._add(transaction, project, pool, batch)
            done = ImportedBatch(len(batch) - len(rejected), rejected)
            if is_new and not done.added:
                raise _NothingFits(done)
            if self._write.dry_run:
                raise DryRun(Answer(done))
            write = replace(self._write, worth=Worth(codes=done.added))
            return await records.go_on(transaction, project, write, self._line), first_n, done

        try:
            self._line, self._first_n, done = await self._engine.store.write(
                work, kept=not self._write.dry_run
            )
        except _NothingFits as undone:
            return undone.batch
        except DryRun as undone:
            shown: ImportedBatch = undone.answer.data
            return shown
        return done

    async def _pool(self, transaction: Transaction, project: Project) -> tuple[pools.Pool, bool]:
        """The pool, and whether it was made now: the first codes that fit make it."""
        try:
            return await pools.find(transaction, project, self._pool_id), False
        except NotFound:
            if self._voucher is None or self._line is not None:  # or somebody deleted it meanwhile
                raise
        pool = await pools.create(transaction, project, self._pool_id, self._voucher, transaction.now())
        return pool, True

    async def _add(
        self, transaction: Transaction, project: Project, pool: pools.Pool, batch: Sequence[NewCode]
    ) -> tuple[int | None, list[tuple[NewCode, str]]]:
        """The row of the first code of all batches, and what was refused of this one."""
        rows = await codes.store(transaction, project, pool, batch, transaction.now())
        first_n = self._first_n
        if first_n is None:
            first_n = next((n for n in rows if n is not None), None)
        refused = [code for code, n in zip(batch, rows, strict=True) if n is None]
        texts = list({code.value for code in refused})
        reasons = await taken.reasons(transaction, project, texts, pool.n, first_n, Taken.IN_FILE)
        return first_n, [(code, reasons[code.value]) for code in refused]
