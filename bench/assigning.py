"""Codes handed out a second, beside a bare loop that writes the same rows and commits as many at once."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw

from bench.engine import codes, make_pool, opened, remove, write
from bench.harness import Bench, Figure, Rounds, rate
from voucher_mcp.stores.queries import load_queries
from voucher_mcp.stores.sqlite.ends import connect

POOL = "giveaway"
AVAILABLE = 100_000


def measure(bench: Bench) -> Iterator[Figure]:
    """One caller against a commit for each assign, 32 at once against a commit for 32."""
    ours, floor = bench.folder / "assigning.db", bench.folder / "assigning-floor.db"
    anyio.run(_prepare, ours)
    anyio.run(_prepare, floor)
    for callers in (1, 32):
        calls, rounds = callers * bench.size(200, 20), Rounds()
        for _ in range(bench.size(7, 2)):
            bare = _bare(floor, calls, callers)
            rounds.add(ours=calls / anyio.run(_ours, ours, calls, callers), floor=calls / bare)
        yield rounds.figure(f"assigns, {callers} at once / bare, {callers} a commit", rate)


async def _prepare(database: Path) -> None:
    remove(database)
    async with opened(database) as backend:
        await make_pool(backend, POOL, codes(AVAILABLE))


async def _ours(database: Path, calls: int, callers: int) -> float:
    """Seconds."""
    async with opened(database) as backend:

        async def caller(number: int) -> None:
            for _ in range(calls // callers):
                await backend.assign_voucher_code(write("assign_voucher_code"), POOL, f"customer {number}")

        await caller(0)  # once, so that opening is not in the time
        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(callers):
                tasks.start_soon(caller, number)
        return time.perf_counter() - started


def _bare(database: Path, calls: int, group: int) -> float:
    """Seconds; the statements are the engine's, with nothing around them."""
    queries = load_queries("sqlite")
    connection = connect(database)
    started = time.perf_counter()
    for _ in range(0, calls, group):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(group):
            _assign(connection, queries, f"customer {number}")
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _assign(connection: apsw.Connection, queries: dict[str, str], customer: str) -> None:
    """What assigning a code reads and writes: code, customer, both counters, key and audit line."""
    moment, warrant = time.time_ns() // 1_000_000, write("assign_voucher_code")

    def run(query: str, *values: object) -> list[Any]:
        return connection.execute(queries[query], values).fetchall()

    ((n, _),) = run("code_next_available", 1, 1, moment, customer)
    run("customer_insert", 1, customer, moment, customer)
    run("code_assign", 1, n, customer, moment)
    run("pool_count", 1, 1, -1, 1, 0)
    run("block_count", 1, 1, n, -1, 1, 0)
    line = (moment, 1, warrant.caller, warrant.tool, warrant.digest, warrant.key, "success")
    ((n, *_),) = run("audit_insert", *line, *[None] * 5)
    run("write_insert", 1, warrant.caller, warrant.key, warrant.digest, "x" * 200, moment, n)
