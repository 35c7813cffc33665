"""The agent that knows the way: it walks each task's ideal, so that what makes it longer is seen."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp import Client

from evals import world
from evals.report import Attempt
from evals.task import Task
from voucher_mcp.server import build_server


async def walk(task: Task, made: Path, folder: Path) -> Attempt:
    """Solve the task in a copy of the world in `made`, and say what it took."""
    folder.mkdir(parents=True)
    shutil.copy(made / world.DATABASE, folder / world.DATABASE)
    before = await world.state(folder)
    sizes: list[int] = []
    failed = 0

    async with Client(build_server(world.settings(folder))) as client:

        async def call(tool: str, /, **arguments: Any) -> Mapping[str, Any]:
            nonlocal failed
            result = await client.call_tool(tool, {"project_id": world.SHOP, **arguments})
            sizes.append(len(result.content[0].text.encode()))  # type: ignore[union-attr]
            failed += result.is_error
            assert isinstance(result.structured_content, dict)
            return result.structured_content

        try:
            answer, stumbled = await task.walk(call), []  # type: ignore[arg-type]
        except (LookupError, TypeError, ValueError) as error:  # an answer lacks what the way needs
            answer, stumbled = "", [f"the way ends: {error!r}"]
    changed = world.changes(before, await world.state(folder))
    return Attempt(task, tuple(sizes), failed, (*stumbled, *task.problems(answer, changed)))
