"""Standard input and output as pipes that the event loop waits for: no line changes its thread.

The SDK's transport reads, writes and flushes in threads, which costs a small call more than its answer does.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup
from mcp.shared.message import SessionMessage

from voucher_mcp.cli.stdio.incoming import Unreadable, end_soon, message_of
from voucher_mcp.cli.stdio.owed import Owed
from voucher_mcp.cli.stdio.streams import Lines, hung_up, taken
from voucher_mcp.tools.bypass import line_of

MOST_UNREAD = 2**24
"""Bytes of answers that the client has not read, beyond which nothing more is read from it (ours)."""
LOOK_AGAIN = 0.5


@asynccontextmanager
async def open_pipes() -> AsyncIterator[tuple["Incoming", "Outgoing"]]:
    """What comes in, and where answers go, for as long as the context lasts.

    Raises:
        BrokenPipeError: in a group, once an answer meets a client that reads no more.
    """
    with taken(0) as source, taken(1) as target:
        async with anyio.create_task_group() as tasks:
            outgoing = Outgoing(target, tasks)
            yield Incoming(source, outgoing, tasks), outgoing
            tasks.cancel_scope.cancel()


class Outgoing(ObjectSendStream[SessionMessage]):
    """Writes one message after the other."""

    def __init__(self, target: int, tasks: TaskGroup) -> None:
        self._target, self._tasks = target, tasks
        self.turn = anyio.Lock(fast_acquire=True)
        self.unread = 0
        """Bytes that wait for the client."""
        self.owed = Owed()

    async def send(self, item: SessionMessage) -> None:
        line = line_of(item.message)
        self.unread += len(line)
        try:
            async with self.turn:
                with anyio.CancelScope(shield=True):  # half a line would spoil the next one
                    await self._write(memoryview(line))
        except OSError:
            self._tasks.start_soon(_cut_off)
            raise anyio.BrokenResourceError from None
        finally:
            self.unread -= len(line)
            self.owed.written(item.message)

    async def aclose(self) -> None:
        """Nothing is kept that has to be written yet."""

    async def _write(self, rest: memoryview) -> None:
        while rest:
            try:
                rest = rest[os.write(self._target, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._target)


class Incoming(ObjectReceiveStream[SessionMessage | Exception]):
    """Reads one message after the other; a line that is none is answered here."""

    def __init__(self, source: int, outgoing: Outgoing, tasks: TaskGroup) -> None:
        self._source, self._outgoing, self._tasks = source, outgoing, tasks
        self._lines = Lines(source)

    async def receive(self) -> SessionMessage:
        while line := await self._line():
            try:
                message = message_of(line.decode("utf-8", "replace"))
            except Unreadable as unreadable:
                self._tasks.start_soon(self._outgoing.send, SessionMessage(unreadable.answer))
            else:
                if message is not None:
                    self._outgoing.owed.read(message)
                    return SessionMessage(message)
        end_soon()
        raise anyio.EndOfStream

    async def aclose(self) -> None:
        """Nothing to let go of."""

    async def _line(self) -> bytes:
        """The next line, with its end but for the last one's; an empty one is the end of the input."""
        while self._outgoing.unread > MOST_UNREAD and not hung_up(self._source):
            with anyio.move_on_after(LOOK_AGAIN):
                async with self._outgoing.turn:  # all who wait now are before us
                    pass
        if self._outgoing.owed.too_many and not hung_up(self._source):
            await self._outgoing.owed.one_less()
        return await self._lines.next()


async def _cut_off() -> None:
    end_soon()
    raise BrokenPipeError("the client reads no more")
