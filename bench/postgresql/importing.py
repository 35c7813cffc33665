"""A million codes into a pool on PostgreSQL, beside a bare COPY of the same rows into the same table."""

import time
from collections.abc import Iterator
from typing import Any

import anyio

from bench.engine import codes, make_pool
from bench.harness import Bench, Figure, Rounds, at_least, rate
from bench.postgresql.server import connected, made, opened, served
from tests.databases.cluster import Cluster

_COLUMNS = ("project", "pool", "code", "status", "updated_at", "created_at")


def measure(bench: Bench) -> Iterator[Figure]:
    """Each round into new databases."""
    with served() as cluster:
        yield from anyio.run(_measure, bench, cluster)


async def _measure(bench: Bench, cluster: Cluster) -> list[Figure]:
    count, rounds = bench.size(1_000_000, 20_000), Rounds()
    for turn in range(bench.size(3, 1)):
        values = list(codes(count, first=turn * count))
        url = await made(cluster, f"ours_{turn}")
        async with opened(url, bench.folder) as backend:
            started = time.perf_counter()
            await make_pool(backend, "campaign", values)
            ours = time.perf_counter() - started
        async with connected(await made(cluster, f"floor_{turn}")) as connection:
            bare = await _copied(connection, values)
        rounds.add(ours=count / ours, floor=count / bare)
    return [rounds.figure(f"PostgreSQL: import of {count:,} codes / COPY", rate, at_least(0.5))]


async def _copied(connection: Any, values: list[str]) -> float:
    """Seconds; the table has all its indexes, as ours has."""
    rows = [(1, 1, code, 0, 0, 0) for code in values]
    started = time.perf_counter()
    await connection.copy_records_to_table("vouchers", records=rows, columns=_COLUMNS)
    return time.perf_counter() - started
