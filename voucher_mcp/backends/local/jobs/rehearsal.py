"""A dry run of a job: the same work on the same rows, each slice of it undone."""

import time
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import anyio.to_thread

from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.jobs import jobs
from voucher_mcp.backends.local.jobs.job_input import Input, InputJob, Outcome, Record
from voucher_mcp.backends.local.jobs.job_kinds import kind_of
from voucher_mcp.backends.local.jobs.jobs import Chunk, Failure
from voucher_mcp.backends.local.jobs.pool_input import PoolInput
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.job import FAILURES_SHOWN
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.pace import Pace
from voucher_mcp.stores.projects import Project

SECONDS = 35.0
"""What a dry run may take; beyond it the answer says how many rows were tried (ours)."""

ROWS_SHOWN = 20
"""Rows that a dry run shows as they were read."""

_BUCKETS = 64


Source = Input | PoolInput


async def stream(source: Source) -> AsyncGenerator[Chunk, None]:
    """The chunks of a job's input: read in a worker thread, or from the database."""
    if isinstance(source, PoolInput):
        async with aclosing(source.read()) as pages:
            async for page in pages:
                yield page
        return
    chunks = source.chunks()
    while (chunk := await anyio.to_thread.run_sync(next, chunks, None)) is not None:
        yield chunk


async def rehearse(engine: Engine, write: Write, name: str, source: Source, currency: str) -> dict[str, Any]:
    """The result that a job would end with, as far as it can be known, and its first rows as they were read.

    Raises:
        InvalidInput: the input cannot be read.
    """
    counts, deadline = _Counts(), time.monotonic() + SECONDS
    kind: InputJob | None = None
    pace = Pace()
    rows: list[dict[str, Any]] = []
    async for chunk in stream(source):
        kind = kind or kind_of(name, source.parameters)
        records = await anyio.to_thread.run_sync(kind.prepare, chunk)
        rows += kind.show(records[: ROWS_SHOWN - len(rows)], currency)
        for part in pace.slices(records):
            counts.add(kind, part, await _undone(engine, write, kind, part, pace))
        if time.monotonic() > deadline:
            break
    assert kind is not None  # what has no rows cannot be read
    shown = {"columns": dict(kind.read_as)} if kind.read_as else {}
    return counts.result(kind) | shown | ({"rows": rows} if rows else {})


async def _undone(
    engine: Engine, write: Write, kind: InputJob, part: Sequence[Record], pace: Pace
) -> Outcome:
    async def effect(transaction: Transaction, project: Project) -> Answer[Outcome]:
        with pace.measured(len(part)):
            return Answer(await kind.deal_with(transaction, project, part, transaction.now()))

    return (await engine.write(write, effect)).data


class _Counts:
    """What was tried so far."""

    def __init__(self) -> None:
        self._tried = self._done = 0
        self._failures: list[Failure] = []
        self._codes = [array("q") for _ in range(_BUCKETS)]  # hashes: 8 bytes each, however many they are

    def add(self, kind: InputJob, part: Sequence[Record], outcome: Outcome) -> None:
        self._tried += len(part)
        self._done += outcome.done
        self._failures += outcome.failures[: FAILURES_SHOWN - len(self._failures)]
        if kind.makes_codes:
            failed = {failure.row for failure in outcome.failures}
            for record in part:
                if record.row not in failed:
                    number = hash(record.code)
                    self._codes[number % _BUCKETS].append(number)

    def result(self, kind: InputJob) -> dict[str, Any]:
        """As the job would have it; a code that comes again in another slice is counted, but not listed."""
        done = self._done - sum(len(codes) - len(set(codes)) for codes in self._codes)
        failed = [{"code": f.code, "reason": f.reason, "row": f.row} for f in self._failures]
        result = jobs.result_of(done, self._tried - done, failed, sorted(kind.ignored))
        return result | {"tried": self._tried}
