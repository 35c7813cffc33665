"""Who sends a request: its bearer token says so."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from voucher_mcp.policy.callers import Caller

CALLER: Final = "voucher_mcp.caller"
"""The key of the caller in an ASGI scope; None where nobody signed in."""

ANYONE = Caller("http")
"""Who speaks to a server without sign-in, which only this machine can."""


class Refused(Exception):
    """A token does not open anything; the message is what its sender is told."""


Verify = Callable[[str], Awaitable[tuple[Caller, AccessToken]]]
"""Whose a token is, for us and for the protocol's library, which ties sessions and questions to it.

Raises:
    Refused: nobody's.
"""


class SignIn:
    """Tells the app within who calls; a wrong token goes no further."""

    def __init__(self, app: ASGIApp, verify: Verify | None) -> None:
        """Without `verify` everybody is `ANYONE`."""
        self._app = AuthContextMiddleware(app)
        self._verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).getlist("authorization")
        if self._verify is None:
            await self._app({**scope, CALLER: ANYONE}, receive, send)
        elif not given:
            await self._app({**scope, CALLER: None}, receive, send)
        else:
            try:
                caller, token = await self._verify(_bearer(given))
            except Refused as error:
                await _unauthorized("invalid_token", str(error))(scope, receive, send)
            else:
                await self._app({**scope, CALLER: caller, "user": AuthenticatedUser(token)}, receive, send)


class Required:
    """Lets nobody through who has not signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope[CALLER] is None:
            await _unauthorized(None, "Sign in: send a bearer token.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def caller_of(context: ServerRequestContext[Any, Any]) -> Caller:
    """Who sent a message that came in over HTTP."""
    request = context.request
    assert isinstance(request, Request)  # of every message over HTTP
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)  # nobody else gets here
    return caller


def _bearer(headers: list[str]) -> str:
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Refused("Sign in with one bearer token.")
    return token.strip()


def _unauthorized(error: str | None, description: str) -> Response:
    """401 as RFC 6750 has it: with an error only where there was a token."""
    told = {**({"error": error} if error else {}), "error_description": description}
    challenge = ", ".join(f'{name}="{value}"' for name, value in told.items()) if error else ""
    headers = {"www-authenticate": f"Bearer {challenge}".rstrip(), "connection": "close"}
    return JSONResponse(told, status_code=401, headers=headers)
