"""A vendor's server on loopback that answers what a test wrote down, byte for byte."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import SecretStr

from voucher_mcp.backends.http import HttpClient, Reply
from voucher_mcp.backends.pace import Pace
from voucher_mcp.domain.errors import InvalidInput, VoucherError, quoted
from voucher_mcp.domain.write import Write

WRITE = Write(tool="update_voucher", digest="0" * 64, caller="tests")


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Request, SocketStream], Awaitable[bytes | None]] | bytes
"""The bytes to send back, or what makes them; None closes the connection."""


def answer(status: int = 200, body: bytes = b"{}", /, headers: Iterable[str] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_answer(status: int, value: Any, *headers: str) -> bytes:
    return answer(status, json.dumps(value).encode(), headers=("Content-Type: application/json", *headers))


async def drop(_request: Request, _stream: SocketStream) -> None:
    """Close the connection without a word."""


@dataclass
class Vendor:
    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    """What the next requests meet; after them every request gets 200 and {}."""
    always: Answer = field(default_factory=lambda: answer())
    greeting: bytes = b""
    """Sent before anything was asked."""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    asked: anyio.Event = field(default_factory=anyio.Event)
    closed: anyio.Event = field(default_factory=anyio.Event)
    """A connection is closed."""
    hung_up: anyio.Event = field(default_factory=anyio.Event)
    """A client closed its connection while `hang` held the answer back."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **changed: Any) -> HttpClient:
        settings: dict[str, Any] = {
            "base_url": self.base_url,
            "system": "mews",
            "project": "shop",
            "headers": {"X-App-Token": "s3cret-token"},
            "timeout": 10.0,
            "pace": None,
            "failure": mapping,
            "secrets": [SecretStr("s3cret-token")],
        }
        return HttpClient(**settings | changed)

    async def hang(self, _request: Request, stream: SocketStream) -> None:
        """Never answer; see when the client goes."""
        try:
            await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            self.hung_up.set()

    async def serve(self, stream: SocketStream) -> None:
        self.connections += 1
        async with stream:
            reader = BufferedByteReceiveStream(stream)
            try:
                if self.greeting:
                    await stream.send(self.greeting)
                while (reply := await self._respond(reader, stream)) is not None:
                    await stream.send(reply)
            except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
                pass  # the client has gone
        self.closed.set()

    async def _respond(self, reader: BufferedByteReceiveStream, stream: SocketStream) -> bytes | None:
        head = (await reader.receive_until(b"\r\n\r\n", 100_000)).decode()
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.receive_exactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, body)
        self.requests.append(request)
        self.asked.set()
        found = self.answers.pop(0) if self.answers else self.always
        return found if isinstance(found, bytes) else await found(request, stream)


def mapping(reply: Reply, writing: bool) -> VoucherError:
    """A mapping that knows one kind of error only, and quotes whatever the vendor said."""
    return InvalidInput(f"The vendor refused: {quoted(reply.text, 500)}")


async def send(client: HttpClient, path: str, *, writing: bool) -> Reply:
    """A request of either kind."""
    if writing:
        return await client.write(WRITE, "POST", path, json={"path": path})
    return await client.read("GET", path)


@asynccontextmanager
async def vendor() -> AsyncIterator[Vendor]:
    """A running server, ended with the context."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        server = Vendor(listener.extra(SocketAttribute.local_port))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, server.serve)
            yield server
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def account(pace: Pace | None = None, **changed: Any) -> AsyncIterator[tuple[Vendor, HttpClient]]:
    """A running server and a client of it."""
    async with vendor() as server:
        client = server.client(pace=pace, **changed)
        try:
            yield server, client
        finally:
            await client.close()


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """An address where nobody listens; the port is taken, so that nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
