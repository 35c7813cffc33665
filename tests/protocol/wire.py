"""A server in a process of its own, spoken to line by line: what really crosses the pipe."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio

from tests.protocol.clients import Envelope
from tests.protocol.forked import ForkedProcess, forked
from voucher_mcp.stores.sqlite.turnstile import Turnstile

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a test gives up; a slow machine is no bug."""

MODULE = ("-m", "voucher_mcp")
THREADS = (
    "-c",
    "import sys; from voucher_mcp.cli import main; from voucher_mcp.cli.serve import serve_stdio; "
    "serve_stdio.are_pipes = lambda: False; sys.exit(main.main())",
)
"""The same, as it serves where the event loop cannot wait for its pipes."""

over_threads = False
"""Whether servers serve so; the fixture `transport` sets it."""
MODERN = "2026-07-28"
_LINE_LIMIT = 2**24

Message = dict[str, Any]


CONFIG = """
[projects.shop]
backend = "local"
url = "sqlite:///vouchers.db"
"""


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """This environment without what configures Python, but with `config.toml` of the folder, if any."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    config = folder / "config.toml"
    named = {"VOUCHER_MCP_CONFIG": str(config)} if config.exists() else {}
    return {**kept, "HOME": str(folder), "PYTHONPATH": str(ROOT), **named, **variables}


class Wire:
    """One server process. Calls are made in the era that it was opened in."""

    def __init__(self, process: Process | ForkedProcess) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.log = ""
        self.lines: list[bytes] = []
        """Everything that the server wrote to standard output."""
        self._input, self._output = process.stdin, process.stdout
        self._meta: Message = {}
        self._numbers = count(1)

    async def open(self, era: str = "legacy", capabilities: Mapping[str, Any] | None = None) -> Message:
        """Begin as a client of that era does; answers the result of the first request."""
        declared = dict(capabilities or {})
        client = {"name": "test", "version": "1"}
        if era == "auto":
            prefix = "io.modelcontextprotocol/"
            self._meta = {
                f"{prefix}protocolVersion": MODERN,
                f"{prefix}clientInfo": client,
                f"{prefix}clientCapabilities": declared,
            }
            return await self.request("server/discover")
        hello = {"protocolVersion": "2025-11-25", "capabilities": declared, "clientInfo": client}
        result = await self.request("initialize", **hello)
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    async def send(self, *messages: Message | bytes) -> None:
        """Write messages, or lines as they are, in one go."""
        lines = (m if isinstance(m, bytes) else self.encoded(m) for m in messages)
        self._input.write(b"".join(line + b"\n" for line in lines))
        await self._input.drain()

    @staticmethod
    def encoded(message: Message) -> bytes:
        """The line of a message, without its end."""
        return json.dumps(message).encode()

    async def receive(self) -> Message:
        """The next message."""
        line = await asyncio.wait_for(self._output.readline(), PATIENCE)
        assert line, f"the server is gone: {self.log}"
        self.lines.append(line)
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return dict(message)

    def message(self, method: str, **params: Any) -> Message:
        """A request with an id of its own."""
        meta = {"_meta": self._meta} if self._meta else {}
        return {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": {**params, **meta}}

    def call_message(self, tool: str, **arguments: Any) -> Message:
        """A request that calls a tool."""
        return self.message("tools/call", name=tool, arguments=arguments)

    async def request(self, method: str, **params: Any) -> Message:
        """The result of a request."""
        message = self.message(method, **params)
        await self.send(message)
        answer = await self.receive()
        assert answer["id"] == message["id"], answer
        assert "result" in answer, answer
        return dict(answer["result"])

    async def call(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call."""
        result = await self.request("tools/call", name=tool, arguments=arguments)
        return dict(result["structuredContent"])

    async def close_input(self) -> None:
        """Close the server's standard input and wait for its end."""
        self.hang_up()
        await self.ended()

    def hang_up(self) -> None:
        """Close the server's standard input."""
        self._input.close()

    async def ended(self) -> None:
        """Wait for the end of the process."""
        await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def rest(self) -> list[bytes]:
        """The lines of standard output that nobody has read yet, after the end."""
        return (await asyncio.wait_for(self._output.read(), PATIENCE)).splitlines()

    async def keep_log(self) -> None:
        """Collect standard error; the task of `start`."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log += line.decode()


@asynccontextmanager
async def start(folder: Path, command: Sequence[str] | None = None, **variables: str) -> AsyncIterator[Wire]:
    """A server in that folder, with one project `shop` unless the folder is configured; gone afterwards.

    It is forked from a process that has imported already what it needs, unless there is a command to run.
    """
    if not (folder / "config.toml").exists():
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    async with AsyncExitStack() as last:
        process: Process | ForkedProcess
        if command is None:
            process = await last.enter_async_context(
                forked(environment(folder, **variables), folder, threads=over_threads)
            )
        else:
            if over_threads and tuple(command[: len(MODULE)]) == MODULE:
                command = (*THREADS, *command[len(MODULE) :])
            process = await last.enter_async_context(spawned(folder, (sys.executable, *command), **variables))
        wire = Wire(process)
        log = asyncio.create_task(wire.keep_log())
        try:
            yield wire
        finally:
            if process.returncode is None:
                process.kill()
            wire.hang_up()
            try:
                await wire.rest()
            finally:
                await log


@asynccontextmanager
async def spawned(folder: Path, command: Sequence[str], **variables: str) -> AsyncIterator[Process]:
    """A process in that folder with three pipes. Whatever happens, neither it nor a pipe is left behind.

    What one test left would be found by the next, which would have to answer for it.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env=environment(folder, **variables),
        limit=_LINE_LIMIT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):  # also where the test was cancelled
            await process.wait()
        # A pipe of which something is unread, or which a child of the process still holds, closes only here.
        process._transport.close()  # type: ignore[attr-defined]


@contextmanager
def turn_taken(database: Path) -> Iterator[None]:
    """Hold the turn to write, so that a call that writes keeps running."""
    with closing(Turnstile(database)) as turnstile, turnstile.turn(PATIENCE):
        yield


async def run(folder: Path, command: Sequence[str] = MODULE, **variables: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a process in that folder whose input is empty."""
    async with spawned(folder, (sys.executable, *command), **variables) as process:
        output, log = await asyncio.wait_for(process.communicate(b""), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode(), log.decode()
