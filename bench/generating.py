"""Random codes made and stored, beside an import of as many."""

import time
from collections.abc import Iterator
from pathlib import Path

import anyio

from bench.engine import codes, make_pool, opened, remove, write
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.domain.vouchers.code_config import CodeConfig
from voucher_mcp.domain.vouchers.pool import Generation

A_CALL = 50_000


def measure(bench: Bench) -> Iterator[Figure]:
    """Calls of add_voucher_codes against the engine's own import, each into a fresh database."""
    count = bench.size(1_000_000, 100_000)
    rounds = Rounds()
    for _ in range(bench.size(3, 2)):
        floor = anyio.run(_import, _fresh(bench), count)
        rounds.add(ours=anyio.run(_generate, _fresh(bench), count), floor=floor)
    yield rounds.figure(f"{count:,} codes generated / imported", duration, at_most(1.5))


def _fresh(bench: Bench) -> Path:
    database = bench.folder / "generating.db"
    remove(database)
    return database


async def _import(database: Path, count: int) -> float:
    async with opened(database) as backend:
        values = list(codes(count))
        started = time.perf_counter()
        await make_pool(backend, "imported", values)
        return time.perf_counter() - started


async def _generate(database: Path, count: int) -> float:
    generation = Generation(A_CALL, CodeConfig(length=12))
    async with opened(database) as backend:
        started = time.perf_counter()
        pool_id = await make_pool(backend, "generated")
        for _ in range(0, count, A_CALL):
            await backend.add_voucher_codes(write("add_voucher_codes"), pool_id, generation)
        return time.perf_counter() - started
