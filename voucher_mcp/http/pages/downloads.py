"""Finished exports as files for a browser: `/exports/…`, piece by piece."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from voucher_mcp.domain.errors import LimitExceeded, NotFound, RateLimited, Unavailable, VoucherError
from voucher_mcp.http.pages.links import Link, Links
from voucher_mcp.http.sign_in.seals import Broken, Expired
from voucher_mcp.tools.dispatch import CALL_SECONDS, Dispatcher
from voucher_mcp.tools.resources.export_files import name_of

PIECE_SECONDS = 60.0
"""How long one piece may take to be read or sent; then the download is broken off (ours)."""

HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
"""Nobody keeps it, frames it, guesses what it is, or tells others its address."""

Turn = Callable[[str, int], AbstractAsyncContextManager[None]]
"""The turn of a caller, by name, with so many bytes waiting."""

logger = logging.getLogger(__name__)


class Downloads:
    """Serves what links open, to anybody who has one."""

    def __init__(self, links: Links, dispatcher: Callable[[], Dispatcher], turn: Turn) -> None:
        self._links = links
        self._dispatcher = dispatcher
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            link = self._links.opened(scope["path_params"]["link"])
            async with self._turn(link.caller.name, 0), aclosing(self._pieces(link)) as pieces:
                with anyio.fail_after(CALL_SECONDS):
                    first = await anext(pieces, "")
                await _sent(link, first, pieces, scope, receive, send)
        except Broken:
            await _told(404, "This address opens nothing.")(scope, receive, send)
        except Expired:
            told = "This address was good for an hour. Ask for the export again to have a new one."
            await _told(410, told)(scope, receive, send)
        except (VoucherError, TimeoutError) as error:
            await _refused(error)(scope, receive, send)

    async def _pieces(self, link: Link) -> AsyncGenerator[str]:
        dispatcher, caller = self._dispatcher(), link.caller
        exports = dispatcher.of(caller, caller.granted(dispatcher.settings)).exports
        async with aclosing(exports.pieces(link.project_id, link.export_id)) as pieces:
            async for piece in pieces:
                yield piece


async def _sent(
    link: Link, first: str, rest: AsyncGenerator[str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Send the file. Where it ends too early the connection does as well, so that a browser sees it."""
    name = name_of(link.project_id, link.export_id)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    response = Response(status_code=200, headers=headers, media_type="text/csv")
    del response.headers["content-length"]
    if scope["method"] == "HEAD":
        await response(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": response.raw_headers})
    piece: str | None = first
    while piece is not None:
        with anyio.move_on_after(PIECE_SECONDS) as patience:
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
            try:
                piece = await anext(rest, None)
            except VoucherError as error:
                logger.warning("a download of project %s broke off: %s", link.project_id, error.code)
                return
        if patience.cancelled_caught:
            return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _refused(error: VoucherError | TimeoutError) -> Response:
    """Why there is no file; what a system said is not shown to a browser."""
    if isinstance(error, NotFound):
        return _told(404, "There is no such export any more, or you may not use its project any more.")
    if isinstance(error, LimitExceeded | RateLimited):
        return _told(429, "You asked for too much at once. Try again in a moment.", error.retry_after)
    after = error.retry_after if isinstance(error, VoucherError) else None
    if isinstance(error, Unavailable | TimeoutError):
        return _told(503, "The voucher system does not answer now. Try again in a moment.", after)
    logger.warning("an export cannot be read: %s", error.code)
    return _told(502, "The voucher system did not give the export. Ask your assistant for it again.")


def _told(status: int, text: str, retry_after: float | None = None) -> Response:
    headers = HEADERS if retry_after is None else {**HEADERS, "retry-after": str(max(1, round(retry_after)))}
    return PlainTextResponse(f"{text}\n", status_code=status, headers=headers)
