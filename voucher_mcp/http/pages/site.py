"""The pages that anybody can open: what this is, and signing in. What people do then is in `work/`."""

import time
from collections.abc import Sequence
from functools import partial
from hmac import compare_digest
from typing import Final

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.connections.strangers import house_of
from voucher_mcp.http.pages.forms import no_form, sent
from voucher_mcp.http.pages.guard import Guarded
from voucher_mcp.http.pages.templates import page, text_of
from voucher_mcp.http.pages.visitors import Visitors, page_of
from voucher_mcp.http.sign_in.known import of_token
from voucher_mcp.http.sign_in.tokens import FixedTokens
from voucher_mcp.http.tally import Tally

TRIES_A_MINUTE: Final = 30
"""To sign in, from one house; a proxy counts as one (ours)."""


class Site:
    """The pages, mounted at the root of the server."""

    def __init__(
        self, http: HttpSettings, key: str, tally: Tally, welcome: tuple[str, str] | None = None
    ) -> None:
        """With `welcome` one link signs in whoever opens it first: as the fixed token of that name."""
        self._http = http
        self._addresses = Addresses(http)
        self.visitors = Visitors(http, key, self._addresses)
        self._tokens = FixedTokens(http.tokens)
        self._tally = tally
        self._welcome = welcome

    @property
    def routes(self) -> Sequence[Route]:
        """Where they are; each behind the guard."""
        route = partial(Route, middleware=[Middleware(Guarded)])
        pages = [route("/", self.front), route("/style.css", self.style)]
        if self._http.tokens:
            pages.append(route("/sign-in", self.sign_in, methods=["GET", "POST"]))
            pages.append(route("/sign-out", self.sign_out, methods=["POST"]))
        if self._welcome is not None:
            pages.append(route("/welcome/{secret}", self.welcome))
        return pages

    async def front(self, request: Request) -> Response:
        """What this is, for who comes by."""
        caller = self.visitors.find(request)
        return page(
            "front.html",
            up="",
            endpoint=self._addresses.endpoint(request.scope),
            has_sign_in=self._http.has_sign_in,
            has_tokens=bool(self._http.tokens),
            caller=None if caller is None else caller.name,
        )

    async def style(self, _: Request) -> Response:
        """How they look."""
        return Response(
            text_of("style.css"), media_type="text/css", headers={"cache-control": "max-age=3600"}
        )

    async def sign_in(self, request: Request) -> Response:
        """The form, and what it sends: whose fixed token that is, from now on looks."""
        if request.method != "POST":
            return _sign_in(page_of(request.query_params.get("next", "")))
        house = house_of(request.client.host if request.client else "socket")
        if wait := self._tally.count(f"sign-in {house}", TRIES_A_MINUTE, time.monotonic()):
            told = PlainTextResponse("Too many tries to sign in. Wait a minute.\n", 429)
            told.headers["retry-after"] = str(round(wait) + 1)
            return told
        if (form := await sent(request)) is None:
            return no_form()
        where = page_of(form.get("next", ""))
        found = self._tokens.find(form.get("token", "").strip())
        if found is None:
            return _sign_in(where, "This token is not known here.", 401)
        response = RedirectResponse(f"./{where}", 303)
        self.visitors.keep(request, response, found[0])
        return response

    async def welcome(self, request: Request) -> Response:
        """Who comes by the link is signed in, once; it opens nothing for whoever comes by it later."""
        given = request.path_params["secret"].encode()
        if self._welcome is None or not compare_digest(given, self._welcome[1].encode()):
            return PlainTextResponse("This address was used, or is none. Start the command again.\n", 410)
        name, self._welcome = self._welcome[0], None
        response = RedirectResponse("../pools", 303)
        self.visitors.keep(request, response, of_token(name, self._http.tokens[name]))
        return response

    async def sign_out(self, request: Request) -> Response:
        """Nobody looks any more."""
        response = RedirectResponse("./", 303)
        self.visitors.forget(request, response)
        return response


def _sign_in(where: str, told: str = "", status: int = 200) -> Response:
    return page("sign_in.html", status, up="", next=where, told=told)
