"""Runs the jobs of one database in the background of a process.

One process at a time does so: the one that holds the lock "jobs", which the operating system drops when the
process dies. Another one then takes over, from the last commit: it looks when it opens a project, when a job
is put in, and when somebody asks for a job that did not end; and again as long as there are such jobs.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread

from voucher_mcp.backends.local.jobs import exports, jobs
from voucher_mcp.backends.local.jobs.job_input import InputJob, Record
from voucher_mcp.backends.local.jobs.job_kinds import kind_of
from voucher_mcp.backends.local.jobs.jobs import Chunk, Job, Key
from voucher_mcp.domain.crash import log_crash
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError
from voucher_mcp.domain.job import EXPORT
from voucher_mcp.stores.base import Store, Transaction
from voucher_mcp.stores.housekeeping import CHUNKS_AT_ONCE
from voucher_mcp.stores.pace import Pace

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""Between two tries for the lock, or for a database that cannot be reached."""

IGNORED_SHOWN = 100


class JobRunner:
    """The jobs of one store; `run` is its task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = store.lock("jobs")
        self._copying = store.lock("copies")
        self._writable: set[str] = set()
        self._wake = anyio.Event()

    def serve(self, project_id: str, *, writable: bool) -> None:
        """Run the jobs of a project too; only its exports where this process may not write in it."""
        if writable:
            self._writable.add(project_id)
        self.wake()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled; a job then stops after the rows that it is at."""
        pause = math.inf
        while True:
            with anyio.move_on_after(pause):
                await self._wake.wait()
            self._wake = anyio.Event()
            pause = math.inf if await self._look() else RETRY_SECONDS

    async def _look(self) -> bool:
        """Do what there is to do; false where something is left that could not be done now."""
        if self._store.read_only:
            return True
        try:
            await self._sweep()
            if await self._next() is None:
                return True
            if not await self._lock.acquire():
                return False
            try:
                while (key := await self._next()) is not None:
                    await self._finish(key)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._lock.release()
        except (Unavailable, OutcomeUnknown) as error:
            logger.warning("jobs wait: %s", error.message)
            return False
        return True

    async def _next(self) -> Key | None:
        """The oldest unfinished job that this process may run."""

        async def work(transaction: Transaction) -> list[tuple[Any, ...]]:
            return await transaction.all("jobs_unfinished")

        rows = await self._store.read(work)
        may_run = (Key(*key) for *key, kind, project in rows if kind == EXPORT or project in self._writable)
        return next(may_run, None)

    async def _finish(self, key: Key) -> None:
        """Run a job to its end, whatever that is.

        Raises:
            Unavailable, OutcomeUnknown: of the database; the job goes on later from its last commit.
        """
        try:
            job = await self._read(key)
            if job.error is not None:
                await self._end(job.failing(job.error))
            else:
                await (exports.run(self._store, key) if job.type == EXPORT else self._work_off(job))
        except (Unavailable, OutcomeUnknown):
            raise
        except jobs.JobGone:
            logger.warning("a job is not in the database any more, which was replaced")
        except VoucherError as error:
            await self._fail(key, error.message)
        except Exception as error:  # a fault of ours must not end the server, and not come back at each start
            reference = log_crash(logger, "a job", error)
            await self._fail(
                key, f"The job broke off: this is a fault in voucher-mcp (reference {reference})."
            )

    async def _work_off(self, job: Job) -> None:
        kind, pace = kind_of(job.type, job.parameters), Pace()
        while job.cursor < job.total:
            chunk = await self._chunk(job)
            records = await anyio.to_thread.run_sync(kind.prepare, chunk)
            if len(records) <= job.cursor - chunk.number:
                raise ValueError("the input has fewer rows than were counted")
            for part in pace.slices(records, job.cursor - chunk.number):

                async def work(transaction: Transaction, job: Job = job, part: Any = part) -> Job:
                    with pace.measured(len(part)):
                        return await _apply(transaction, kind, job, part)

                job = await self._store.write(work)
        await self._end(replace(job, status="DONE"))

    async def _fail(self, key: Key, reason: str) -> None:
        job = replace(await self._read(key), error=reason)
        await self._save(job)
        await self._end(job.failing(reason))

    async def _end(self, job: Job) -> None:
        """Drop the input, then say that the job ended; so an ended job has none."""
        await self._drop_chunks(job.key)
        await self._save(job)

    async def _save(self, job: Job) -> None:
        async def work(transaction: Transaction) -> Job:
            return await jobs.save(transaction, job)

        await self._store.write(work)

    async def _sweep(self) -> None:
        """Forget input that was never copied to its end; nobody copies while the lock can be had."""

        async def work(transaction: Transaction) -> list[tuple[Any, ...]]:
            return await transaction.all("jobs_receiving")

        if not await self._store.read(work) or not await self._copying.acquire():
            return
        try:
            # as a write, which waits for an enqueuing one whose caller was cancelled and let go of the lock
            for key in map(Key._make, await self._store.write(work)):
                await self._drop_chunks(key)

                async def forget(transaction: Transaction, key: Key = key) -> int:
                    return await transaction.run("job_delete", *key)

                await self._store.write(forget)
        finally:
            with anyio.CancelScope(shield=True):
                await self._copying.release()

    async def _drop_chunks(self, key: Key) -> None:
        async def work(transaction: Transaction) -> int:
            return await transaction.run("job_chunks_delete", *key, CHUNKS_AT_ONCE)

        while await self._store.write(work) == CHUNKS_AT_ONCE:
            pass

    async def _read(self, key: Key) -> Job:
        async def work(transaction: Transaction) -> Job:
            return await jobs.read(transaction, key)

        return await self._store.read(work)

    async def _chunk(self, job: Job) -> Chunk:
        async def work(transaction: Transaction) -> Chunk:
            row = await transaction.one("job_chunk_at", *job.key, job.cursor)
            assert row is not None
            return Chunk(*row)

        return await self._store.read(work)


async def _apply(transaction: Transaction, kind: InputJob, known: Job, part: Sequence[Record]) -> Job:
    """The effects of some rows and the job's new state.

    Raises:
        Unavailable: the job moved on meanwhile, which only a broken lock allows; nothing is done twice.
    """
    job = await jobs.read_to_change(transaction, known.key)
    if job.cursor != known.cursor or job.ended:
        raise Unavailable("Another process runs this job too. Try again later.")
    project = await jobs.project_of(transaction, job)
    outcome = await kind.deal_with(transaction, project, part, transaction.now())
    after = replace(
        job,
        status="IN_PROGRESS",
        cursor=job.cursor + len(part),
        done_count=job.done_count + outcome.done,
        failed_count=job.failed_count + len(outcome.failures),
        ignored=tuple(sorted({*job.ignored, *kind.ignored})[:IGNORED_SHOWN]),
    )
    return await jobs.save(transaction, after, outcome.failures)
