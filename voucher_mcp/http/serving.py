"""One process that serves HTTP, from its first request to its end."""

import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio
import uvicorn

from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.http.app import App
from voucher_mcp.http.arrival import Arriving
from voucher_mcp.http.ending import CallsInFlight
from voucher_mcp.http.sign_in.bearer import caller_of
from voucher_mcp.server import build_server
from voucher_mcp.tools.dispatch import CALL_SECONDS

END_SECONDS = CALL_SECONDS + 5
"""How long the end may take: a call's deadline, and a little for its answer."""
IDLE_SECONDS = 75
"""How long a connection without a request is kept: longer than reverse proxies keep theirs (ours)."""
HEADER_BYTES = 32 * 2**10


class _Server(uvicorn.Server):
    """Signals are ours to receive: uvicorn's own way would cut the streams of calls in flight."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if sys.platform == "win32":
            with super().capture_signals():
                yield
        else:
            yield


async def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    names: Sequence[str] = (),
    end: anyio.Event | None = None,
) -> None:
    """Serve on sockets that listen, until `end`, SIGTERM or SIGINT; a second signal ends at once.

    Calls in flight finish within their deadline, for clients that are gone as well.
    """
    calls = CallsInFlight()
    server = build_server(settings, caller_of)
    server.middleware.append(calls)
    app = App(server, settings.http or HttpSettings(), names)
    web = _Server(_config(app))
    async with app.sessions.run(), anyio.create_task_group() as tasks:
        if end is not None:
            tasks.start_soon(_end_with, end, web, app)
        if sys.platform != "win32":
            tasks.start_soon(_end_on_signal, web, app)
        await web.serve(sockets=list(sockets))
        with anyio.move_on_after(0 if web.force_exit else END_SECONDS):
            await calls.finished()
        tasks.cancel_scope.cancel()


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi,
        http=Arriving,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=int(END_SECONDS),
        h11_max_incomplete_event_size=HEADER_BYTES,
    )


async def _end_with(end: anyio.Event, web: _Server, app: App) -> None:
    await end.wait()
    _end(web, app)


async def _end_on_signal(web: _Server, app: App) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            web.force_exit = web.should_exit
            _end(web, app)


def _end(web: _Server, app: App) -> None:
    web.should_exit = True
    app.listeners.end()
