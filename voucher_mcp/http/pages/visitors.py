"""Who looks at a page: a cookie says it, sealed with the server's key, for a working day."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from voucher_mcp.config import HttpSettings
from voucher_mcp.domain.values.times import now
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.sign_in.bearer import ANYONE
from voucher_mcp.http.sign_in.known import Known
from voucher_mcp.http.sign_in.seals import Broken, Expired, Seal
from voucher_mcp.policy.callers import Caller

SECONDS: Final = 12 * 3600
_PAGE = re.compile(r"[a-z0-9][a-zA-Z0-9/_-]{0,200}")


class Visitors:
    """Knows who signed in."""

    def __init__(self, http: HttpSettings, key: str, addresses: Addresses) -> None:
        self._http = http
        self._seal = Seal(key, "page")
        self._known = Known(http)
        self._addresses = addresses

    def find(self, request: Request) -> Caller | None:
        """Who looks, with what they may use now; None where they have not signed in, or not lately."""
        if not self._http.has_sign_in:
            return ANYONE
        try:
            return self._known.again(self._seal.opened(request.cookies.get(self._name(request), "")))
        except (Broken, Expired):
            return None

    def of(self, request: Request) -> Caller | Response:
        """Who looks; where nobody knows, what to answer in place of the page: the way to sign in."""
        if (caller := self.find(request)) is not None:
            return caller
        if not self._http.tokens:
            return PlainTextResponse("Pages are opened with a fixed token, and there is none here.\n", 403)
        path = request.url.path
        return RedirectResponse("../" * (path.count("/") - 1) + f"sign-in?next={page_of(path[1:])}", 303)

    def keep(self, request: Request, response: Response, caller: Caller) -> None:
        """Have the browser know who this is."""
        sealed = self._seal.closed(self._known.told(caller), now() + SECONDS * 1000)
        self._set(request, response, sealed, SECONDS)

    def forget(self, request: Request, response: Response) -> None:
        """Have the browser not know it any more."""
        self._set(request, response, "", 0)

    def _set(self, request: Request, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._name(request),
            value,
            max_age=seconds,
            secure=self._is_safe(request),
            httponly=True,
            samesite="strict",
        )

    def _name(self, request: Request) -> str:
        """With the prefix that browsers let no other host, and no unsafe page, set."""
        return "__Host-voucher-mcp" if self._is_safe(request) else "voucher-mcp"

    def _is_safe(self, request: Request) -> bool:
        return self._addresses.of(request.scope, "").startswith("https:")


def page_of(text: str) -> str:
    """A page of this server by its path without the first slash; else the front page."""
    return text if _PAGE.fullmatch(text) else ""
