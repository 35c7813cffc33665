"""Taking writes back, beside the writes themselves, as an agent calls both."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from bench.engine import TEN_PERCENT, remove
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

Call = Callable[..., Awaitable[Any]]

CARD = {"type": "GIFT_VOUCHER", "gift": {"amount": 100_000}}


def measure(bench: Bench) -> Iterator[Figure]:
    """Each kind of write and its undo in turns."""
    return iter(anyio.run(_measure, bench))


async def _measure(bench: Bench) -> list[Figure]:
    database = bench.folder / "undoing.db"
    remove(database)
    several, large = bench.size((30, 7), (3, 2)), bench.size(10_000, 1_000)
    async with _opened(database) as call:
        pool = (await call("create_voucher_pool", name="Ten", voucher=TEN_PERCENT))["id"]
        await call("add_voucher_codes", pool_id=pool, generate={"count": 1_000, "length": 10})
        await call("create_voucher", code="CARD", **CARD)
        generate = {"count": large, "length": 12}
        redeemables = [{"object": "voucher", "id": "CARD", "gift": {"credits": 5}}]
        writes: list[tuple[str, int, dict[str, Any]]] = [
            ("assign_voucher_code", several[0], {"pool_id": pool, "customer_id": "alice"}),
            ("redeem_vouchers", several[0], {"redeemables": redeemables}),
            ("update_voucher_balance", several[0], {"code": "CARD", "amount": 5}),
            ("disable_voucher", several[0], {"code": "CARD"}),
            ("add_voucher_codes", several[1], {"pool_id": pool, "generate": generate}),
        ]
        figures = []
        for tool, times, arguments in writes:
            rounds = Rounds()
            for _ in range(times):
                written = await _seconds(call, tool, **arguments)
                (change,) = await call("list_changes", limit=1)
                rounds.add(ours=await _seconds(call, "undo_change", change_id=change["id"]), floor=written)
            of = f" of {large:,} codes" if tool == "add_voucher_codes" else ""
            figures.append(rounds.figure(f"undo of {tool}{of} / the write", duration, at_most(2)))
        return figures


async def _seconds(call: Call, tool: str, **arguments: Any) -> float:
    started = time.perf_counter()
    await call(tool, **arguments)
    return time.perf_counter() - started


@asynccontextmanager
async def _opened(database: Path) -> AsyncIterator[Call]:
    """Calls tools of a server in this process, where nobody is asked about anything."""
    free = {"destructive": "allow", "limits": {"confirm_above": "none"}}
    table = {"backend": "local", "url": f"sqlite:///{database}", **free}
    keys = count(1)
    async with Client(build_server(Settings.model_validate({"projects": {"shop": table}}))) as client:

        async def call(tool: str, **arguments: Any) -> Any:
            if not tool.startswith("list_"):
                arguments["idempotency_key"] = f"key {next(keys)}"
            result = await client.call_tool(tool, {"project_id": "shop", **arguments})
            assert result.structured_content is not None
            assert result.structured_content["success"], result.structured_content
            return result.structured_content["data"]

        yield call
