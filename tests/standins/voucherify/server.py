"""The HTTP side: connections, keys, rate headers, faults, and the record of what was asked and answered."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import anyio.from_thread
import anyio.lowlevel
import uvicorn
from starlette.datastructures import UploadFile
from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.standins.voucherify import qs, routes
from tests.standins.voucherify.calls import Call, Outcome, Text
from tests.standins.voucherify.errors import TOO_LARGE, UNAUTHORIZED, ApiError, Json, invalid, invalid_payload
from tests.standins.voucherify.faults import Answer, Fault, too_many
from tests.standins.voucherify.state import State

LARGEST_BODY = 10_485_760
VERSION = "v2018-08-01"


@dataclass
class Request:
    """A request as it came, and what was answered."""

    method: str
    path: str
    """Still percent-encoded."""
    query: str
    """Still percent-encoded, without the question mark."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    answer: Answer | None = None
    """None while there is none, or when none was sent."""
    faulty: bool = False
    """A fault made or changed the answer."""

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Armed:
    """A fault that waits for its requests."""

    fault: Fault
    times: int
    path: str | None
    method: str | None
    after_effect: bool


class Service:
    """The application behind the socket."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.requests: list[Request] = []
        self.app_id, self.app_token = "app-id", "app-token"
        self.bearer_tokens: set[str] = set()
        self.decorate: Callable[[Request, Any], Any] | None = None
        """Changes the JSON of each success."""
        self.delay = 0.0
        """Seconds before each answer."""
        self.rate_limit, self.rate_window = 2_000, 60.0
        """So many requests in so many seconds; those beyond get 429 with Retry-After."""
        self.armed: list[Armed] = []
        self.transports: dict[tuple[str, int], Any] = {}
        self.connections = 0
        self._recent: deque[float] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, http = await _received(scope, receive)
        self.requests.append(request)
        armed = self._armed_for(request)
        request.faulty = armed is not None
        answer = Answer(500, b"")
        if armed is None or armed.fault.real or armed.after_effect:
            answer = self._handled(request, await _form(http, request))
        if armed is not None:
            await _pause(armed.fault.seconds, receive)
            if armed.fault.ends != "answers":
                await self._no_answer(scope, receive, drops=armed.fault.ends == "drops")
                return
            answer = armed.fault.answer(answer)
        await _pause(self.delay, receive)
        request.answer = answer
        await _answered(send, answer, self._rate_headers())

    def _armed_for(self, request: Request) -> Armed | None:
        for armed in self.armed:
            fits = armed.path is None or armed.path in request.path
            if fits and armed.method in (None, request.method):
                armed.times -= 1
                if armed.times <= 0:
                    self.armed.remove(armed)
                return armed
        return None

    def _handled(self, request: Request, form: Json) -> Answer:
        if not self._admitted(request.headers):
            return _json(401, UNAUTHORIZED)
        if self._over_rate():
            return too_many(max(1, int(self.rate_window))).answer(Answer(429, b""))
        if len(request.body) > LARGEST_BODY:
            return _json(413, TOO_LARGE)
        request_id = self.state.new_id("v-")
        try:
            status, body = self._operate(request, form)
        except ApiError as error:
            return _json(error.code, error.envelope(request_id))
        if isinstance(body, Text):
            return Answer(
                status, body.content.encode(), {"content-type": f"{body.media_type}; charset=utf-8"}
            )
        if self.decorate is not None and status < 300 and body is not None:
            body = self.decorate(request, json.loads(json.dumps(body)))
            request.faulty = True
        return Answer(status, b"", {}) if body is None else _json(status, body)

    def _operate(self, request: Request, form: Json) -> Outcome:
        version = request.headers.get("x-voucherify-api-version", VERSION)
        if version != VERSION:
            raise invalid("invalid_api_version", f"Unknown version {version}")
        found = routes.find(request.method, request.path)
        if found is None:
            details = f"Cannot find {request.method} {request.path}"
            raise ApiError(404, "not_found", "Resource not found", details)
        operation, parts = found
        return operation(Call(self.state, parts, qs.parse(request.query), _body(request), form))

    def _admitted(self, headers: Mapping[str, str]) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token in self.bearer_tokens
        return (headers.get("x-app-id"), headers.get("x-app-token")) == (self.app_id, self.app_token)

    def _over_rate(self) -> bool:
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - self.rate_window:
            self._recent.popleft()
        if len(self._recent) >= self.rate_limit:
            return True
        self._recent.append(now)
        return False

    def _rate_headers(self) -> dict[str, str]:
        left = max(0, self.rate_limit - len(self._recent))
        return {"X-Rate-Limit-Limit": str(self.rate_limit), "X-Rate-Limit-Remaining": str(left)}

    async def _no_answer(self, scope: Scope, receive: Receive, *, drops: bool) -> None:
        if drops:
            self.transports[scope["client"]].abort()
        await _disconnected(receive)


async def _pause(seconds: float, receive: Receive) -> None:
    """Wait, but no longer than the client does."""
    if seconds:
        with anyio.move_on_after(seconds):
            await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _received(scope: Scope, receive: Receive) -> tuple[Request, HttpRequest]:
    http = HttpRequest(scope, receive)
    request = Request(
        method=http.method,
        path=scope["raw_path"].decode("ascii"),
        query=scope["query_string"].decode("ascii"),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=await http.body(),
    )
    return request, http


def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if not request.body or kind == "multipart/form-data":
        return None
    if kind != "application/json":
        raise ApiError(415, "unsupported_media_type", "Unsupported Media Type", f"Content type {kind}")
    if request.json is None:
        raise invalid_payload("Request body is not JSON")
    return request.json


async def _form(http: HttpRequest, request: Request) -> Json:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}
    async with http.form() as form:
        return {
            name: await value.read() if isinstance(value, UploadFile) else value
            for name, value in form.items()
        }


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


async def _answered(send: Send, answer: Answer, rates: Mapping[str, str]) -> None:
    length = {} if answer.status == 204 else {"content-length": str(len(answer.body))}
    headers = {name.lower(): value for name, value in {**rates, **length, **answer.headers}.items()}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


class Server(uvicorn.Server):
    """Serves on a socket that listens already, in a thread of its own, until `stop`."""

    def __init__(self, service: Service) -> None:
        class Protocol(H11Protocol):
            """Counts connections and knows their transports, so that one can be dropped."""

            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                service.connections += 1
                service.transports[transport.get_extra_info("peername")] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                service.transports.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        super().__init__(
            uvicorn.Config(
                service,
                http=Protocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
            )
        )
        self._service = service
        self._stopped: anyio.Event | None = None
        self._token: Any = None
        self._ready = threading.Event()
        # asyncio turns Nagle's algorithm off only for sockets that say they are TCP
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        self._thread = threading.Thread(target=self.run, args=([self._socket],), daemon=True)
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Returns when requests are answered."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Returns when the thread has ended; requests that hang are given up."""
        if self._stopped is not None:
            anyio.from_thread.run_sync(self._stopped.set, token=self._token)
        self._thread.join()
        self._socket.close()

    async def main_loop(self) -> None:
        """Waits for `stop` instead of looking ten times a second."""
        await self.on_tick(0)
        self._token = anyio.lowlevel.current_token()
        self._stopped = anyio.Event()
        self._ready.set()
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes all connections and waits for what still runs, without uvicorn's pauses."""
        for server in self.servers:
            server.close()
        for transport in list(self._service.transports.values()):
            transport.abort()
        while self.server_state.connections or self.server_state.tasks:
            await anyio.lowlevel.checkpoint()
