"""Sessions of the handshake era, and what is kept of them for a client whose connection broke.

The protocol's library does the serving. What is changed of it: a client that never asked for a session is
served without one, and what is kept for resumption is each session's own, bounded, and gone after a while.
"""

import time
from collections import deque
from dataclasses import dataclass

import anyio
from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.streamable_http import (
    GET_STREAM_KEY,
    MCP_SESSION_ID_HEADER,
    EventCallback,
    EventMessage,
    EventStore,
    StreamableHTTPServerTransport,
)
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCResponse
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from voucher_mcp.http.bodies import MESSAGE, MOST
from voucher_mcp.http.connections.handing import Workers
from voucher_mcp.tools.dispatch import CALL_SECONDS, Dispatcher

KEPT_BYTES = 32 * 2**20
"""About so much is kept for all sessions; beyond, the oldest goes (ours)."""
KEPT_SECONDS = 300.0
"""Who has not come back by then asks again (ours)."""
RESUMED_SECONDS = CALL_SECONDS + 10
"""After which a request has its answer, or its session is over."""
MOST_SESSIONS = 1024
"""Of one caller in a worker (ours)."""
SMALL = 500
"""About what a message costs that is no answer of a tool."""


class Sessions(StreamableHTTPSessionManager):
    """Serves the protocol's messages, of both eras."""

    def __init__(self, server: Server[Dispatcher], workers: Workers) -> None:
        super().__init__(app=server, max_request_body_size=MOST)
        self._kept = Kept()
        self._workers = workers

    @property
    def dispatcher(self) -> Dispatcher:
        """What answers calls, while the sessions run."""
        dispatcher = self._lifespan_state
        assert isinstance(dispatcher, Dispatcher)
        return dispatcher

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._server_instances)

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        # it takes what is here, and a store for all would hand one session's answers to another
        self.event_store = SessionEvents(self._kept)
        self._make_room(requestor)
        transport = super()._admit_session(requestor)
        if transport is not None and transport.mcp_session_id is not None:
            self._name(transport, transport.mcp_session_id)
        return transport

    def _make_room(self, requestor: AuthorizationContext | None) -> None:
        """Where a caller has as many as may be, their oldest one ends in which nothing is being answered."""
        own = [name for name in self._server_instances if self._session_owners.get(name) == requestor]
        if len(own) < MOST_SESSIONS or self._task_group is None:
            return
        idle = [
            name for name in own if self._server_instances[name]._request_streams.keys() <= {GET_STREAM_KEY}
        ]
        oldest = (idle or own)[0]
        self._task_group.start_soon(self._discard_session, oldest, self._server_instances[oldest])

    def _is_idle(self, name: str) -> bool:
        return self._server_instances[name]._request_streams.keys() <= {GET_STREAM_KEY}

    def _name(self, transport: StreamableHTTPServerTransport, given: str) -> None:
        """Call a session so that every worker can tell whose it is."""
        transport.mcp_session_id = name = self._workers.new_session(given)
        self._server_instances[name] = self._server_instances.pop(given)
        if given in self._session_owners:
            self._session_owners[name] = self._session_owners.pop(given)

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        method = scope.get(MESSAGE, {}).get("method", "initialize")
        if method != "initialize" and MCP_SESSION_ID_HEADER not in headers:
            version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
            await self._handle_stateless_request(version, scope, receive, send)
        else:
            await super()._handle_stateful_request(scope, receive, send)


@dataclass(frozen=True, slots=True, eq=False)
class _Event:
    id: str
    stream: str
    message: JSONRPCMessage | None
    """None: the mark at which a stream began."""
    size: int
    at: float


class Kept:
    """The events of all sessions, from the oldest."""

    def __init__(self) -> None:
        self._order: deque[tuple[deque[_Event], _Event]] = deque()
        self._size = 0

    def keep(self, event: _Event, own: deque[_Event]) -> None:
        """Put an event behind its session's own; the oldest of all make room."""
        own.append(event)
        self._order.append((own, event))
        self._size += event.size
        while self._size > KEPT_BYTES or self._order[0][1].at < event.at - KEPT_SECONDS:
            oldest, gone = self._order.popleft()
            oldest.popleft()
            self._size -= gone.size


class SessionEvents(EventStore):
    """What one session was sent."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._events: deque[_Event] = deque()
        self._last = 0
        self._more = anyio.Event()

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._last += 1
        event = _Event(str(self._last), stream_id, message, _size(message), time.monotonic())
        self._kept.keep(event, self._events)
        self._more.set()
        self._more = anyio.Event()
        return event.id

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what came after on the same stream, until a request has its answer.

        Of a stream whose id is answered the library sends the rest; of a request's it would find no end.
        """
        seen = next((event for event in self._events if event.id == last_event_id), None)
        if seen is None:
            return None
        with anyio.move_on_after(RESUMED_SECONDS):
            while not isinstance(seen.message, JSONRPCResponse | JSONRPCError):
                more = self._more
                for event in self._after(seen):
                    if event.message is not None:
                        await send_callback(EventMessage(event.message, event.id))
                    seen = event
                if seen.stream == GET_STREAM_KEY:
                    return seen.stream
                if not isinstance(seen.message, JSONRPCResponse | JSONRPCError):
                    await more.wait()
        return None

    def _after(self, seen: _Event) -> list[_Event]:
        events = list(self._events)
        first = events.index(seen) + 1 if seen in events else 0
        return [event for event in events[first:] if event.stream == seen.stream]


def _size(message: JSONRPCMessage | None) -> int:
    """About how much memory an event takes: that of its text, which is there as values too."""
    match message:
        case JSONRPCResponse(result={"content": [{"text": str(text)}, *_]}):
            return SMALL + 4 * len(text)
        case JSONRPCResponse():
            return 200 * SMALL  # a list of tools
    return SMALL
