"""Codes handed out a second, beside a bare loop that writes the same rows and commits as many at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import anyio

from bench import floor_writes
from bench.engine import codes, make_pool, opened, remove, write
from bench.harness import Bench, Figure, Rounds, at_least, rate

POOL = "giveaway"
AVAILABLE = 100_000
RESULT = "x" * 200
"""As long as what the engine keeps of an answer."""


def measure(bench: Bench) -> Iterator[Figure]:
    """One caller against a commit for each assign, 32 at once against a commit for 32."""
    ours, floor = bench.folder / "assigning.db", bench.folder / "assigning-floor.db"
    anyio.run(_prepare, ours)
    remove(floor)
    floor_writes.prepare(floor, codes(AVAILABLE))
    for callers in (1, 32):
        calls, rounds = callers * bench.size(200, 20), Rounds()
        for _ in range(bench.size(7, 2)):
            customers = [f"customer {number % callers}" for number in range(calls)]
            bare = floor_writes.assign(floor, customers, callers, RESULT)
            rounds.add(ours=calls / anyio.run(_ours, ours, calls, callers), floor=calls / bare)
        target = at_least(0.7) if callers > 1 else None
        yield rounds.figure(f"assigns, {callers} at once / bare, {callers} a commit", rate, target)


async def _prepare(database: Path) -> None:
    remove(database)
    async with opened(database) as backend:
        await make_pool(backend, POOL, codes(AVAILABLE))


async def _ours(database: Path, calls: int, callers: int) -> float:
    """Seconds."""
    async with opened(database) as backend:

        async def caller(number: int) -> None:
            for _ in range(calls // callers):
                await backend.assign_voucher_code(write("assign_voucher_code"), POOL, f"customer {number}")

        await caller(0)  # once, so that opening is not in the time
        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(callers):
                tasks.start_soon(caller, number)
        return time.perf_counter() - started
