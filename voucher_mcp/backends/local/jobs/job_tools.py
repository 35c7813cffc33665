"""The job tools on the embedded engine: imports, bulk updates, exports, and how far they have come."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio

from voucher_mcp.backends.base import Fields, Object
from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.guesses import Guesses
from voucher_mcp.backends.local.jobs import exports, jobs
from voucher_mcp.backends.local.jobs.bulk_updates import EachUpdate, SameUpdate
from voucher_mcp.backends.local.jobs.import_folder import read_blocks
from voucher_mcp.backends.local.jobs.imports import CsvImport, JsonImport
from voucher_mcp.backends.local.jobs.job_input import CHUNK_BYTES, JsonInput, too_large
from voucher_mcp.backends.local.jobs.job_runner import JobRunner
from voucher_mcp.backends.local.jobs.jobs import Job
from voucher_mcp.backends.local.jobs.pool_input import PoolInput
from voucher_mcp.backends.local.jobs.rehearsal import Source, rehearse, stream
from voucher_mcp.backends.local.jobs.voucher_csv import CsvInput
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import too_many
from voucher_mcp.domain.errors import NotFound, Unavailable, quoted
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.job import EXPORT, MAX_INPUT_BYTES
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.vouchers.voucher import parse_metadata
from voucher_mcp.domain.write import Write
from voucher_mcp.journal.records import first_result
from voucher_mcp.stores.base import Store, Transaction
from voucher_mcp.stores.projects import Project

EXPORTS_LISTED = 20
_LOCK_POLL = 0.01

_FILE_INSTEAD = "A larger CSV file goes in by `path` of import_vouchers_using_csv, once it is in import_dir."
_POOL_INSTEAD = "`pool_id` takes all codes of a pool."


class JobTools(Engine):
    """What runs on after the call that began it."""

    def __init__(
        self,
        project_id: str,
        store: Store,
        timezone: str = "UTC",
        *,
        currency: str = "EUR",
        runner: JobRunner | None = None,
        import_dir: Path | None = None,
        guesses: Guesses | None = None,
    ) -> None:
        super().__init__(project_id, store, timezone, guesses=guesses)
        self._currency = currency
        self._runner = runner
        self._import_dir = import_dir

    async def import_vouchers(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        return await self._begin(
            write, JsonImport.type, JsonInput(vouchers, "vouchers", instead=_FILE_INSTEAD)
        )

    async def import_vouchers_using_csv(self, write: Write, csv: CsvSource) -> Answer[Object]:
        place = Place(self.zone, MINOR_UNITS[self._currency])
        if csv.path is not None:
            source = CsvInput(read_blocks(self._import_dir, csv.path), "path", place)
        else:
            source = CsvInput(_text_blocks(csv.text or ""), "csv", place)
        return await self._begin(write, CsvImport.type, source)

    async def update_vouchers_in_bulk(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        return await self._begin(write, EachUpdate.type, JsonInput(vouchers, "vouchers"))

    async def update_vouchers_metadata_in_bulk(
        self, write: Write, codes: Sequence[str] | None, metadata: Fields, pool_id: str | None = None
    ) -> Answer[Object]:
        shared = {"metadata": parse_metadata(metadata, "metadata")}
        source: Source = JsonInput(codes or (), "codes", shared, instead=_POOL_INSTEAD)
        if pool_id is not None:
            source = PoolInput(self, pool_id, shared)
        return await self._begin(write, SameUpdate.type, source)

    async def export_voucher_transactions(
        self, write: Write, code: str, order: str | None, fields: Sequence[str] | None
    ) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            job = await exports.begin(transaction, project, code, order, fields, write.caller)
            shown = jobs.public_export(job, self.project_id)
            return Answer({**shown, "id": None} if write.dry_run else shown)

        answer = await self.write(write, effect)
        self._wake()
        return answer

    async def get_async_action(self, async_action_id: str) -> Answer[Object]:
        async def work(transaction: Transaction, project: Project | None) -> tuple[Job, Object]:
            job = await jobs.find(transaction, project, async_action_id, export=False)
            return job, await jobs.public_action(transaction, job)

        job, shown = await self.read(work)
        if not job.ended:
            self._wake()
        return Answer(shown)

    async def get_export(self, export_id: str) -> Answer[Object]:
        async def work(transaction: Transaction, project: Project | None) -> Job:
            return await jobs.find(transaction, project, export_id, export=True)

        job = await self.read(work)
        if not job.ended:
            self._wake()
        return Answer(jobs.public_export(job, self.project_id))

    async def list_exports(self) -> Answer[list[Object]]:
        async def work(transaction: Transaction, project: Project | None) -> list[Job]:
            return await jobs.ended(transaction, project, EXPORT, EXPORTS_LISTED)

        return Answer([jobs.public_export(job, self.project_id) for job in await self.read(work)])

    async def read_export(self, export_id: str) -> AsyncGenerator[str]:
        piece: exports.Piece | None = exports.BEFORE_ALL
        while piece is not None:

            async def work(
                transaction: Transaction, project: Project | None, last: exports.Piece = piece
            ) -> exports.Piece | None:
                job = await jobs.find(transaction, project, export_id, export=True)
                if job.status != "DONE":
                    raise NotFound(
                        f"The export {quoted(export_id)} is not finished; get_export says how far it is."
                    )
                return await exports.piece_after(transaction, job, last)

            piece = await self.read(work)  # no reader of the database waits for whoever takes the pieces
            if piece is not None:
                yield piece.text

    async def _begin(self, write: Write, kind: str, source: Source) -> Answer[Object]:
        """Copy the input, then put the job in, both of which outlive this process."""
        if write.dry_run:
            result = await rehearse(self, write, kind, source, self._currency)
            return Answer({"async_action_id": None, "result": result}, {"dry_run": True})
        if (first := await self._replayed(write)) is not None:
            return first
        makes = kind in (JsonImport.type, CsvImport.type)
        try:
            async with self._copying():
                job = await self._receive(write, kind, source)

                async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
                    await jobs.enqueue(transaction, job, source.parameters, source.total)
                    much = {"too_many": source.total} if too_many(source.total, makes=makes) else {}
                    return Answer({"async_action_id": job.id}, undo=much)

                return await self.write(write, effect)
        except (jobs.JobGone, jobs.TakenOver):
            raise Unavailable(
                "This process stood still for long while it copied the input. Others took the copy for left "
                "over, and removed it. Call again."
            ) from None

    async def _replayed(self, write: Write) -> Answer[Object] | None:
        async def work(transaction: Transaction, project: Project | None) -> Answer[Object] | None:
            return await first_result(transaction, project, write) if project else None

        return await self.read(work)

    @asynccontextmanager
    async def _copying(self) -> AsyncIterator[None]:
        """Hold the lock that says: what is being received is not left over. The runner sweeps what is."""
        lock = self.store.lock("copies")
        while not await lock.acquire(shared=True):  # noqa: ASYNC110
            await anyio.sleep(_LOCK_POLL)  # no event comes from another process
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await lock.release()
            self._wake()

    async def _receive(self, write: Write, kind: str, source: Source) -> Job:
        """Copy the input chunk by chunk, each in a transaction of its own, so that nobody waits for long."""

        async def start(transaction: Transaction) -> Job:
            project = await self.find_or_make_project(transaction)
            return await jobs.insert(transaction, project, kind, "RECEIVING", write.caller)

        job: Job | None = None
        async with aclosing(stream(source)) as chunks:
            async for chunk in chunks:
                if job is None:
                    begun = await self.store.write(start)
                    job = begun

                async def add(transaction: Transaction, job: Job = job, chunk: jobs.Chunk = chunk) -> int:
                    await jobs.read_to_change(transaction, job)
                    return await transaction.run("job_chunk_insert", *job.key, *chunk)

                await self.store.write(add)
        assert job is not None  # what has no rows cannot be read
        return job

    def _wake(self) -> None:
        if self._runner is not None:
            self._runner.wake()


def _text_blocks(text: str) -> Iterator[bytes]:
    """CSV that came as an argument; a lone surrogate will be no UTF-8."""
    content = text.encode("utf-8", "surrogatepass")
    if len(content) > MAX_INPUT_BYTES:
        raise too_large("csv", _FILE_INSTEAD)
    return (content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))
