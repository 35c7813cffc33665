"""A server over HTTP in a storm: two workers, of which any may be killed, or the parent of both."""

import os
import random
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2

from tests.protocol.clients import Envelope
from tests.serving.processes import children_of, http_at, process
from tests.serving.servers import call, messages
from tests.storms.storm import Gone

WORKERS = 2


class HttpServer:
    """A server over HTTP that is started again whenever it is killed; it replaces its workers itself."""

    name = "http"

    def __init__(self, folder: Path, config: str, chance: random.Random) -> None:
        self._folder, self._config, self._chance = folder, config, chance
        self._up = anyio.Event()
        self._http: httpx2.AsyncClient | None = None
        self._process: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether it serves, as far as is known."""
        return self._up.is_set()

    async def run(self) -> None:
        """Its life, from start to start; the task that has to be cancelled."""
        options = ("--port", "0", "--workers", str(WORKERS))
        while True:
            async with (
                process(self._folder, *options, tables=self._config) as (server, said),
                http_at(said) as self._http,
            ):
                self._process = server.pid
                self._up.set()
                assert server.stderr is not None
                log = (await server.stderr.read()).decode()
                assert "Traceback" not in log, log
                self._up, self._process = anyio.Event(), None

    async def call(self, tool: str, arguments: dict[str, Any]) -> Envelope:
        """The envelope, over any connection and so from any worker.

        Raises:
            Gone: who was to answer died meanwhile.
        """
        await self._up.wait()
        assert self._http is not None
        try:
            answer = await self._http.post("/mcp", json=call(tool, project_id="shop", **arguments))
        except (httpx2.TransportError, RuntimeError):  # RuntimeError: the client was closed meanwhile
            raise Gone from None
        told = messages(answer.text)
        if answer.status_code != 200 or not told:
            raise Gone
        envelope = told[-1]["result"]["structuredContent"]
        assert isinstance(envelope, dict)
        return envelope

    def kill(self) -> None:
        """Kill a worker, or now and then the parent, with whom all of them end."""
        if self._process is None:
            return
        with suppress(FileNotFoundError, ProcessLookupError):  # it is dead already
            workers = sorted(children_of(self._process))
            os.kill(self._chance.choice([self._process, *workers, *workers]), signal.SIGKILL)
