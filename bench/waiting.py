"""What an import in one process makes a write in another one wait, and what those writes cost the import."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import anyio

from bench.engine import codes, make_pool, opened, remove, write
from bench.harness import Bench, Figure, Rounds, duration
from bench.importing import command, csv_file, import_file
from voucher_mcp.backends.local.adapter import LocalBackend

LONGEST = 0.5
POOL = "giveaway"
PAUSE = 0.01
"""Between one answer and the next call, as callers do not come back at once."""


def measure(bench: Bench) -> Iterator[Figure]:
    """Assigns one after the other during a whole import, against assigns before it."""
    count = bench.size(1_000_000, 100_000)
    file = csv_file(bench, count)
    slowdown, waits, alone = Rounds(), list[float](), list[float]()
    for _ in range(bench.size(3, 1)):
        floor = import_file(bench, file).seconds
        ours = anyio.run(_import_beside_assigns, bench, file, waits, alone)
        slowdown.add(ours=ours, floor=floor)
    waits.sort()
    alone.sort()
    for name, of, target in (("p50", 50, False), ("p99", 99, False), ("longest", 100, True)):
        ours, floor = _percentile(waits, of), _percentile(alone, of)
        yield Figure(
            f"assign during another process's import, {name} / before it",
            duration(ours),
            duration(floor),
            ours / floor,
            f"≤ {duration(LONGEST)}" if target else "–",
            ours <= LONGEST if target else None,
        )
    yield slowdown.figure("that import / with no assigns", duration)


async def _import_beside_assigns(bench: Bench, file: Path, waits: list[float], alone: list[float]) -> float:
    """Seconds that the import took; how long each assign took goes into the lists."""
    database = bench.folder / "waiting.db"
    remove(database)
    async with opened(database) as backend:
        await make_pool(backend, POOL, codes(20_000, first=2_000_000_000))
        for _ in range(100):
            alone.append(await _assign(backend))
        started = time.perf_counter()
        async with await anyio.open_process(
            command(database, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.returncode is None:
                waits.append(await _assign(backend))
        assert process.returncode == 0
        return time.perf_counter() - started


async def _assign(backend: LocalBackend) -> float:
    started = time.perf_counter()
    await backend.assign_voucher_code(write("assign_voucher_code"), POOL, "customer")
    seconds = time.perf_counter() - started
    await anyio.sleep(PAUSE)
    return seconds


def _percentile(ordered: list[float], of: int) -> float:
    return ordered[-1] if of == 100 else quantiles(ordered, n=100, method="inclusive")[of - 1]
