"""The toolset jobs: how far imports, bulk updates and exports have come."""

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Any

import anyio
from pydantic import Field

from voucher_mcp.domain.answer import Answer, Link
from voucher_mcp.tools.arguments import Text
from voucher_mcp.tools.call import Call, Report
from voucher_mcp.tools.registry import tool

Wait = Annotated[float, Field(strict=True, ge=0, le=45, description="Seconds to wait for its end")]
Look = Callable[[], Awaitable[Answer[dict[str, Any]]]]

_FIRST_PAUSE = 0.05
_PAUSE_GROWTH = 1.25  # a job is asked after no later than a quarter of the time that it has taken


@tool(toolset="jobs", title="Get an async action")
async def get_async_action(
    call: Call, async_action_id: Annotated[Text, Field(min_length=1)], wait: Wait = 0
) -> Answer[dict[str, Any]]:
    """See how far an import or bulk update has come. DONE is not success: read failed_count and `failed`."""
    return await _ended(
        lambda: call.backend.get_async_action(async_action_id), ("DONE", "FAILED"), wait, call.report
    )


@tool(toolset="jobs", title="Get an export")
async def get_export(
    call: Call, export_id: Annotated[Text, Field(min_length=1)], wait: Wait = 0
) -> Answer[dict[str, Any]]:
    """See how far an export has come; when DONE, result.url is its CSV, an MCP resource."""
    answer = await _ended(lambda: call.backend.get_export(export_id), ("DONE", "ERROR"), wait, call.report)
    url = (answer.data.get("result") or {}).get("url")
    links = (Link(url, f"{export_id}.csv", "text/csv"),) if url else ()
    return Answer(answer.data, answer.beside, links)


async def _ended(look: Look, ends: Collection[str], wait: float, report: Report) -> Answer[dict[str, Any]]:
    """The job at its end, or as it is after `wait` seconds; the client hears of each step forward."""
    deadline, pause, reported = time.monotonic() + wait, _FIRST_PAUSE, -1
    while True:
        answer = await look()
        progress = answer.data.get("progress", 0)
        if wait and progress > reported:
            reported = progress
            await report(progress, 100)
        remaining = deadline - time.monotonic()
        if answer.data["status"] in ends or remaining <= 0:
            return answer
        await anyio.sleep(min(pause, remaining))
        pause *= _PAUSE_GROWTH
