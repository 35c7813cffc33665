"""Runs the jobs of one database in the background of a process, one after the other.

Any process that serves a job's project may run it: the one that holds its lock, which is dropped when the
process dies. Another one then takes over, from the last commit: it looks when it opens a project, when a job
is put in, and when somebody asks for a job that did not end; and again as long as there are such jobs. Where
many write at once each job has a lock of its own, so that several run side by side; where they take turns one
lock is for all.

The lock says who tries. What was done is safe without it: each step is taken in a transaction that finds the
job as the step before has left it, and only there. So of two that run one job, one stops at its next step.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
from pydantic_core import to_json

from voucher_mcp.backends.local.jobs import exports, jobs
from voucher_mcp.backends.local.jobs.job_input import InputJob, Record
from voucher_mcp.backends.local.jobs.job_kinds import kind_of
from voucher_mcp.backends.local.jobs.jobs import Chunk, Job, Key
from voucher_mcp.domain.change import too_many
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

_LOCK = "job-"
"""How the locks of single jobs begin."""


class JobRunner:
    """The jobs of one store; `run` is its task."""

    def __init__(self, store: Store) -> None:
        self._store = store
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
        self._store.sweep_locks(_LOCK)
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
            while unfinished := await self._unfinished():
                if not await self._run_one(unfinished):
                    return False
        except (Unavailable, OutcomeUnknown) as error:
            logger.warning("jobs wait: %s", error.message)
            return False
        return True

    async def _unfinished(self) -> list[Key]:
        """The jobs that did not end and that this process may run, the oldest first."""

        async def work(transaction: Transaction) -> list[tuple[Any, ...]]:
            return await transaction.all("jobs_unfinished")

        rows = await self._store.read(work)
        return [Key(*key) for *key, kind, project in rows if kind == EXPORT or project in self._writable]

    async def _run_one(self, unfinished: Sequence[Key]) -> bool:
        """Run the oldest of these jobs that nobody else runs; false where there is none."""
        oldest: dict[str, Key] = {}
        for key in unfinished:
            oldest.setdefault(self._lock_of(key), key)
        for name, key in oldest.items():
            lock = self._store.lock(name)
            if await lock.acquire():
                over = False
                try:
                    await self._finish(key)
                    over = True
                finally:
                    with anyio.CancelScope(shield=True):
                        await lock.release(forget=over and self._store.side_by_side)
                return True
        return False

    def _lock_of(self, key: Key) -> str:
        return f"{_LOCK}{key.project}-{key.n}" if self._store.side_by_side else "jobs"

    async def _finish(self, key: Key) -> None:
        """Run a job to its end, whatever that is, or until somebody else runs it.

        Raises:
            Unavailable, OutcomeUnknown: of the database; the job goes on later from its last commit.
        """
        try:
            await _Run(self._store, await self._read(key)).finish()
        except jobs.JobGone:
            logger.warning("a job is not in the database any more, which was replaced")
        except jobs.TakenOver:
            logger.info("a job goes on in another process")

    async def _sweep(self) -> None:
        """Forget input that was never copied to its end; nobody copies while the lock can be had."""

        async def work(transaction: Transaction) -> list[tuple[Any, ...]]:
            return await transaction.all("jobs_receiving")

        if not await self._store.read(work) or not await self._copying.acquire():
            return
        try:
            # as a write, which waits for an enqueuing one whose caller was cancelled and let go of the lock
            for key in map(Key._make, await self._store.write(work)):
                with suppress(jobs.JobGone, jobs.TakenOver):
                    await _Run(self._store, await self._read(key)).forget()
        finally:
            with anyio.CancelScope(shield=True):
                await self._copying.release()

    async def _read(self, key: Key) -> Job:
        async def work(transaction: Transaction) -> Job:
            return await jobs.read(transaction, key)

        return await self._store.read(work)


class _Run:
    """One job at work in this process, which knows how far it is.

    Everything here raises TakenOver where another process has gone on with it, and JobGone where it is not
    there any more.
    """

    def __init__(self, store: Store, job: Job) -> None:
        self._store = store
        self._job = job

    async def finish(self) -> None:
        """Run it to its end, whatever that is.

        Raises:
            Unavailable, OutcomeUnknown: of the database.
        """
        try:
            if self._job.error is None:
                await (self._export() if self._job.type == EXPORT else self._work_off())
        except (Unavailable, OutcomeUnknown, jobs.JobGone, jobs.TakenOver):
            raise
        except VoucherError as error:
            await self._fail(error.message)
        except Exception as error:  # a fault of ours must not end the server, and not come back at each start
            reference = log_crash(logger, "a job", error)
            await self._fail(f"The job broke off: this is a fault in voucher-mcp (reference {reference}).")
        if not self._job.ended:
            await self._end()

    async def forget(self) -> None:
        """Remove it, if its input was never copied to its end; whoever comes to copy it still finds it so."""
        if self._job.status == "RECEIVING":
            await self._save(error="It was left over.")
            await self._drop_chunks()

            async def delete(transaction: Transaction, job: Job) -> Job:
                await transaction.run("job_delete", *job.key)
                return job

            await self._step(delete)

    async def _export(self) -> None:
        pace = Pace()

        async def work(transaction: Transaction, job: Job) -> Job:
            with pace.measured(size := pace.size):
                return await exports.step(transaction, job, size)

        while not self._job.ended:
            await self._step(work)

    async def _work_off(self) -> None:
        kind, pace = kind_of(self._job.type, self._job.parameters), Pace()
        while self._job.cursor < self._job.total:
            chunk = await self._chunk()
            records = await anyio.to_thread.run_sync(kind.prepare, chunk)
            if len(records) <= self._job.cursor - chunk.number:
                raise ValueError("the input has fewer rows than were counted")
            for part in pace.slices(records, self._job.cursor - chunk.number):

                async def work(transaction: Transaction, job: Job, part: Any = part) -> Job:
                    with pace.measured(len(part)):
                        return await _apply(transaction, kind, job, part)

                await self._step(work)

    async def _fail(self, reason: str) -> None:
        await self._save(error=reason)

    async def _end(self) -> None:
        """Drop the input, then say that the job ended; so an ended job has none.

        Whoever runs it needs no input any more: all of it is dealt with, or the job has an error.
        """
        await self._drop_chunks()
        await self._save(status="DONE" if self._job.error is None else "FAILED")

    async def _save(self, **changes: Any) -> None:
        async def work(transaction: Transaction, job: Job) -> Job:
            return await jobs.save(transaction, replace(job, **changes))

        await self._step(work)

    async def _step(self, work: Callable[[Transaction, Job], Awaitable[Job]]) -> None:
        """Do something, and change how far the job is, in one transaction."""
        known = self._job

        async def step(transaction: Transaction) -> Job:
            return await work(transaction, await jobs.read_to_change(transaction, known))

        self._job = await self._store.write(step)

    async def _chunk(self) -> Chunk:
        known = self._job

        async def work(transaction: Transaction) -> Chunk:
            await jobs.require(transaction, known)
            row = await transaction.one("job_chunk_at", *known.key, known.cursor)
            assert row is not None
            return Chunk(*row)

        return await self._store.read(work)

    async def _drop_chunks(self) -> None:
        async def work(transaction: Transaction) -> int:
            return await transaction.run("job_chunks_delete", *self._job.key, CHUNKS_AT_ONCE)

        while await self._store.write(work) == CHUNKS_AT_ONCE:
            pass


async def _apply(transaction: Transaction, kind: InputJob, job: Job, part: Sequence[Record]) -> Job:
    """The effects of some rows and the job's new state."""
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
    if outcome.trace and not too_many(job.total, makes=kind.makes_codes):
        trace = to_json(outcome.trace).decode()
        await transaction.later("job_trace_insert", *job.key, job.cursor, trace)
    return await jobs.save(transaction, after, outcome.failures)
