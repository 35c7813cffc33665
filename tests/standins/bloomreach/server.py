"""What every request passes: it is recorded, meets its fault, is let in, and gets its page or the tools."""

import asyncio
from typing import Literal

import anyio
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from tests.standins.bloomreach.accounts import Accounts
from tests.standins.bloomreach.faults import (
    Drop,
    Expired,
    Fault,
    Faults,
    Hang,
    Slow,
    Status,
    TransportFault,
    Truncated,
)
from tests.standins.bloomreach.imports_api import ImportsApi
from tests.standins.bloomreach.recording import Call, Request
from tests.standins.bloomreach.sign_in import SignIn
from tests.standins.bloomreach.tools import Tools

Era = Literal["handshake", "both"]
"""Which protocol versions are served: those with `initialize` and sessions only, or the 2026 ones too."""


class StandIn:
    """Bloomreach, as far as the adapter sees it."""

    def __init__(self, port: int, era: Era) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.url = f"{self.base_url}/mcp"
        self.era: Era = era
        self.requests: list[Request] = []
        """Every request, in the order in which they came in whole."""
        self.connections = 0
        """How many were accepted so far."""
        self.calls: list[Call] = []
        """Tool calls that reached the tools, those that are answered with a `ToolFault` included."""
        self.data = Accounts()
        self.sign_in = SignIn(self.base_url)
        self.imports = ImportsApi(self.data)
        self.open = False
        """Whether /mcp asks for no token."""
        self._faults = Faults()
        self.tools = Tools(self.data, self._faults, self.calls)
        self._mcp = self.tools.server()
        self._app = self._mcp.streamable_http_app()
        self._sessions: set[str] = set()
        self._ended: set[str] = set()
        self.transports: set[asyncio.Transport] = set()

    @property
    def json_responses(self) -> bool:
        """Whether new sessions get plain JSON answers; event streams where not."""
        return self._mcp.session_manager.json_response

    @json_responses.setter
    def json_responses(self, plain: bool) -> None:
        self._mcp.session_manager.json_response = plain

    def fail(
        self,
        fault: Fault,
        *,
        times: int = 1,
        path: str | None = None,
        tool: str | None = None,
        after_effect: bool = False,
    ) -> None:
        """The next `times` requests that fit meet this fault; several come in the order of their planning.

        Args:
            path: only requests whose path contains this.
            tool: only calls of this tool, `""` for any; a `ToolFault` strikes no other requests anyway.
            after_effect: what was asked happens, and only the answer is lost.
        """
        self._faults.add(fault, times, path, tool, after_effect)

    def heal(self) -> None:
        """Drop the faults that are still planned."""
        self._faults.clear()

    def expire_sessions(self) -> None:
        """Every session so far is answered 404 from now on."""
        self._ended |= self._sessions

    def requests_to(self, path: str) -> list[Request]:
        """Those whose path contains this."""
        return [request for request in self.requests if path in request.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = await _whole(scope, receive)
        self.requests.append(request)
        fault, after_effect = self._faults.for_request(request)
        if isinstance(fault, Slow):
            await anyio.sleep(fault.seconds)
            fault = None
        again = _replay(request.body, receive)
        if fault is None:
            await self._respond(request, scope, again, send)
            return
        answer = _Answer()
        if after_effect or isinstance(fault, Truncated):
            await self._respond(request, scope, again, answer.keep)
        await self._spoil(fault, request, scope, receive, send, answer)

    async def _respond(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._page(request)
        if response is not None:
            await response(scope, receive, send)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = dict(message["headers"]).get(b"mcp-session-id")
                if session is not None:
                    self._sessions.add(session.decode())
            await send(message)

        await self._app(scope, receive, watch)

    def _page(self, request: Request) -> Response | None:
        """The answer, unless it is the MCP server's to give."""
        if self.imports.answers(request):
            return self.imports.respond(request)
        if (page := self.sign_in.respond(request)) is not None:
            return page
        if request.path == "/mcp/":
            return RedirectResponse(self.url, 307)
        if request.path != "/mcp":
            return JSONResponse({"detail": "Not Found"}, 404)
        authorization = request.headers.get("authorization")
        if not self.open and not self.sign_in.admits(authorization):
            return self.sign_in.challenge(presented=authorization is not None)
        if request.headers.get("mcp-session-id") in self._ended:
            return _rpc_error(404, "Session not found")
        version = request.headers.get("mcp-protocol-version")
        if self.era == "handshake" and version not in (None, *HANDSHAKE_PROTOCOL_VERSIONS):
            return _rpc_error(400, f"Bad Request: Unsupported protocol version: {version}")
        return None

    async def _spoil(
        self,
        fault: TransportFault,
        request: Request,
        scope: Scope,
        receive: Receive,
        send: Send,
        answer: "_Answer",
    ) -> None:
        match fault:
            case Status(status, body, headers):
                await Response(body, status, dict(headers))(scope, receive, send)
            case Expired():
                self._ended.add(request.headers.get("mcp-session-id", ""))
                await _rpc_error(404, "Session not found")(scope, receive, send)
            case Truncated():
                await send(
                    {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
                )
                half = answer.body[: len(answer.body) // 2]
                await send({"type": "http.response.body", "body": half, "more_body": True})
                await anyio.sleep(0.01)  # for the half to leave before the connection goes
                await _hang_up(scope, receive)
            case Drop():
                await _hang_up(scope, receive)
            case Hang() | Slow():
                await _gone(receive)


class _Answer:
    """An answer that is not sent."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


async def _whole(scope: Scope, receive: Receive) -> Request:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["raw_path"].decode("latin-1")
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receiver for a request whose body was read."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


async def _hang_up(scope: Scope, receive: Receive) -> None:
    scope["state"]["transport"].abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait for the other side to go, or for the server's end."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _rpc_error(status: int, message: str) -> Response:
    error = {"code": -32600, "message": message}
    return JSONResponse({"jsonrpc": "2.0", "id": "server-error", "error": error}, status)
