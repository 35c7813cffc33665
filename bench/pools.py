"""One pool, and the list of pools: what they cost must not depend on the codes in them."""

import time
from collections.abc import Awaitable, Callable, Iterator

import anyio

from bench import large_pool
from bench.engine import codes, make_pool, opened, remove
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.backends.base import Backend

SMALL = 1_000
CALLS = 100
"""In one measurement, as a single call takes microseconds."""

Call = Callable[[Backend], Awaitable[object]]


def measure(bench: Bench) -> Iterator[Figure]:
    """A database with one large pool against one with a small pool."""
    return iter(anyio.run(_measure, bench))


async def _measure(bench: Bench) -> list[Figure]:
    size = large_pool.size(bench)
    database = bench.folder / "small.db"
    remove(database)
    async with opened(database) as small:
        await make_pool(small, large_pool.POOL, codes(SMALL))
    # opened again like the large one: right after its import a database answers a fifth sooner
    async with opened(await large_pool.whole(bench)) as large, opened(database) as small:
        get = await _compare(large, small, lambda backend: backend.get_voucher_pool(large_pool.POOL))
        listing = await _compare(large, small, lambda backend: backend.list_voucher_pools(0, 1_000))
    named = f"{size:,} codes / {SMALL:,}"
    return [
        get.figure(f"get_voucher_pool, {named}", duration, at_most(1.25)),
        listing.figure(f"list_voucher_pools, {named}", duration, at_most(1.25)),
    ]


async def _compare(large: Backend, small: Backend, call: Call) -> Rounds:
    rounds = Rounds()
    for _ in range(30):
        floor = await _seconds(small, call)
        rounds.add(ours=await _seconds(large, call), floor=floor)
    return rounds


async def _seconds(backend: Backend, call: Call) -> float:
    """Of one call."""
    started = time.perf_counter()
    for _ in range(CALLS):
        await call(backend)
    return (time.perf_counter() - started) / CALLS
