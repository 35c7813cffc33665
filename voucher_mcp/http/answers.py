"""What is answered before a message reaches the server: the right status, and a sentence."""

from collections.abc import Mapping

from mcp.types import ErrorData, JSONRPCError
from starlette.responses import Response


def refusal(
    status: int, code: int, message: str, headers: Mapping[str, str] | None = None, *, close: bool = False
) -> Response:
    """An error of the protocol that is of no request; with `close` nothing more is read of its sender."""
    body = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
    given = {**(headers or {}), **({"connection": "close"} if close else {})}
    text = body.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(text, status_code=status, headers=given, media_type="application/json")
