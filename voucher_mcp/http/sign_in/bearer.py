"""A request's bearer token says who sends it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.types import INTERNAL_ERROR
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from voucher_mcp.domain.current import current
from voucher_mcp.domain.watch import watch
from voucher_mcp.http.answers import refusal
from voucher_mcp.policy.callers import Caller

CALLER: Final = "voucher_mcp.caller"
"""The key of the caller in an ASGI scope; None where nobody signed in."""

ANYONE = Caller("http")
"""Who speaks to a server without sign-in, which only this machine can."""


READ, WRITE = "vouchers:read", "vouchers:write"
"""The scopes; who may write may read."""
MISSING_SCOPE = f"The token has neither the scope {READ} nor {WRITE}."


class Refused(Exception):
    """A token does not open anything; the message is what its sender is told."""

    def __init__(self, message: str, *, missing_scope: bool = False) -> None:
        super().__init__(message)
        self.missing_scope = missing_scope


class OutOfReach(Exception):
    """Nobody can say now whether a token opens anything."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


Verify = Callable[[str], Awaitable[tuple[Caller, AccessToken]]]
"""Whose a token is, for us and for the protocol's library, which ties sessions and questions to it.

Raises:
    Refused: nobody's.
    OutOfReach: that cannot be known now.
"""
AddressOf = Callable[[Scope], str]
"""Where a client can read how to sign in."""


class SignIn:
    """Tells the app within who calls; a wrong token goes no further."""

    def __init__(self, app: ASGIApp, verify: Verify | None, metadata: AddressOf | None = None) -> None:
        """Without `verify` everybody is `ANYONE`."""
        self._app = AuthContextMiddleware(app)
        self._verify = verify
        self._metadata = metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).getlist("authorization")
        if self._verify is None:
            _is_of(ANYONE)
            await self._app({**scope, CALLER: ANYONE}, receive, send)
        elif not given:
            await self._app({**scope, CALLER: None}, receive, send)
        else:
            try:
                caller, token = await self._verify(_bearer(given))
            except Refused as error:
                watch().refused("sign_in")
                await challenge(scope, self._metadata, error)(scope, receive, send)
            except OutOfReach as error:
                headers = {"retry-after": f"{error.retry_after:.0f}"}
                await refusal(503, INTERNAL_ERROR, str(error), headers)(scope, receive, send)
            else:
                _is_of(caller)
                await self._app({**scope, CALLER: caller, "user": AuthenticatedUser(token)}, receive, send)


class Required:
    """Lets nobody through who has not signed in."""

    def __init__(self, app: ASGIApp, metadata: AddressOf | None = None) -> None:
        self._app = app
        self._metadata = metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope[CALLER] is None:
            await challenge(scope, self._metadata)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def caller_of(context: ServerRequestContext[Any, Any]) -> Caller:
    """Who sent a message that came in over HTTP."""
    request = context.request
    assert isinstance(request, Request)  # of every message over HTTP
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)  # nobody else gets here
    return caller


def _is_of(caller: Caller) -> None:
    """The log may know."""
    if (request := current()) is not None:
        request.caller = caller.name


def _bearer(headers: list[str]) -> str:
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Refused("Sign in with one bearer token.")
    return token.strip()


def challenge(scope: Scope, metadata: AddressOf | None, refused: Refused | None = None) -> Response:
    """401, or 403 for want of a scope, as RFC 6750 has it: with an error only where there was a token."""
    told = {"error_description": "Sign in: send a bearer token."}
    if refused is not None:
        error = "insufficient_scope" if refused.missing_scope else "invalid_token"
        told = {"error": error, "error_description": str(refused)}
    parts = {**(told if refused is not None else {})}
    if metadata is not None:
        parts |= {"scope": f"{READ} {WRITE}", "resource_metadata": metadata(scope)}
    shown = ", ".join(f'{name}="{value}"' for name, value in parts.items())
    status = 403 if refused is not None and refused.missing_scope else 401
    headers = {"www-authenticate": f"Bearer {shown}".rstrip(), "connection": "close"}
    return JSONResponse(told, status_code=status, headers=headers)
