"""Sending hostile requests, many at once, and judging what comes back."""

import random
import re
from collections.abc import AsyncIterator
from itertools import islice

import anyio
from anyio.abc import SocketStream

from tests.serving.hostile import requests
from tests.serving.hostile.requests import Hostile, Known

AT_ONCE = 16
PATIENCE = 40.0
"""Seconds for an answer: longer than the server waits for headers and bodies."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


async def flood(port: int, known: Known, count: int, seed: int) -> list[str]:
    """Send so many; what was answered wrongly, a sentence each."""
    chance = random.Random(seed)
    many = list(islice(requests.stream(chance, known), count))
    many += [requests.RARE(chance, known) for _ in range(count // 100)]
    waiting = iter(many)
    wrong: list[str] = []

    async def one_after_another() -> None:
        for hostile in waiting:
            if (status := await _status(port, hostile)) not in hostile.right:
                wrong.append(f"{hostile.kind}: {status} to {hostile.pieces[0][:600]!r}")

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(one_after_another)
    return wrong


async def _status(port: int, hostile: Hostile) -> int:
    """The status of the first answer; 0 where there was none, -1 where the server let its sender wait."""
    async with await anyio.connect_tcp("127.0.0.1", port) as connection:
        answer = b""
        with anyio.move_on_after(PATIENCE) as waited:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_send, connection, hostile)
                async for part in _parts(connection):
                    answer += part
                    if _STATUS.match(answer):
                        break
                tasks.cancel_scope.cancel()
        if waited.cancelled_caught:
            return -1
    found = _STATUS.match(answer)
    return int(found[1]) if found else 0


async def _parts(connection: SocketStream) -> AsyncIterator[bytes]:
    try:
        while True:
            yield await connection.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return


async def _send(connection: SocketStream, hostile: Hostile) -> None:
    try:
        for piece in hostile.pieces:
            await connection.send(piece)
            if len(hostile.pieces) > 1:
                await anyio.sleep(0.005)
        if hostile.half_close:
            await connection.send_eof()
    except (anyio.BrokenResourceError, OSError):  # it was answered already
        pass
