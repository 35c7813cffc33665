"""The pages: what this is, and signing in. A page for people who sign in asks `Visitors` who they are."""

import time
from collections.abc import Sequence
from functools import partial
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import parse_qs

import anyio
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.pages.guard import Guarded
from voucher_mcp.http.pages.visitors import Visitors, page_of
from voucher_mcp.http.sign_in.tokens import FixedTokens
from voucher_mcp.http.tally import Tally

TRIES_A_MINUTE: Final = 30
"""To sign in, from one address; a proxy counts as one (ours)."""
FORM_BYTES: Final = 4_096
FORM_SECONDS: Final = 30.0


class Site:
    """All pages, mounted at the root of the server."""

    def __init__(self, http: HttpSettings, key: str, tally: Tally) -> None:
        self._http = http
        self._addresses = Addresses(http)
        self._visitors = Visitors(http, key, self._addresses)
        self._tokens = FixedTokens(http.tokens)
        self._tally = tally

    @property
    def routes(self) -> Sequence[Route]:
        """Where they are; each behind the guard."""
        route = partial(Route, middleware=[Middleware(Guarded)])
        pages = [route("/", self.front), route("/style.css", self.style)]
        if self._http.tokens:
            pages.append(route("/sign-in", self.sign_in, methods=["GET", "POST"]))
            pages.append(route("/sign-out", self.sign_out, methods=["POST"]))
        return pages

    async def front(self, request: Request) -> Response:
        """What this is, for who comes by."""
        visitor, how = "", ""
        if self._http.has_sign_in:
            how = "It asks its users to sign in."
            if (caller := self._visitors.find(request)) is not None:
                visitor = _form("sign-out", f"You are signed in as {escape(caller.name)}.", "Sign out")
            elif self._http.tokens:
                visitor = '<p><a href="sign-in">Sign in</a></p>'
        endpoint = escape(self._addresses.endpoint(request.scope))
        return _page("front.html", endpoint=endpoint, how=how, visitor=visitor)

    async def style(self, _: Request) -> Response:
        """How they look."""
        return Response(_text("style.css"), media_type="text/css", headers={"cache-control": "max-age=3600"})

    async def sign_in(self, request: Request) -> Response:
        """The form, and what it sends: whose fixed token that is, from now on looks."""
        if request.method != "POST":
            return _sign_in(page_of(request.query_params.get("next", "")))
        address = request.client.host if request.client else "socket"
        if wait := self._tally.count(f"sign-in {address}", TRIES_A_MINUTE, time.monotonic()):
            told = PlainTextResponse("Too many tries to sign in. Wait a minute.\n", 429)
            told.headers["retry-after"] = str(round(wait) + 1)
            return told
        if (form := await _sent(request)) is None:
            return PlainTextResponse("This is not what the form sends.\n", 400)
        page = page_of(form.get("next", ""))
        found = self._tokens.find(form.get("token", "").strip())
        if found is None:
            return _sign_in(page, "This token is not known here.", 401)
        response = RedirectResponse(f"./{page}", 303)
        self._visitors.keep(request, response, found[0])
        return response

    async def sign_out(self, request: Request) -> Response:
        """Nobody looks any more."""
        response = RedirectResponse("./", 303)
        self._visitors.forget(request, response)
        return response


async def _sent(request: Request) -> dict[str, str] | None:
    """The fields of a small form; None where it is none, or does not arrive."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    try:
        with anyio.fail_after(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES:
                    return None
        fields = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=4)
    except (ClientDisconnect, TimeoutError, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}


def _sign_in(page: str, told: str = "", status: int = 200) -> Response:
    shown = f'<p class="told" role="alert">{escape(told)}</p>' if told else ""
    return _page("sign_in.html", status, next=escape(page), told=shown)


def _form(action: str, text: str, button: str) -> str:
    return f'<form method="post" action="{action}"><p>{text}</p><button>{button}</button></form>'


def _page(name: str, status: int = 200, **parts: str) -> Response:
    return HTMLResponse(Template(_text(name)).substitute(parts), status)


def _text(name: str) -> str:
    return (files("voucher_mcp.http.pages") / "files" / name).read_text(encoding="utf-8")
