"""An end in which nothing is lost: calls in flight finish, and who only listens is let go."""

from typing import Any

import anyio
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.types import INVALID_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voucher_mcp.http.answers import refusal


class CallsInFlight:
    """Counts what is being answered, also for clients that are gone meanwhile. Middleware of the server."""

    def __init__(self) -> None:
        self._count = 0
        self._none = anyio.Event()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        self._count += 1
        try:
            return await call_next(ctx)
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()
                self._none = anyio.Event()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    async def finished(self) -> None:
        """Return when there are none."""
        while self._count:
            await self._none.wait()


class Listeners:
    """Ends the streams of those who wait for what the server may say of itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting: set[anyio.CancelScope] = set()
        self._ended = False
        self.ending = anyio.Event()

    def end(self) -> None:
        """Let them all go, and let no more begin; and wait for no person's answer any more."""
        self._ended = True
        self.ending.set()
        for scope in self._waiting:
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif self._ended:
            told = "The server is about to end; connect again."
            await refusal(503, INVALID_REQUEST, told, close=True)(scope, receive, send)
        else:
            await self._listen(scope, receive, send)

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        last: Message = {}

        async def sent(message: Message) -> None:
            nonlocal last
            await send(message)
            last = message

        with anyio.CancelScope() as waiting:
            self._waiting.add(waiting)
            try:
                await self._app(scope, receive, sent)
            finally:
                self._waiting.discard(waiting)
        if waiting.cancelled_caught and last and (last["type"].endswith("start") or last.get("more_body")):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
