"""Many clients of one server over HTTP, each with its own connection, which work as little as they can."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

LEGACY, MODERN = "2025-11-25", "2026-07-28"
_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._read = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._answer is not None and not self._answer.done() and _is_whole(self._read):
            self._answer.set_result(bytes(self._read))
            self._read.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server is gone"))

    async def ask(self, request: bytes) -> bytes:
        """The answer, its headers first."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Let it go."""
        assert self._transport is not None
        self._transport.close()


def _is_whole(read: bytearray) -> bool:
    """Whether an answer is there to its end: a stream's ends with an empty chunk."""
    end = read.find(_END)
    if end < 0:
        return False
    head = bytes(read[:end]).lower()
    if (at := head.find(b"content-length:")) >= 0:
        return len(read) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    return read.endswith(b"0\r\n\r\n") and b"transfer-encoding: chunked" in head


async def connected(port: int) -> Connection:
    """A new connection."""
    _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return made


def post(body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """A message as a request."""
    text = json.dumps(body).encode()
    given = {
        "host": "127.0.0.1:80",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "content-length": str(len(text)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + text


async def session(connection: Connection) -> dict[str, str]:
    """The headers of a session that is open now."""
    client = {"name": "bench", "version": "1"}
    hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client}
    answer = await connection.ask(
        post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}, {})
    )
    assert answer.startswith(b"HTTP/1.1 200"), answer
    name = answer.lower().split(b"mcp-session-id:", 1)[1].split(b"\r\n", 1)[0].strip().decode()
    headers = {"mcp-session-id": name, "mcp-protocol-version": LEGACY}
    await connection.ask(post({"jsonrpc": "2.0", "method": "notifications/initialized"}, headers))
    return headers


def call(tool: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None) -> bytes:
    """A call in a session with those headers, or in the era without sessions."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    if headers is None:
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        }
        params["_meta"] = meta
        headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool}
    return post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers)


def end(headers: Mapping[str, str]) -> bytes:
    """The request that ends a session."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"DELETE /mcp HTTP/1.1\r\nhost: 127.0.0.1:80\r\n{lines}\r\n".encode()


async def rate(
    port: int, tool: str, arguments: Mapping[str, Any], *, clients: int, calls: int, modern: bool
) -> float:
    """Calls a second of so many clients at once, each of which makes so many calls one after another."""
    connections = [await connected(port) for _ in range(clients)]
    headers = [None if modern else await session(one) for one in connections]

    async def client(connection: Connection, given: Mapping[str, str] | None) -> None:
        request = call(tool, arguments, given)
        for _ in range(calls):
            answer = await connection.ask(request)
            assert b'"isError":false' in answer or b'"isError": false' in answer, answer

    started = time.perf_counter()
    await asyncio.gather(*map(client, connections, headers))
    taken = time.perf_counter() - started
    for one, given in zip(connections, headers, strict=True):
        if given is not None:
            await one.ask(end(given))
        one.close()
    return clients * calls / taken


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers at that port."""
    with subprocess.Popen(command) as process:
        try:
            _wait(port, process)
            yield process
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError
