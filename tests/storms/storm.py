"""A storm: several real servers on one database, many callers, and a hand that breaks things meanwhile.

Callers do as good clients do: a call that had no answer, or one that says that it may be sent again, is sent
again with its key, to whichever server is there. What was answered at last is kept, to be held against the
database.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
from anyio.abc import TaskGroup

from tests.protocol.clients import Envelope
from tests.protocol.wire import Wire, start

SETTLED_LATER = {"unavailable", "outcome_unknown"}
"""What a call may be told in a storm; its key tells later what became of it."""

Call = tuple[str, dict[str, Any]]
"""A tool and its arguments, the key among them."""


Told = dict[str, tuple[Call, Envelope]]
"""Each key with its call and the last answer."""


class Caller(Protocol):
    """A server, as a client sees it."""

    @property
    def name(self) -> str:
        """Who calls through it; a key is known again only where the same one sends it."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        ...

    async def call(self, tool: str, arguments: dict[str, Any]) -> Envelope:
        """The envelope."""
        ...


class Gone(Exception):
    """The server died before it answered."""


class Server:
    """A server on stdio that is started again whenever it is killed."""

    name = "stdio"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._up = anyio.Event()
        self._wire: Wire | None = None
        self._answers: dict[int, Any] = {}
        self._asked: dict[int, anyio.Event] = {}

    @property
    def is_up(self) -> bool:
        """Whether it serves, as far as is known."""
        return self._up.is_set()

    async def run(self) -> None:
        """Its life, from start to start; the task that has to be cancelled."""
        while True:
            async with start(self._folder) as self._wire:
                try:
                    await self._wire.open()
                    self._up.set()
                    while True:
                        message = await self._wire.receive()
                        self._answers[message["id"]] = message["result"]["structuredContent"]
                        self._asked.pop(message["id"]).set()
                except AssertionError:  # the pipe has ended
                    assert "Traceback" not in self._wire.log, self._wire.log
                if self._up.is_set():  # else those who wait for it wait on
                    self._up = anyio.Event()
                asked, self._asked = self._asked, {}
                for event in asked.values():
                    event.set()

    async def call(self, tool: str, arguments: dict[str, Any]) -> Envelope:
        """The envelope.

        Raises:
            Gone: the server died meanwhile.
        """
        await self._up.wait()
        assert self._wire is not None
        message = self._wire.call_message(tool, project_id="shop", **arguments)
        answered = self._asked[message["id"]] = anyio.Event()
        try:
            await self._wire.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None
        await answered.wait()
        if (envelope := self._answers.pop(message["id"], None)) is None:
            raise Gone
        assert isinstance(envelope, dict)
        return envelope

    def kill(self) -> None:
        """Kill it, wherever it is."""
        if self._wire is not None and self._wire.process.returncode is None:
            self._wire.process.kill()


class Storm:
    """Servers, and what callers were told at last."""

    def __init__(self, servers: Sequence[Caller], chance: random.Random) -> None:
        self.servers = servers
        self.told: Told = {}
        self.resent = 0
        self._whose: dict[str, str] = {}
        self._answered = 0
        self._chance = chance

    async def call_all(self, calls: Sequence[Call], callers: int = 24) -> None:
        """Make all calls, so many at a time."""
        waiting = iter(calls)

        async def caller() -> None:
            for tool, arguments in waiting:
                self.told[arguments["idempotency_key"]] = (
                    (tool, arguments),
                    await self.settle(tool, arguments),
                )

        async with anyio.create_task_group() as tasks:
            for _ in range(callers):
                tasks.start_soon(caller)

    async def settle(self, tool: str, arguments: dict[str, Any]) -> Envelope:
        """Call until there is an answer that stands."""
        whose = self._whose.setdefault(arguments["idempotency_key"], self._chance.choice(self.servers).name)
        theirs = [server for server in self.servers if server.name == whose]
        while True:
            try:
                up = [server for server in theirs if server.is_up] or theirs
                envelope = await self._chance.choice(up).call(tool, arguments)
            except Gone:
                pass
            else:
                code = envelope.get("error_code")
                assert code != "internal", envelope
                if code not in SETTLED_LATER and not (code == "conflict" and envelope.get("retryable")):
                    self._answered += 1
                    return envelope
            self.resent += 1
            await anyio.sleep(0.02)

    async def rage(self, blows: Sequence[Callable[[], Awaitable[None]]], *, until: anyio.Event) -> None:
        """Break something whenever some calls were answered since the last time, until all are."""
        while True:
            enough = self._answered + self._chance.randint(15, 45)
            while self._answered < enough:
                if until.is_set():
                    return
                await anyio.sleep(0.003)  # which leaves them in the middle of others
            await self._chance.choice(blows)()


@asynccontextmanager
async def servers(folder: Path, count: int) -> AsyncIterator[list[Server]]:
    """So many servers, each started again when it dies."""
    async with anyio.create_task_group() as tasks:
        made = [_begin(folder, tasks) for _ in range(count)]
        yield made
        tasks.cancel_scope.cancel()


def _begin(folder: Path, tasks: TaskGroup) -> Server:
    server = Server(folder)
    tasks.start_soon(server.run)
    return server
