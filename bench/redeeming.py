"""Redemptions a second, beside a bare loop that writes the same rows and commits as many at once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw

from bench.engine import TEN_PERCENT, codes, opened, remove, write
from bench.harness import Bench, Figure, Rounds, at_least, at_most, duration, rate
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.queries import load_queries
from voucher_mcp.stores.sqlite.ends import connect

CALLERS = 32
ORDER = {"amount": 10_000}


def measure(bench: Bench) -> Iterator[Figure]:
    """32 callers at once against a commit for 32, redeeming single-use codes of a pool; then validating."""
    ours, floor = bench.folder / "redeeming.db", bench.folder / "redeeming-floor.db"
    calls, turns = CALLERS * bench.size(100, 10), bench.size(7, 2)
    values, rounds = list(codes(calls * turns + 1)), Rounds()
    anyio.run(_prepare, ours, values)
    anyio.run(_prepare, floor, values)
    for turn in range(turns):
        batch = values[turn * calls : (turn + 1) * calls]
        bare = _bare(floor, batch)
        rounds.add(ours=calls / anyio.run(_ours, ours, batch), floor=calls / bare)
    yield rounds.figure(f"redemptions a second, {CALLERS} callers", rate, at_least(0.5))
    rounds = Rounds()
    for _ in range(turns):
        rounds.add(ours=anyio.run(_validate, ours, values[-1], bench.size(2000, 100)), floor=200e-6)
    yield rounds.figure("validate of one voucher, beside 200 µs", duration, at_most(1))


async def _prepare(database: Path, values: list[str]) -> None:
    remove(database)
    async with opened(database) as backend:
        await backend.create_voucher_pool(
            write("create_voucher_pool"), "campaign", TEN_PERCENT, [NewCode(code) for code in values]
        )


def _request(code: str) -> RedemptionRequest:
    return RedemptionRequest([Redeemable(code)], order=ORDER)


async def _ours(database: Path, batch: list[str]) -> float:
    """Seconds."""
    async with opened(database) as backend:

        async def caller(number: int) -> None:
            for code in batch[number::CALLERS]:
                await backend.redeem_vouchers(write("redeem_vouchers"), _request(code), "concise")

        await backend.list_voucher_pools(0, 1)  # so that opening is not in the time
        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(CALLERS):
                tasks.start_soon(caller, number)
        return time.perf_counter() - started


async def _validate(database: Path, code: str, calls: int) -> float:
    """Seconds for one."""
    async with opened(database) as backend:
        assert (await backend.validate_vouchers(None, _request(code))).data["valid"]
        started = time.perf_counter()
        for _ in range(calls):
            await backend.validate_vouchers(None, _request(code))
        return (time.perf_counter() - started) / calls


def _bare(database: Path, batch: list[str]) -> float:
    """Seconds; the statements are the engine's, with nothing around them."""
    queries = load_queries("sqlite")
    connection = connect(database)
    body = json.dumps({"order": {"object": "order", "text": "x" * 250}})
    started = time.perf_counter()
    for first in range(0, len(batch), CALLERS):
        connection.execute("BEGIN IMMEDIATE")
        for code in batch[first : first + CALLERS]:
            _redeem(connection, queries, code, body)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _redeem(connection: apsw.Connection, queries: dict[str, str], code: str, body: str) -> None:
    """What redeeming a code reads and writes: voucher, redemption, both counters, key and audit line."""
    moment, warrant = time.time_ns() // 1_000_000, write("redeem_vouchers")

    def run(query: str, *values: object) -> list[Any]:
        return connection.execute(queries[query], values).fetchall()

    ((n, *_),) = run("voucher_by_code", 1, code)
    run("redemption_insert", 1, None, n, 1, None, 0, False, warrant.key, body, moment)
    run("voucher_redeem", 1, n, 1, None, None, moment)
    run("voucher_set_status", 1, n, 2)
    run("pool_count", 1, 1, -1, 0, 1)
    run("block_count", 1, 1, n, -1, 0, 1)
    line = (moment, 1, warrant.caller, warrant.tool, warrant.digest, warrant.key, "success")
    ((n, *_),) = run("audit_insert", *line, *[None] * 5)
    run("write_insert", 1, warrant.caller, warrant.key, warrant.digest, "x" * 1100, moment, n)
