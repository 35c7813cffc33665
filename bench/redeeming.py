"""Redemptions a second, beside a bare loop that writes the same rows and commits as many at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import apsw

from bench import floor_writes
from bench.engine import TEN_PERCENT, codes, opened, remove, write
from bench.harness import Bench, Figure, Rounds, at_least, at_most, duration, rate
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest
from voucher_mcp.domain.vouchers.pool import NewCode

CALLERS = 32
ORDER = {"amount": 10_000}
BODY, RESULT = "x" * 290, "x" * 1_100
"""As long as what the engine keeps of such a redemption, and of its answer."""


def measure(bench: Bench) -> Iterator[Figure]:
    """32 callers at once against a commit for 32, redeeming single-use codes of a pool; then validating."""
    ours, floor = bench.folder / "redeeming.db", bench.folder / "redeeming-floor.db"
    calls, turns = CALLERS * bench.size(100, 10), bench.size(7, 2)
    values, rounds = list(codes(calls * turns + 1)), Rounds()
    anyio.run(_prepare, ours, values)
    remove(floor)
    floor_writes.prepare(floor, values)
    for turn in range(turns):
        batch = values[turn * calls : (turn + 1) * calls]
        bare = floor_writes.redeem(floor, batch, CALLERS, BODY, RESULT)
        rounds.add(ours=calls / anyio.run(_ours, ours, batch), floor=calls / bare)
    yield rounds.figure(f"redemptions a second, {CALLERS} callers", rate, at_least(0.8))
    rounds = Rounds()
    rounds.add(**_bytes(ours, bench.folder / "redeeming-bytes.db"))
    yield rounds.figure("bytes on disk a redemption, beside what it answers", _bytes_text, at_most(2.2))
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


def _bytes(database: Path, floor: Path) -> dict[str, float]:
    """Bytes a redemption, of what grows with it, tables and indexes; and of a table of its answers alone."""
    remove(floor)
    connection = apsw.Connection(str(database))
    connection.execute("ATTACH ? AS floor", (str(floor),))
    connection.execute(
        "CREATE TABLE floor.answers (n INTEGER PRIMARY KEY, result TEXT);"
        "INSERT INTO floor.answers (result) SELECT result FROM main.writes"
    )
    sizes = connection.execute(
        "SELECT sum(pgsize) FROM dbstat('main', 1) WHERE name IN "
        "(SELECT name FROM sqlite_schema WHERE tbl_name IN ('redemptions', 'writes', 'audit')) "
        "UNION ALL SELECT sum(pgsize) FROM dbstat('floor', 1) "
        "UNION ALL SELECT count(*) FROM redemptions"
    ).fetchall()
    connection.close()
    grown, bare, count = (float(str(size)) for (size,) in sizes)
    return {"ours": grown / count, "floor": bare / count}


def _bytes_text(count: float) -> str:
    return f"{count:,.0f} B"


async def _validate(database: Path, code: str, calls: int) -> float:
    """Seconds for one."""
    async with opened(database) as backend:
        assert (await backend.validate_vouchers(None, _request(code))).data["valid"]
        started = time.perf_counter()
        for _ in range(calls):
            await backend.validate_vouchers(None, _request(code))
        return (time.perf_counter() - started) / calls
