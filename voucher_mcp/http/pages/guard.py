"""What holds for every page: what a browser may do with it, and that only our own pages send to it."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Styles and scripts come from files of ours: what stands in a page itself is never run."""

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # with no-referrer a browser would not say from which page a form comes
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guarded:
    """Middleware of pages alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._app
        if scope["method"] not in ("GET", "HEAD") and not _is_from_here(Headers(scope=scope)):
            app = PlainTextResponse("Only pages of this server may send this.\n", status_code=403)
        await app(scope, receive, sent)


def _is_from_here(headers: Headers) -> bool:
    """Whether a page of ours sends it; browsers say so of everything that is no mere look."""
    _, mark, host = headers.get("origin", "").partition("://")
    return (
        bool(mark)
        and host == headers.get("host")
        and headers.get("sec-fetch-site", "same-origin") == "same-origin"
    )
