"""The envelope's way round the SDK's shaping of results, which copies every value of it twice.

It is JSON by then, for its text was made of it. The SDK checks and shapes all the rest of the result; the
envelope takes its place in what comes of that, and its text is what is written.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.types import CallToolResult, InputRequiredResult, JSONRPCMessage, JSONRPCResponse, TextContent
from pydantic_core import to_json


class _Written(dict[str, Any]):
    """A JSON object with the text that was made of it."""

    def __init__(self, value: Mapping[str, Any], text: str) -> None:
        super().__init__(value)
        self.text = text


_envelope: ContextVar[_Written | None] = ContextVar("envelope", default=None)


def set_aside(result: CallToolResult | InputRequiredResult) -> CallToolResult | InputRequiredResult:
    """The result with an empty envelope, until `put_back`."""
    if isinstance(result, CallToolResult):
        first = result.content[0]
        assert isinstance(first, TextContent)  # the envelope's text
        _envelope.set(_Written(result.structured_content or {}, first.text))
        result.structured_content = {}
    return result


async def put_back(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: what was set aside in this call is put where it belongs."""
    shaped = await call_next(ctx)
    # the protocol of before 2025-06-18 has no structured content
    if isinstance(shaped, dict) and "structuredContent" in shaped:
        shaped["structuredContent"] = _envelope.get()
    return shaped


def line_of(message: JSONRPCMessage) -> bytes:
    """The message as a line, with its end."""
    match message:
        case JSONRPCResponse(result={"structuredContent": _Written() as written, **rest}):
            begun = to_json({"jsonrpc": "2.0", "id": message.id, "result": rest})
            envelope = written.text.encode()
            return b"".join((memoryview(begun)[:-2], b',"structuredContent":', envelope, b"}}\n"))
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
