"""Programs on Node, and the person at the browser to which they send."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import httpx2

from tests.clients import node
from tests.serving.processes import until


async def sign_in(told: Path) -> None:
    """Go where a program says that a browser should go; the person there is signed in, and agrees."""

    def address() -> re.Match[str] | None:
        return re.search(r"(http://\S+/authorize\?\S+)\n", told.read_text("utf-8"))

    await until(lambda: address() is not None)
    found = address()
    assert found is not None
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        assert (await browser.get(found[1])).status_code == 200


async def run(
    program: Path,
    environment: Mapping[str, str],
    *arguments: str | Path,
    browse: bool = False,
    given: str = "",
) -> str:
    """What a program on Node prints, and has to print; it reads what is given."""
    told = Path(environment["HOME"]) / "told.txt"
    with told.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(program, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=node.FOLDER,
            env=environment,
        )
    try:
        if browse:
            await sign_in(told)
        output, _ = await asyncio.wait_for(process.communicate(given.encode()), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert output, told.read_text("utf-8")
    return output.decode()
