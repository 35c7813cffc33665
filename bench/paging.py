"""Pages of 1,000 codes deep in a large pool, beside the first pages of the same pool."""

import time
from collections.abc import Awaitable, Callable, Iterator

import anyio

from bench import large_pool
from bench.engine import opened
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.backends.base import Backend
from voucher_mcp.domain.vouchers.pool import CodesQuery
from voucher_mcp.tools import envelope
from voucher_mcp.tools.call import Call
from voucher_mcp.tools.toolsets.pools import list_voucher_codes

PAGE = 1_000
Read = Callable[[int, str | None], Awaitable[int]]
"""Reads the page at `skip` of the codes of one status, or of all; answers how many codes match."""


def measure(bench: Bench) -> Iterator[Figure]:
    """Deep against skip 0: no page is read twice, so neither has the other's luck with the cache."""
    return iter(anyio.run(_measure, bench))


async def _measure(bench: Bench) -> list[Figure]:
    most = bench.size(100, 3)
    figures = []
    async with opened(await large_pool.whole(bench)) as backend:
        for by, read in (("the adapter", _adapter(backend)), ("tool and envelope", _tool(backend))):
            deep, pages = await _compare(read, most)
            figures.append(pages.figure(f"page of 1,000 by {by}, skip {deep:,} / 0", duration, at_most(2)))
    async with opened(await large_pool.used(bench)) as backend:
        read = _adapter(backend)
        deep, pages = await _compare(read, most)
        figures.append(pages.figure(f"after 1 % was deleted, skip {deep:,} / 0", duration, at_most(2)))
        for status in ("available", "assigned"):
            deep, pages = await _compare(read, most, status)
            figures.append(
                pages.figure(f"only {status} ones, skip {deep:,} / all, skip 0", duration, at_most(10))
            )
    return figures


def _adapter(backend: Backend) -> Read:
    async def read(skip: int, status: str | None) -> int:
        answer = await backend.list_voucher_codes(large_pool.POOL, CodesQuery(skip, PAGE, status))
        assert len(answer.data) == PAGE
        return int(answer.beside["matched"])

    return read


def _tool(backend: Backend) -> Read:
    async def read(skip: int, status: str | None) -> int:
        answer = await list_voucher_codes.handler(Call(backend), large_pool.POOL, skip, PAGE, status)
        assert not envelope.success(answer).is_error
        return int(answer.beside["matched"])

    return read


async def _compare(read: Read, most: int, status: str | None = None) -> tuple[int, Rounds]:
    """The last pages, of one status if given, against the first pages of all codes; how deep that was."""
    matched = await read(0, status)
    number = min(most, matched // PAGE // 2)
    deep, rounds = matched - number * PAGE, Rounds()
    for skip in range(0, number * PAGE, PAGE):
        floor = await _seconds(read, skip, None)
        rounds.add(ours=await _seconds(read, deep + skip, status), floor=floor)
    return deep, rounds


async def _seconds(read: Read, skip: int, status: str | None) -> float:
    started = time.perf_counter()
    await read(skip, status)
    return time.perf_counter() - started
