"""What a project of 20 million codes costs on PostgreSQL, beside the same in one of 20 thousand."""

import time
from collections.abc import Iterator

import anyio

from bench.engine import TEN_PERCENT, codes, make_pool, write
from bench.harness import Bench, Figure, Rounds, at_least, at_most, duration, rate
from bench.postgresql.server import connected, made, opened, served
from tests.databases.cluster import Cluster
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest
from voucher_mcp.domain.vouchers.pool import CodesQuery

CALLERS, PAGE, FEW = 16, 1_000, 20_000
SMALL, LARGE = "small", "large"

# As an import leaves it: rows, blocks and the pool's own counts.
_FILL = """
INSERT INTO vouchers (project, pool, code, status, updated_at, created_at)
SELECT $1, $2, upper(substr(md5(i::text), 1, 16)), 0, 0, 0 FROM generate_series($3::bigint, $4::bigint) AS i
"""
_COUNT = """
INSERT INTO code_blocks (project, pool, block, available, assigned, redeemed)
SELECT project, pool, n >> 13, count(*), 0, 0 FROM vouchers WHERE project = $1 GROUP BY project, pool, n >> 13
ON CONFLICT (project, pool, block) DO UPDATE SET available = excluded.available
"""
_TOTAL = """
UPDATE pools AS p SET available = (
    SELECT sum(available) FROM code_blocks AS b WHERE b.project = p.project AND b.pool = p.n
) WHERE project = $1
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Two pools of half as many codes each in one project; one small pool in another."""
    with served() as cluster:
        yield from anyio.run(_measure, bench, cluster)


async def _measure(bench: Bench, cluster: Cluster) -> list[Figure]:
    half = bench.size(10_000_000, 50_000)
    url = await _filled(bench, cluster, half)
    async with opened(url, bench.folder, LARGE) as large, opened(url, bench.folder, SMALL) as small:
        figures = [await _pages(bench, large, half), await _pool(bench, large, small, half)]
        figures.append(await _redeem(bench, large, small, half))
    return figures


async def _filled(bench: Bench, cluster: Cluster, half: int) -> str:
    url = await made(cluster, "large")
    async with opened(url, bench.folder, SMALL) as backend:
        await make_pool(backend, "pool", codes(FEW))
    async with opened(url, bench.folder, LARGE) as backend:
        for name in ("pool", "other"):
            await backend.create_voucher_pool(write("create_voucher_pool"), name, TEN_PERCENT, [])
    async with connected(url) as connection:
        pools = await connection.fetch(
            "SELECT o.project, o.n FROM pools AS o JOIN projects AS t ON t.n = o.project WHERE t.id = $1 "
            "ORDER BY o.n",
            LARGE,
        )
        for at, (project, pool) in enumerate(pools):
            for first in range(at * half, (at + 1) * half, 1_000_000):
                last = min(first + 1_000_000, (at + 1) * half) - 1
                await connection.execute(_FILL, project, pool, first, last)
        await connection.execute(_COUNT, pools[0][0])
        await connection.execute(_TOTAL, pools[0][0])
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    return url


async def _pages(bench: Bench, backend: LocalBackend, half: int) -> Figure:
    rounds, deep = Rounds(), half - max(half // 100, 2 * PAGE)

    async def page(skip: int) -> float:
        started = time.perf_counter()
        answer = await backend.list_voucher_codes("pool", CodesQuery(skip, PAGE))
        assert len(answer.data) == PAGE
        return time.perf_counter() - started

    for turn in range(bench.size(40, 3)):
        rounds.add(ours=await page(deep + turn), floor=await page(turn))
    return rounds.figure(f"PostgreSQL: page of 1,000, skip {deep:,} / 0", duration, at_most(2))


async def _pool(bench: Bench, large: LocalBackend, small: LocalBackend, half: int) -> Figure:
    rounds, calls = Rounds(), bench.size(200, 10)

    async def look(backend: LocalBackend) -> float:
        started = time.perf_counter()
        for _ in range(calls):
            await backend.get_voucher_pool("pool")
        return (time.perf_counter() - started) / calls

    for _ in range(bench.size(9, 2)):
        rounds.add(ours=await look(large), floor=await look(small))
    return rounds.figure(f"PostgreSQL: get_voucher_pool, {half:,} codes / {FEW:,}", duration, at_most(1.25))


async def _redeem(bench: Bench, large: LocalBackend, small: LocalBackend, half: int) -> Figure:
    rounds, calls = Rounds(), bench.size(125, 5)
    known = {small: list(codes(FEW)), large: await _some_codes(large, half, FEW)}

    async def redeem(backend: LocalBackend) -> float:
        async def caller() -> None:
            for _ in range(calls):
                request = RedemptionRequest([Redeemable(known[backend].pop())], order={"amount": 10_000})
                await backend.redeem_vouchers(write("redeem_vouchers"), request, "concise")

        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(caller)
        return calls * CALLERS / (time.perf_counter() - started)

    for _ in range(bench.size(7, 2)):
        rounds.add(ours=await redeem(large), floor=await redeem(small))
    title = f"PostgreSQL: redeem in a project of {2 * half:,} codes / {FEW:,}"
    return rounds.figure(title, rate, at_least(0.8))


async def _some_codes(backend: LocalBackend, half: int, count: int) -> list[str]:
    """Codes from all over the pool."""
    found: list[str] = []
    for skip in range(0, half - PAGE, max(PAGE, half // (count // PAGE))):
        answer = await backend.list_voucher_codes("pool", CodesQuery(skip, PAGE))
        found += [code["code"] for code in answer.data]
    return found
