"""What comes in on standard input: every line gets its answer, and the end of the input ends the process.

The SDK drops a line that it cannot read, and the client waits for an answer that never comes. JavaScript
clients do send such lines: a text that was cut within an emoji is half a character, which their JSON escapes.
"""

import json
import os
import threading

from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from voucher_mcp.domain.values.json_text import read_json

EXIT_SECONDS = 1.5
"""How long a call that is still running may hold up the end (ours); an unfinished transaction is undone."""


async def relay(
    incoming: ObjectReceiveStream[SessionMessage | Exception],
    server: ObjectSendStream[SessionMessage | Exception],
    outgoing: ObjectSendStream[SessionMessage],
) -> None:
    """Hand on what comes in and answer what cannot be read; see that the process ends when the input does."""
    async with server:
        async for item in incoming:
            if isinstance(item, SessionMessage):
                await server.send(item)
            elif isinstance(item, ValidationError) and (read := _read_again(item)) is not None:
                await (outgoing if isinstance(read, JSONRPCError) else server).send(SessionMessage(read))
    # nobody is left to answer; a thread that waits for a locked file cannot be interrupted
    end = threading.Timer(EXIT_SECONDS, os._exit, (0,))
    end.daemon = True
    end.start()


def _read_again(error: ValidationError) -> JSONRPCMessage | None:
    """The message of a line that the SDK refused, or the protocol's error; None of a blank line.

    Half characters and numbers of very many digits pass where the envelope of a tool can say what is wrong
    with them: in its arguments.
    """
    problem = error.errors(include_url=False)[0]
    if problem["type"] != "json_invalid":
        return _error(INVALID_REQUEST, "This is not a JSON-RPC message.")
    line: str = problem["input"]
    if not line.strip():
        return None
    try:
        given = read_json(line)
        message = jsonrpc_message_adapter.validate_python(given, by_name=False)
        rest = {**given, "params": {**given["params"], "arguments": None}}
        json.dumps(rest, ensure_ascii=False).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return _error(PARSE_ERROR, "This line is not JSON in UTF-8 that can be read; nothing was done.")
    return message


def _error(code: int, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
