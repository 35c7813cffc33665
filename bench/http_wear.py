"""Many calls over HTTP, in both eras, and what workers have after them: memory, handles, connections."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import http_load
from bench.processes import memory

CALLERS = 16
TURN = 25
"""Calls over one connection, which then is let go, now and then in the middle of a call."""


def workers_of(server: int) -> list[int]:
    """The worker processes of a server."""
    return [int(one) for one in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


def held(server: int) -> tuple[int, int]:
    """The memory of all workers in bytes, and their handles, connections among them."""
    workers = workers_of(server)
    handles = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in workers)
    return sum(memory(one, "VmRSS") for one in workers), handles


async def calls(port: int, tool: str, arguments: dict[str, Any], count: int, seed: int) -> None:
    """Make so many calls: in sessions and without, some given up before their answer."""
    chance = random.Random(seed)
    turns = iter(range(count // TURN))

    async def caller() -> None:
        for _ in turns:
            await _turn(port, tool, arguments, modern=chance.random() < 0.5, broken=chance.random() < 0.3)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(caller())


async def _turn(port: int, tool: str, arguments: dict[str, Any], *, modern: bool, broken: bool) -> None:
    connection = await http_load.connected(port)
    session = None if modern else await http_load.session(connection)
    request = http_load.call(tool, arguments, session)
    for _ in range(TURN - broken):
        answer = await connection.ask(request)
        assert b'"isError":false' in answer, answer
    if broken:  # in the middle of a call
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.ask(request), 0.001)
    connection.close()
    if session is not None:
        other = await http_load.connected(port)
        answer = await other.ask(http_load.end(session))
        assert answer.startswith(b"HTTP/1.1 200"), answer
        other.close()
