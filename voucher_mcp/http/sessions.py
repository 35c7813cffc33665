"""Sessions of the handshake era.

The protocol's library does the serving. What is changed of it: a client that never asked for a session is
served without one, every worker can tell whose a session is, and its answers go their own way.
"""

from uuid import uuid4

from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.streamable_http import (
    GET_STREAM_KEY,
    MCP_SESSION_ID_HEADER,
    StreamableHTTPServerTransport,
)
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from voucher_mcp.http.bodies import MESSAGE, MOST
from voucher_mcp.http.connections.handing import Workers
from voucher_mcp.http.streams.events import Kept, SessionEvents
from voucher_mcp.http.streams.transport import Transport
from voucher_mcp.tools.dispatch import Dispatcher

MOST_SESSIONS = 1024
"""Of one caller in a worker (ours)."""


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
        self._make_room(requestor)
        if self.max_sessions is not None and len(self._server_instances) >= self.max_sessions:
            return None
        name = self._workers.new_session(uuid4().hex)
        self._server_instances[name] = transport = Transport(
            name, SessionEvents(self._kept), self.session_idle_timeout
        )
        if requestor is not None:
            self._session_owners[name] = requestor
        return transport

    def _make_room(self, requestor: AuthorizationContext | None) -> None:
        """Where a caller has as many as may be, their oldest one ends in which nothing is being answered."""
        own = [name for name in self._server_instances if self._session_owners.get(name) == requestor]
        if len(own) < MOST_SESSIONS or self._task_group is None:
            return
        oldest = next(filter(self._is_idle, own), own[0])
        self._task_group.start_soon(self._discard_session, oldest, self._server_instances[oldest])

    def _is_idle(self, name: str) -> bool:
        return self._server_instances[name]._request_streams.keys() <= {GET_STREAM_KEY}

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        method = scope.get(MESSAGE, {}).get("method", "initialize")
        if method != "initialize" and MCP_SESSION_ID_HEADER not in headers:
            version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
            await self._handle_stateless_request(version, scope, receive, send)
        else:
            await super()._handle_stateful_request(scope, receive, send)
