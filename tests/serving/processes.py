"""A server over HTTP as a process of its own, or as several."""

import asyncio
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from tests.protocol.wire import spawned
from tests.serving.servers import HEADERS

TABLES = """
[projects.shop]
backend = "local"
url = "sqlite:///vouchers.db"
"""


@asynccontextmanager
async def process(folder: Path, *options: str, tables: str = TABLES) -> AsyncIterator[tuple[Process, str]]:
    """A server process, and what it says that it serves."""
    (folder / "config.toml").write_text(tables, encoding="utf-8")
    command = (sys.executable, "-m", "voucher_mcp", "serve", "--transport", "http", *options)
    async with spawned(folder, command) as one:
        assert one.stderr is not None
        yield one, (await asyncio.wait_for(one.stderr.readline(), 60)).decode()


async def until(holds: Callable[[], bool]) -> None:
    """Return once something holds that another process brings about."""
    for _ in range(1_200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


def http_at(said: str, **headers: str) -> httpx2.AsyncClient:
    """A client of what a server says that it serves."""
    found = re.fullmatch(r"voucher-mcp serves (http://\S+)/mcp\n", said)
    assert found, said
    return httpx2.AsyncClient(base_url=found[1], headers={**HEADERS, **headers}, timeout=60)


def children_of(process: int) -> set[int]:
    """The worker processes of a server."""
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
