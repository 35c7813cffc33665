"""One process that serves HTTP, from its first request to its end."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
import uvicorn
from mcp.server.request_state import RequestStateSecurity

from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.domain.watch import Watch, watched_by
from voucher_mcp.http.app import App
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.connections.arrival import Arriving
from voucher_mcp.http.connections.handing import Workers
from voucher_mcp.http.connections.strangers import Crowd
from voucher_mcp.http.ending import CallsInFlight
from voucher_mcp.http.fairness import Fairness
from voucher_mcp.http.pages.links import Links
from voucher_mcp.http.pages.site import Site
from voucher_mcp.http.sign_in.bearer import caller_of
from voucher_mcp.http.sign_in.seals import new_key
from voucher_mcp.http.tally import Tally
from voucher_mcp.http.watching.metrics import Levels, Metrics
from voucher_mcp.http.watching.requests import in_request
from voucher_mcp.server import build_server
from voucher_mcp.tools.asking.confirmation import asking_until
from voucher_mcp.tools.dispatch import CALL_SECONDS
from voucher_mcp.tools.reaches import Reaches

END_SECONDS = CALL_SECONDS + 5
"""How long the end may take: a call's deadline, and a little for its answer."""
IDLE_SECONDS = 75
"""How long a connection without a request is kept: longer than reverse proxies keep theirs (ours)."""
CONNECTIONS = 256
"""Of one address in a worker at the least, where few files may be open (ours)."""
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


@dataclass(frozen=True)
class Place:
    """What a server process is given when it starts."""

    sockets: Sequence[socket.socket]
    """Which listen already."""
    names: Sequence[str] = ()
    """What the server goes by, beside what is configured."""
    workers: Workers = field(default_factory=Workers)
    tally: Tally = field(default_factory=lambda: Tally(1))
    key: str = field(default_factory=new_key, repr=False)
    """Seals what clients and people bring back; else one of this process alone."""
    reaches: Reaches | None = None
    """When projects were reached, where several processes tell; None: what this process knows."""
    signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT)
    welcome: tuple[str, str] | None = field(default=None, repr=False)
    """The name of a fixed token, and a secret with which a link signs in as who has it, once."""


async def serve(settings: Settings, place: Place, end: anyio.Event | None = None) -> None:
    """Serve until `end` or a signal; a second signal ends at once.

    Calls in flight finish within their deadline, for clients that are gone as well.
    """
    http = settings.http or HttpSettings()
    metrics = Metrics() if http.metrics else None
    with watched_by(metrics or Watch()):
        await _serve(settings, place, end, metrics)


async def _serve(settings: Settings, place: Place, end: anyio.Event | None, metrics: Metrics | None) -> None:
    calls = CallsInFlight()
    http = settings.http or HttpSettings()
    links = Links(http, place.key, Addresses(http))
    server = build_server(
        settings, caller_of, RequestStateSecurity(keys=[place.key]), links.made, place.reaches
    )
    fairness = Fairness(http, place.tally, place.workers.number)
    server.middleware[:1] = [in_request, *server.middleware[:1], fairness]  # a span has the waiting too
    server.middleware.append(calls)
    site = Site(http, place.key, place.tally, place.welcome)
    app = App(server, http, place.names, place.workers, links, fairness.turn, site, place.tally, metrics)
    protocol = partial(Arriving, workers=place.workers, crowd=Crowd(_most_connections()))
    web = _Server(_config(app, protocol))
    async with AsyncExitStack() as parts:
        parts.enter_context(asking_until(app.listeners.ending))
        await parts.enter_async_context(app.sessions.run())
        tasks = await parts.enter_async_context(anyio.create_task_group())
        if end is not None:
            tasks.start_soon(_end_with, end, web, app)
        if sys.platform != "win32":
            tasks.start_soon(_end_on_signal, place.signals, web, app)
        if metrics is not None:
            tasks.start_soon(metrics.sample_on, partial(_levels, calls, fairness, app, web))
        if len(place.workers.inboxes) > 1:
            tasks.start_soon(_take, place.workers, web, protocol)
        await web.serve(sockets=list(place.sockets))
        with anyio.move_on_after(0 if web.force_exit else END_SECONDS):
            await calls.finished()
        tasks.cancel_scope.cancel()


def _most_connections() -> int:
    """Of one address: half of the files that a process may have open."""
    if sys.platform == "win32":
        return CONNECTIONS
    import resource

    return max(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


def _levels(calls: CallsInFlight, fairness: Fairness, app: App, web: _Server) -> Levels:
    connections = len(web.server_state.connections)
    return Levels(calls.count, fairness.waiting, app.sessions.count, connections)


def _config(app: App, protocol: Callable[..., Arriving]) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi,
        http=protocol,  # type: ignore[arg-type]  # it is called as the class would be
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


async def _take(workers: Workers, web: _Server, protocol: Callable[..., Arriving]) -> None:
    """Take the connections that other workers hand over."""
    loop = asyncio.get_running_loop()
    while True:
        await anyio.wait_readable(workers.inboxes[workers.number][0])
        while (taken := workers.taken()) is not None:
            connection, read = taken
            made = partial(
                protocol, config=web.config, server_state=web.server_state, app_state={}, read=read
            )
            with suppress(OSError):  # its client is gone
                await loop.connect_accepted_socket(made, connection)


async def _end_with(end: anyio.Event, web: _Server, app: App) -> None:
    await end.wait()
    _end(web, app)


async def _end_on_signal(signals_of_it: Sequence[signal.Signals], web: _Server, app: App) -> None:
    with anyio.open_signal_receiver(*signals_of_it) as signals:
        async for _ in signals:
            web.force_exit = web.should_exit
            _end(web, app)


def _end(web: _Server, app: App) -> None:
    web.should_exit = True
    app.listeners.end()
