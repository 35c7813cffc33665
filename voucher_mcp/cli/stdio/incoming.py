"""What comes in on standard input: every line gets its answer, and the end of the input ends the process.

The SDK drops a line that it cannot read, and the client waits for an answer that never comes. JavaScript
clients do send such lines: a text that was cut within an emoji is half a character, which their JSON escapes.
"""

import json
import os
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from voucher_mcp.domain.values.json_text import read_json

EXIT_SECONDS = 1.5
"""How long a call that is still running may hold up the end (ours); an unfinished transaction is undone."""


class Unreadable(Exception):
    """A line is no message; `answer` is what its sender is told."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))


@asynccontextmanager
async def open_threads() -> AsyncIterator[
    tuple[ObjectReceiveStream[SessionMessage | Exception], ObjectSendStream[SessionMessage]]
]:
    """What comes in, and where answers go, by the SDK's transport, which waits in threads."""
    from mcp.server.stdio import stdio_server

    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception]()
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as tasks:
        tasks.start_soon(_relay, incoming, to_server, outgoing)
        yield from_client, outgoing


async def _relay(
    incoming: ObjectReceiveStream[SessionMessage | Exception],
    server: ObjectSendStream[SessionMessage | Exception],
    outgoing: ObjectSendStream[SessionMessage],
) -> None:
    """Hand on what comes in and answer what cannot be read; see that the process ends when the input does."""
    async with server, incoming:
        async for item in incoming:
            if isinstance(item, SessionMessage):
                await server.send(item)
            elif isinstance(item, ValidationError):
                try:
                    message = _read_again(item)
                except Unreadable as unreadable:
                    await outgoing.send(SessionMessage(unreadable.answer))
                else:
                    if message is not None:
                        await server.send(SessionMessage(message))
    end_soon()


def message_of(line: str) -> JSONRPCMessage | None:
    """The message of a line; None of a blank one.

    Raises:
        Unreadable: it is none.
    """
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError as error:
        return _read_again(error)
    if isinstance(message, JSONRPCNotification):
        _require_no_id(read_json(line))
    return message


def _require_no_id(notification: Mapping[str, object]) -> None:
    """Raises Unreadable where it is a request of a strange id, which the SDK would never answer."""
    if "id" in notification:
        raise Unreadable(INVALID_REQUEST, "The id of a request must be a text or an integer.")


def end_soon() -> None:
    """See that the process ends: nobody is left to answer."""
    # a thread that waits for a locked file cannot be interrupted
    end = threading.Timer(EXIT_SECONDS, os._exit, (0,))
    end.daemon = True
    end.start()


def _read_again(error: ValidationError) -> JSONRPCMessage | None:
    """The message of a line that the SDK refused; None of a blank line.

    Half characters and numbers of very many digits pass where the envelope of a tool can say what is wrong
    with them: in its arguments.

    Raises:
        Unreadable: it is no message.
    """
    problem = error.errors(include_url=False)[0]
    if problem["type"] != "json_invalid":
        raise Unreadable(INVALID_REQUEST, "This is not a JSON-RPC message.")
    line: str = problem["input"].removeprefix("\ufeff")  # with which some shells begin
    if not line.strip():
        return None
    try:
        given = read_json(line)
        message = jsonrpc_message_adapter.validate_python(given, by_name=False)
        rest = {**given, "params": {**given["params"], "arguments": None}}
        json.dumps(rest, ensure_ascii=False).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        text = "This line is not JSON in UTF-8 that can be read; nothing was done."
        raise Unreadable(PARSE_ERROR, text) from None
    if isinstance(message, JSONRPCNotification):
        _require_no_id(given)
    return message
