"""The toolset jobs: how far imports, bulk updates and exports have come."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
from pydantic import Field

from voucher_mcp.domain.answer import Answer, Link
from voucher_mcp.policy.text import without_unwanted
from voucher_mcp.tools.arguments.arguments import Integer, Text
from voucher_mcp.tools.call import Call, Report
from voucher_mcp.tools.registry import tool
from voucher_mcp.tools.resources import export_files

Wait = Annotated[float, Field(strict=True, ge=0, le=45, description="Seconds to wait for the end")]
Look = Callable[[], Awaitable[Answer[dict[str, Any]]]]

logger = logging.getLogger(__name__)

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
    call: Call,
    export_id: Annotated[Text, Field(min_length=1)],
    wait: Wait = 0,
    rows: Annotated[Integer, Field(ge=0, le=200, description="Lines to show")] = 0,
) -> Answer[dict[str, Any]]:
    """See how far an export has come; when DONE, result.url is its CSV, a resource; `rows` shows its first
    lines, and `total` counts all."""
    answer = await _ended(lambda: call.backend.get_export(export_id), ("DONE", "ERROR"), wait, call.report)
    result = answer.data.get("result") or {}
    if not (url := result.get("url")):
        return answer
    data = {**answer.data, "result": {**result}}
    file = None if call.export_dir is None else export_files.path_of(call.export_dir, url)
    missing = file is not None and not await anyio.Path(file).is_file()
    text = await _text(call.backend.read_export(export_id)) if rows or missing else ""
    if file is not None:  # one that is there stays: a finished export does not change
        data["result"] |= await _put(file, text) if missing else {"file": str(file)}
    beside = dict(answer.beside)
    if rows:
        data["rows"], beside["total"] = export_files.first_rows(text, rows)
    return Answer(data, beside, (Link(url, f"{export_id}.csv", "text/csv"),))


async def _text(pieces: AsyncGenerator[str]) -> str:
    async with aclosing(pieces):
        return "".join([without_unwanted(piece) async for piece in pieces])


async def _put(file: Path, text: str) -> dict[str, str | None]:
    """Where the export is as a file from now on."""
    try:
        await anyio.to_thread.run_sync(export_files.write, file, text)
    except OSError as error:
        logger.warning("an export cannot be put into export_dir: %s", error)
        return {"file": None, "file_error": "It could not be put into export_dir; the operator has to look."}
    return {"file": str(file)}


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
