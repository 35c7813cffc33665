"""The server's life: uvicorn in a thread of its own, on a port that was free."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import anyio.to_thread
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.standins.bloomreach.server import Era, StandIn


def _protocol(standin: StandIn) -> type[H11Protocol]:
    """HTTP that counts its connections and lets them be reset."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            standin.connections += 1
            standin.transports.add(transport)
            self.app_state = {**self.app_state, "transport": transport}
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            standin.transports.discard(self.transport)
            super().connection_lost(exc)

    return Protocol


class _Server(uvicorn.Server):
    """One that says when it runs, ends when told, and waits for nobody then."""

    def __init__(self, config: uvicorn.Config, standin: StandIn) -> None:
        super().__init__(config)
        self.running = threading.Event()
        self._standin = standin
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    async def main_loop(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self.running.set()
        await self._end.wait()
        for transport in list(self._standin.transports):
            transport.abort()

    def stop(self) -> None:
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)


@contextmanager
def running(era: Era = "handshake") -> Iterator[StandIn]:
    """The stand-in for tests that are no coroutines."""
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    standin = StandIn(listener.getsockname()[1], era)
    config = uvicorn.Config(
        standin,
        http=_protocol(standin),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
    )
    server = _Server(config, standin)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="bloomreach stand-in")
    thread.start()
    try:
        if not server.running.wait(30):
            raise RuntimeError("the stand-in did not start")
        yield standin
    finally:
        server.stop()
        thread.join(30)
        listener.close()


@asynccontextmanager
async def serve(era: Era = "handshake") -> AsyncIterator[StandIn]:
    """The stand-in, ready; it is gone when the context is left."""
    context = running(era)
    standin = await anyio.to_thread.run_sync(context.__enter__)
    try:
        yield standin
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(context.__exit__, None, None, None)
