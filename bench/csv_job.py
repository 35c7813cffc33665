"""A CSV import job, from the call to its end, beside the bare insert of the same rows."""

import sqlite3
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from bench.engine import PROJECT, codes, remove, write
from bench.harness import Bench, Figure, Rounds, at_least, at_most, megabytes, rate
from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.stores.queries import load_migrations

HEADER = "Code,Voucher Type,Value,Discount Type,Category,Start Date,Expiration Date,Redemption Limit,Active\n"
REST = "DISCOUNT_VOUCHER,10.50,AMOUNT,spring,2026-01-01,2027-01-01T00:00:00Z,1,true"
TERMS = (
    '{"type":"DISCOUNT_VOUCHER","discount":{"type":"AMOUNT","amount_off":1050,"effect":"APPLY_TO_ORDER"},'
    '"category":"spring","redemption":{"quantity":1}}'
)
STARTS, ENDS = 1767225600000, 1798761600000
INSERT = (
    "INSERT INTO vouchers (project, code, terms, active, start_date, expiration_date, metadata, status, "
    "updated_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)"
)


def measure(bench: Bench) -> Iterator[Figure]:
    """The rate of the job against SQLite's own, and what it holds in memory for four times the rows."""
    count, rounds = bench.size(100_000, 5_000), Rounds()
    database, bare = bench.folder / "csv-job.db", bench.folder / "csv-bare.db"
    for number in range(bench.size(5, 1)):
        rows = list(codes(count, number * count))
        remove(database)
        floor = count / _bare(bare, rows)
        rounds.add(ours=count / anyio.run(_job, database, _csv(rows)), floor=floor)
    yield rounds.figure(f"CSV import job of {count:,} rows, call included", rate, at_least(0.4))
    yield _memory(bench, count)


def _csv(rows: list[str]) -> str:
    return HEADER + "".join(f"{code},{REST}\n" for code in rows)


def _bare(database: Path, rows: list[str]) -> float:
    """Seconds of the floor: one transaction of the standard library's driver on the same tables."""
    remove(database)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for script in load_migrations("sqlite"):
        connection.executescript(script)
    now = time.time_ns() // 1_000_000
    values = [(1, code, TERMS, True, STARTS, ENDS, None, now, now) for code in rows]
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, values)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


@asynccontextmanager
async def _opened(database: Path) -> AsyncIterator[Backend]:
    """The project in that file, which imports from the folder that the file is in."""
    table = {"backend": "local", "url": f"sqlite:///{database}", "import_dir": str(database.parent)}
    async with open_backends(Settings.model_validate({"projects": {PROJECT: table}})) as backends:
        yield await backends.get(PROJECT)


async def _job(database: Path, csv: str) -> float:
    """Seconds from the call to the end of the job."""
    async with _opened(database) as backend:
        started = time.perf_counter()
        await _finish(backend, CsvSource(text=csv))
        return time.perf_counter() - started


async def _finish(backend: Backend, source: CsvSource) -> None:
    begun = await backend.import_vouchers_using_csv(write("import_vouchers_using_csv"), source)
    action = await backend.get_async_action(begun.data["async_action_id"])
    while action.data["status"] != "DONE":
        await anyio.sleep(0.01)
        action = await backend.get_async_action(begun.data["async_action_id"])
    assert action.data["result"]["failed_count"] == 0, action.data["result"]


def _memory(bench: Bench, count: int) -> Figure:
    """The peak of Python's own memory, of one file and of one four times as long."""
    rounds = Rounds()
    small, large = (anyio.run(_peak, bench.folder / "csv-memory.db", size) for size in (count, 4 * count))
    rounds.add(ours=large, floor=small)
    named = f"peak memory of a job on {4 * count:,} rows against {count:,}"
    return rounds.figure(named, megabytes, at_most(1.25))


async def _peak(database: Path, count: int) -> float:
    remove(database)
    file = database.with_suffix(".csv")
    with file.open("w", encoding="utf-8") as lines:
        lines.write(HEADER)
        lines.writelines(f"{code},{REST}\n" for code in codes(count))
    async with _opened(database) as backend:
        tracemalloc.start()
        await _finish(backend, CsvSource(path=file))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    file.unlink()
    return float(peak)
