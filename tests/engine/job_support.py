"""What the suites about jobs share."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from tests.databases.database import Database
from tests.engine.conftest import PROJECT, Agent
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings

HEADER = "Code,Voucher Type,Value,Discount Type,Start Date,Expiration Date,Redemption Limit,Active"


def csv_of(codes: Iterable[str]) -> str:
    """A CSV of vouchers that are alike but for their codes."""
    rows = (f"{code},DISCOUNT_VOUCHER,10.50,AMOUNT,2026-01-01,2027-01-01,1,true" for code in codes)
    return "\n".join([HEADER, *rows]) + "\n"


async def finished(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    """Begin a job, wait for its end, and answer the async action."""
    begun = await agent.data(tool, **arguments)
    action: dict[str, Any] = await agent.data(
        "get_async_action", async_action_id=begun["async_action_id"], wait=40
    )
    assert action["status"] in {"DONE", "FAILED"}, action
    return action


async def imported(agent: Agent, csv: str) -> dict[str, Any]:
    """The result of a CSV import."""
    result: dict[str, Any] = (await finished(agent, "import_vouchers_using_csv", csv=csv))["result"]
    return result


async def voucher_of(agent: Agent, header: str, row: str) -> dict[str, Any]:
    """The voucher, in full, that a CSV of one row makes; its code is A."""
    result = await imported(agent, f"{header}\n{row}\n")
    assert result["failed"] == []
    voucher: dict[str, Any] = await agent.data("get_voucher", code="A", detail="full")
    return voucher


async def reason_of(agent: Agent, header: str, row: str) -> str:
    """Why the only row of a CSV fails."""
    result = await imported(agent, f"{header}\n{row}\n")
    [failure] = result["failed"]
    assert result["done_count"] == 0
    return str(failure["reason"])


@asynccontextmanager
async def open_backend(database: Database, **keys: Any) -> AsyncIterator[LocalBackend]:
    """The project in a database, with a process's part in running its jobs."""
    table = {"backend": "local", "url": database.url, **keys}
    async with open_backends(Settings.model_validate({"projects": {PROJECT: table}})) as backends:
        backend = await backends.get(PROJECT)
        assert isinstance(backend, LocalBackend)
        yield backend


async def ended(backend: LocalBackend, job: str) -> dict[str, Any]:
    """The async action once it ended."""
    with anyio.fail_after(60):
        look = backend.get_async_action
        while (action := (await look(job)).data)["status"] not in {"DONE", "FAILED"}:  # noqa: ASYNC110
            await anyio.sleep(0.02)
    return action
