"""A session's side of HTTP: how what is asked in it is answered.

Most calls have their answer at once. It leaves in one piece then, in the form of a stream that has ended, and
nothing has to be started for it. Only where it takes longer, or something is said before it, a stream begins.
"""

from collections.abc import AsyncIterator
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.server.streamable_http import (
    CONTENT_TYPE_SSE,
    MCP_SESSION_ID_HEADER,
    REQUEST_STREAM_BUFFER_SIZE,
    EventMessage,
    SSEEvent,
    StreamableHTTPServerTransport,
)
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.types import DEFAULT_NEGOTIATED_VERSION, JSONRPCError, JSONRPCRequest, JSONRPCResponse
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from voucher_mcp.http.bodies import MESSAGE
from voucher_mcp.http.streams.events import SessionEvents
from voucher_mcp.tools.bypass import line_of

AT_ONCE = 0.1
"""Seconds after which a stream begins: who loses the connection then knows from where to go on (ours)."""
PING_SECONDS = 15.0
"""After which a proxy is shown that the stream still lives (ours)."""

_HEADERS: Final = (
    (b"content-type", CONTENT_TYPE_SSE.encode()),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)

Events = MemoryObjectReceiveStream[EventMessage]


class Transport(StreamableHTTPServerTransport):
    """Of one session; `Bodies` has seen to it that a request is one."""

    def __init__(self, name: str, kept: SessionEvents, idle_timeout: float | None) -> None:
        super().__init__(name, event_store=kept, idle_timeout=idle_timeout)
        self._kept = kept

    async def terminate(self) -> None:
        self._kept.forget()
        await super().terminate()

    async def _handle_post_request(
        self, scope: Scope, request: Request, receive: Receive, send: Send
    ) -> None:
        message = scope[MESSAGE]
        if "method" not in message or "id" not in message:
            await super()._handle_post_request(scope, request, receive, send)
            return
        asked = JSONRPCRequest.model_validate(message)
        version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
        stream, primed = str(asked.id), None
        if asked.method == "tools/call":  # all else can be asked again
            self._kept.begin(stream)
            primed = await self._mint_priming_event(stream, version)
        events = anyio.create_memory_object_stream[EventMessage](REQUEST_STREAM_BUFFER_SIZE)
        self._request_streams[stream] = events
        assert self._read_stream_writer is not None  # the session runs
        try:
            await self._read_stream_writer.send(self._create_session_message(asked, request, stream, version))
            await self._answer(_begun(primed), events[1], receive, send)
        finally:
            if self._request_streams.get(stream) is events:
                await self._clean_up_memory_streams(stream)

    async def _answer(self, begun: bytes, events: Events, receive: Receive, send: Send) -> None:
        """Send what comes for a request, until its answer."""
        first: EventMessage | None = None
        with anyio.move_on_after(AT_ONCE):
            first = await _next(events)
        if first is not None and _is_answer(first):
            body = begun + _event(first)
            await send(self._start((b"content-length", str(len(body)).encode())))
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        await send(self._start())
        await send({"type": "http.response.body", "body": begun + _event(first), "more_body": True})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            async for part in _parts(events):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            tasks.cancel_scope.cancel()

    def _start(self, *headers: tuple[bytes, bytes]) -> Message:
        own = [(MCP_SESSION_ID_HEADER.encode(), self.mcp_session_id.encode())] if self.mcp_session_id else []
        return {"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *own, *headers]}


def _begun(primed: SSEEvent | None) -> bytes:
    """The mark at which a stream begins, of who can come back to it."""
    return b"" if primed is None else f"id: {primed['id']}\r\ndata: \r\n\r\n".encode()


def _event(event: EventMessage | None) -> bytes:
    if event is None:
        return b""
    mark = f"id: {event.event_id}\r\n".encode() if event.event_id else b""
    return b"".join((mark, b"event: message\r\ndata: ", line_of(event.message)[:-1], b"\r\n\r\n"))


def _is_answer(event: EventMessage) -> bool:
    return isinstance(event.message, JSONRPCResponse | JSONRPCError)


async def _next(events: Events) -> EventMessage | None:
    """The next event; None where there are no more."""
    try:
        return await events.receive()
    except (anyio.EndOfStream, anyio.ClosedResourceError):
        return None


async def _parts(events: Events) -> AsyncIterator[bytes]:
    """What is to be sent, until the answer."""
    while True:
        event, waited = None, True
        with anyio.move_on_after(PING_SECONDS):
            event, waited = await _next(events), False
        if waited:
            yield b": ping\r\n\r\n"
            continue
        yield _event(event)
        if event is None or _is_answer(event):
            return


async def _until_gone(receive: Receive, waiting: anyio.CancelScope) -> None:
    """End the waiting when nobody is there any more who does."""
    while (await receive())["type"] != "http.disconnect":
        pass
    waiting.cancel()
