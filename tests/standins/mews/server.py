"""A real HTTP server on loopback, in a thread of its own, that can also misbehave.

uvicorn's protocol on an event loop of ours rather than uvicorn's server: that one looks only ten times a
second whether it should end, and hands no connection to the application that could be cut.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


class Connections:
    """The open connections by their client's address, how many there were, and whether the server ends."""

    def __init__(self) -> None:
        self.accepted = 0
        self.open: dict[object, asyncio.Transport] = {}
        self.ending = asyncio.Event()

    def cut(self, scope: Scope) -> None:
        """Close the connection of this request, whatever was sent on it so far."""
        if transport := self.open.get(scope["client"]):
            transport.abort()

    async def pause(self, seconds: float) -> None:
        """Let time pass, but not when the server ends."""
        try:
            await asyncio.wait_for(self.ending.wait(), seconds)
        except TimeoutError:
            return


Handle = Callable[[Connections, Scope, Receive, Send], Awaitable[None]]


@contextmanager
def running(handle: Handle) -> Iterator[tuple[str, Connections]]:
    """The server's address and its connections, until the block ends; every request goes to `handle`."""
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = listening.getsockname()[1]
        ready, leave = Event(), Event()
        told: list[tuple[asyncio.AbstractEventLoop, Connections]] = []

        async def serve() -> None:
            connections = Connections()
            told.append((asyncio.get_running_loop(), connections))
            await _serve(listening, handle, connections, ready)
            leave.set()

        thread = Thread(target=asyncio.run, args=(serve(),), name="mews stand-in", daemon=True)
        thread.start()
        ready.wait()
        loop, connections = told[0]
        try:
            yield f"http://127.0.0.1:{port}", connections
        finally:
            loop.call_soon_threadsafe(connections.ending.set)
            thread.join()
        assert leave.is_set(), "the stand-in fell over"


async def _serve(listening: socket.socket, handle: Handle, connections: Connections, ready: Event) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await handle(connections, scope, receive, send)

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=600,
        server_header=False,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(config, state, connections), sock=listening)
    ready.set()
    await connections.ending.wait()
    server.close()
    for transport in list(connections.open.values()):
        transport.abort()
    if state.tasks:
        await asyncio.wait(state.tasks)  # they notice that their connection is gone
    await asyncio.sleep(0)


class _Connection(H11Protocol):
    def __init__(self, config: uvicorn.Config, state: ServerState, connections: Connections) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._ours = connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._ours.accepted += 1
        self._ours.open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._ours.open.pop(self.client, None)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
