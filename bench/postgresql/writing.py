"""Redemptions and assigns a second on PostgreSQL, beside pgbench with one statement for each."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from bench.engine import TEN_PERCENT, codes, make_pool, write
from bench.harness import Bench, Figure, Rounds, at_least, rate
from bench.postgresql import floors
from bench.postgresql.server import connected, made, opened, pgbench, served
from tests.databases.cluster import Cluster
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest

FEW, MANY = 16, 64
ORDER = {"amount": 10_000}
POOL, HOT = "campaign", "HOT"
_Call = Callable[[LocalBackend, int], Coroutine[Any, Any, object]]


@dataclass
class _Side:
    """A database with one pool of single-use codes, of which each is used once."""

    url: str
    codes: Iterator[str]


def measure(bench: Bench) -> Iterator[Figure]:
    """16 and 64 callers in one process, on one pool."""
    with served() as cluster:
        yield from anyio.run(_measure, bench, cluster)


async def _measure(bench: Bench, cluster: Cluster) -> list[Figure]:
    calls, turns, seconds = bench.size(3_000, 200), bench.size(5, 2), bench.size(5, 1)
    size = bench.size(250_000, 20_000)
    ours = await _filled(bench, cluster, "ours", size)
    floor = await _filled(bench, cluster, "floor", size)

    async def redeem(backend: LocalBackend, _: int) -> None:
        request = RedemptionRequest([Redeemable(next(ours.codes))], order=ORDER)
        await backend.redeem_vouchers(write("redeem_vouchers"), request, "concise")

    async def redeem_hot(backend: LocalBackend, _: int) -> None:
        request = RedemptionRequest([Redeemable(HOT)], order=ORDER)
        await backend.redeem_vouchers(write("redeem_vouchers"), request, "concise")

    async def assign(backend: LocalBackend, caller: int) -> None:
        await backend.assign_voucher_code(write("assign_voucher_code"), POOL, f"customer {caller}")

    figures = []
    for name, call in (("redeem", redeem), ("assign", assign)):
        few, many = Rounds(), Rounds()
        for _ in range(turns):
            bare = pgbench(floor.url, floors.script(bench.folder, name), FEW, seconds)
            at_few = await _rate(bench, ours.url, call, calls, FEW)
            few.add(ours=at_few, floor=bare)
            many.add(ours=await _rate(bench, ours.url, call, calls, MANY), floor=at_few)
        figures.append(few.figure(f"PostgreSQL: {name}, {FEW} callers / pgbench", rate, at_least(0.6)))
        figures.append(many.figure(f"PostgreSQL: {name}, {MANY} callers / {FEW}", rate, at_least(0.5)))
    hot = Rounds()
    for _ in range(turns):
        bare = pgbench(floor.url, floors.script(bench.folder, "hot"), MANY, seconds)
        hot.add(ours=await _rate(bench, ours.url, redeem_hot, calls, MANY), floor=bare)
    title = f"PostgreSQL: redeem of one code, {MANY} callers / pgbench, one hot row"
    figures.append(hot.figure(title, rate, at_least(0.5)))
    return figures


async def _filled(bench: Bench, cluster: Cluster, name: str, size: int) -> _Side:
    url = await made(cluster, name)
    async with opened(url, bench.folder) as backend:
        await make_pool(backend, POOL, codes(size))
        many = {**TEN_PERCENT, "redemption": {"quantity": None}}
        await backend.create_voucher(write("create_voucher"), HOT, many, "concise")
    async with connected(url) as connection:
        await connection.execute("CREATE SEQUENCE floor_n")
        await connection.execute("VACUUM ANALYZE")
        first = await connection.fetchval("SELECT min(n) FROM vouchers")
        assert first == 1
    # from the end, as codes are handed out from the beginning
    return _Side(url, iter(list(codes(size))[::-1]))


@asynccontextmanager
async def _warm(url: str, folder: Path, call: _Call, callers: int) -> AsyncIterator[LocalBackend]:
    """With its connections open and their statements prepared."""
    async with opened(url, folder) as backend:
        async with anyio.create_task_group() as tasks:
            for caller in range(callers):
                tasks.start_soon(call, backend, caller)
        yield backend


async def _rate(bench: Bench, url: str, call: _Call, calls: int, callers: int) -> float:
    """Calls a second."""
    async with _warm(url, bench.folder, call, callers) as backend:

        async def caller(number: int) -> None:
            for _ in range(calls // callers):
                await call(backend, number)

        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(callers):
                tasks.start_soon(caller, number)
        return calls // callers * callers / (time.perf_counter() - started)
