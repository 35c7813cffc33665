"""OpenTelemetry's spans of messages, as the protocol's library makes them, with nothing that was sent.

It names a span by what the client called, whatever that is. So what is not known here has no span.
"""

from collections.abc import Collection
from typing import Any, Final

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware

KNOWN: Final = frozenset(
    {
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
    }
)


class Spans:
    """Middleware of the server around the library's own."""

    def __init__(self, made: ServerMiddleware[Any], tools: Collection[str]) -> None:
        self._made = made
        self._tools = tools

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method in KNOWN or (
            ctx.method == "tools/call" and self._knows((ctx.params or {}).get("name"))
        ):
            return await self._made(ctx, call_next)
        return await call_next(ctx)

    def _knows(self, name: object) -> bool:
        return isinstance(name, str) and name in self._tools
