"""Calls over standard input and output, local, beside a small call of a bare server of the SDK."""

import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

import anyio

from bench.engine import PROJECT, codes, configuration, make_pool, opened
from bench.harness import Bench, Figure, Rounds, at_least, at_most, duration, rate
from bench.pipe import Pipe, served
from bench.processes import python

PAGE = 1_000
POOL = "spring"


def measure(bench: Bench) -> Iterator[Figure]:
    """The median time of a call, one after another; the bare tool gives back its argument."""
    database = bench.folder / "calling.db"
    anyio.run(_prepare, database)
    code = next(codes(1))
    small, page = Rounds(), Rounds()
    with (
        served(python("bench.bare_server")) as bare,
        served(python("voucher_mcp", "--config", str(configuration(database)))) as ours,
    ):
        nothing = partial(_seconds, bare, "get_voucher", {"code": code})
        voucher = partial(_seconds, ours, "get_voucher", {"project_id": PROJECT, "code": code})
        listing = {"project_id": PROJECT, "pool_id": POOL, "count": PAGE}
        whole = partial(_seconds, ours, "list_voucher_codes", listing)
        for _ in range(bench.size(15, 1)):
            calls = bench.size(200, 5)
            small.add(ours=1 / voucher(calls), floor=1 / nothing(calls))
            page.add(ours=whole(calls // 5), floor=nothing(calls))
    yield small.figure("get_voucher over stdio / a bare server's tool", rate, at_least(1))
    yield page.figure("list_voucher_codes of 1,000 over stdio / that small call", duration, at_most(4))


async def _prepare(database: Any) -> None:
    async with opened(database) as backend:
        await make_pool(backend, POOL, codes(PAGE))


def _seconds(server: Pipe, tool: str, arguments: dict[str, Any], calls: int) -> float:
    """The median of so many calls, each of which succeeded."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        line = server.call(tool, arguments)
        times.append(time.perf_counter() - started)
        assert b'"isError":false' in line, line[:500]
    return median(times)
