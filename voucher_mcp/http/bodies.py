"""What a message over HTTP has to look like before the protocol's own library reads it.

That library answers some of it with the text of a validator, or never. Here everything that is no message
gets its status and a sentence.
"""

from collections import deque
from typing import Any, Final

import anyio
from mcp.server.streamable_http import check_accept_headers
from mcp.types import INVALID_REQUEST, PARSE_ERROR
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voucher_mcp.http.answers import refusal

MOST = 4 * 2**20
"""Bytes of a body."""
PATIENCE = 64 * 2**20
"""Of a larger one so much is read and thrown away, for who still sends does not see an answer (ours)."""
SECONDS = 30.0
"""For a body to arrive."""

MESSAGE: Final = "voucher_mcp.message"
"""The key in an ASGI scope under which the message is that a body held."""
MESSAGE_BYTES: Final = "voucher_mcp.message_bytes"
"""The key of how many bytes that had."""


class Bodies:
    """Reads the body of a POST, and hands it on whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "DELETE"):
            await self._app(scope, receive, send)
        elif scope["method"] != "POST":
            told = "Messages are sent with POST."
            allowed = {"allow": "GET, POST, DELETE"}
            await refusal(405, INVALID_REQUEST, told, allowed)(scope, receive, send)
        elif (refused := _headers_refused(scope)) is not None:
            await refused(scope, receive, send)
        else:
            await self._post(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body: bytes | Response | None = refusal(
            408, INVALID_REQUEST, f"The body took longer than {SECONDS:.0f} s to arrive.", close=True
        )
        with anyio.move_on_after(SECONDS):
            body = await _read(receive)
        if body is None:  # nobody is there any more
            return
        message = body if isinstance(body, Response) else message_in(body)
        if isinstance(message, Response):
            await message(scope, receive, send)
            return
        ahead = deque[Message]([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return ahead.popleft() if ahead else await receive()

        await self._app({**scope, MESSAGE: message, MESSAGE_BYTES: len(ahead[0]["body"])}, replay, send)


def message_in(body: bytes) -> dict[str, Any] | Response:
    """The message that a body holds, or why it holds none."""
    try:
        message = from_json(body)
    except ValueError:
        return refusal(400, PARSE_ERROR, "The body is not JSON in UTF-8 that can be read; nothing was done.")
    if isinstance(message, list):
        return refusal(400, INVALID_REQUEST, "Send one message a request: there are no batches here.")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not _is_whole(message):
        return refusal(400, INVALID_REQUEST, "The body is not a JSON-RPC message.")
    if "method" in message and "id" in message and not _is_id(message["id"]):
        return refusal(400, INVALID_REQUEST, "The id of a request must be a text or an integer.")
    return message


def _is_whole(message: dict[str, Any]) -> bool:
    if "method" not in message:
        return _is_id(message.get("id")) and ("result" in message or isinstance(message.get("error"), dict))
    return isinstance(message["method"], str) and isinstance(message.get("params"), dict | None)


def _is_id(given: object) -> bool:
    return isinstance(given, str | int) and not isinstance(given, bool)


def _headers_refused(scope: Scope) -> Response | None:
    headers = Headers(scope=scope)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return refusal(415, INVALID_REQUEST, "The Content-Type of a message is application/json.", close=True)
    if not all(check_accept_headers(Request(scope))):
        told = "The Accept header of a message names application/json and text/event-stream."
        return refusal(406, INVALID_REQUEST, told, close=True)
    return None


async def _read(receive: Receive) -> bytes | Response | None:
    """The body; None where its sender is gone."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MOST:
            body += chunk
        if size > PATIENCE or not message.get("more_body", False):
            break
    if size > MOST:
        told = f"The body is larger than {MOST // 2**20} MiB; nothing was done. Send less at once."
        return refusal(413, INVALID_REQUEST, told, close=True)
    return bytes(body)
