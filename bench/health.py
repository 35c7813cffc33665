"""The health of pools: what it costs must not depend on the codes in them, nor on how long they are used."""

import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import apsw

from bench.engine import codes, make_pool, opened, remove
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.domain.values.times import DAY, now

POOLS, DAYS = 200, 90
LEAST, MOST = 10, 10_000_000
"""Codes of a pool; the large ones are said to be so in what is counted, for nothing else is looked at."""

ALLOWED = 0.05
"""Seconds that the health of all of them may take."""


def measure(bench: Bench) -> Iterator[Figure]:
    """200 pools that were used every day."""
    return iter(anyio.run(_measure, bench))


async def _measure(bench: Bench) -> list[Figure]:
    database = bench.folder / "health.db"
    remove(database)
    async with opened(database) as backend:
        texts = list(codes(POOLS * LEAST))
        for at in range(POOLS):
            await make_pool(backend, f"Pool {at}", texts[at * LEAST : (at + 1) * LEAST])
    small = await _rounds(database)
    today, connection = now() // DAY, apsw.Connection(str(database))
    with connection:
        connection.execute(f"UPDATE pools SET available = {MOST}, created_at = created_at - {DAYS * DAY}")
        for day in range(today - DAYS, today):
            connection.execute(
                "INSERT INTO pool_days SELECT project, n, ?, 400 + n, -400 - n FROM pools", (day,)
            )
    connection.close()
    large = await _rounds(database)
    allowed, beside = Rounds(), Rounds()
    for seconds, of_small in zip(large, small, strict=True):
        allowed.add(ours=seconds, floor=ALLOWED)
        beside.add(ours=seconds, floor=of_small)
    named = f"get_pool_health of {POOLS} pools of {MOST:,} codes"
    return [
        allowed.figure(f"{named}, beside 50 ms", duration, at_most(1)),
        beside.figure(f"{named} / new ones of {LEAST}", duration),
    ]


async def _rounds(database: Path) -> list[float]:
    """Seconds of some calls."""
    seconds = []
    async with opened(database) as backend:
        for _ in range(20):
            started = time.perf_counter()
            found = await backend.get_pool_health(None, 30, POOLS)
            seconds.append(time.perf_counter() - started)
            assert len(found.data) == POOLS
    return seconds
