"""Each request has an id: in its answer, in each line of the log that is about it, in a fault's reference."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from opentelemetry import context, propagate, trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voucher_mcp.domain.current import Current, begin, end
from voucher_mcp.domain.watch import watch

CURRENT: Final = "voucher_mcp.current"
"""The key of the request, as the log knows it, in an ASGI scope."""
HEADER: Final = "x-request-id"
PATHS: Final = frozenset({"/mcp", "/healthz", "/readyz", "/metrics"})
"""Those that the log shows: another one may hold anything."""

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")

logger = logging.getLogger(__name__)


class Requests:
    """Gives each request its id: the one that a proxy gave it, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, began, status = Current(_id_of(scope)), time.perf_counter(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request.request_id
            await send(message)

        begin(request)
        await self._app({**scope, CURRENT: request}, receive, named)
        watch().answered(status)
        shown, took = scope["path"] if scope["path"] in PATHS else "…", time.perf_counter() - began
        logger.debug("%s %s: %d in %.1f ms", scope["method"], shown, status, took * 1000)
        end(request)  # not where it failed: who logs that is told after this


async def in_request(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware of the server: what a message brings about is done for the request that it came with."""
    if not isinstance(ctx.request, Request):
        return await call_next(ctx)
    request: Current = ctx.request.scope[CURRENT]
    begin(request)
    try:
        with _traced(ctx.request.headers):
            return await call_next(ctx)
    finally:
        end(request)


@contextmanager
def _traced(headers: Headers) -> Iterator[None]:
    """Spans belong to the trace that the headers name; one that the message itself names goes before."""
    if "traceparent" not in headers:
        yield
        return
    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


def flush_spans() -> None:
    """Send what spans there are; where nobody makes any there is nothing to do."""
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        flush()


def _id_of(scope: Scope) -> str:
    given = Headers(scope=scope).getlist(HEADER)
    return given[0] if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]) else uuid4().hex
