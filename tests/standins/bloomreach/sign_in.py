"""A small OAuth authorization server: metadata, registration, code with PKCE, refresh, revocation."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.standins.bloomreach.recording import Request

SCOPES = ["openid", "profile", "email"]


@dataclass
class _Client:
    id: str
    secret: str | None
    method: str
    redirect_uris: list[str]


@dataclass
class _Code:
    client: str
    redirect_uri: str
    challenge: str
    scope: str


@dataclass
class _Grant:
    """A sign-in: its current tokens."""

    client: str | None
    scope: str
    access: dict[str, float] = field(default_factory=dict)
    """Access tokens, and when each ends by `time.monotonic`."""
    refresh: set[str] = field(default_factory=set)


class SignIn:
    """Who may speak to the MCP server. The switches may be turned at any time."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.lifetime: float = 3600
        """Seconds that an access token of the next grant lives."""
        self.denies: str | None = None
        """The error with which /authorize sends people back, `access_denied` for one."""
        self.refresh_fails = False
        """Every refresh is `invalid_grant`."""
        self.rotates = True
        """A refresh answers a new refresh token and ends the old one."""
        self.announces_lifetime = True
        """Whether token answers have `expires_in`."""
        self.grants: list[tuple[str, str]] = []
        """Token requests that were granted: their grant_type and client."""
        self.authorizations: list[dict[str, str]] = []
        """The parameters with which /authorize was called."""
        self._clients: dict[str, _Client] = {}
        self._codes: dict[str, _Code] = {}
        self._held: list[_Grant] = []
        self._chance = Random(4)

    # for tests

    def issue(self, lifetime: float = 3600) -> str:
        """A bearer token without the walk."""
        return self._access(self._grant(None, " ".join(SCOPES)), lifetime)

    def end_access_tokens(self) -> None:
        """Every access token is over; refresh tokens live."""
        for grant in self._held:
            grant.access.clear()

    def revoke_all(self) -> None:
        """Every sign-in is over."""
        self._held.clear()

    # for the server

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this header is let in."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        return any(grant.access.get(token, 0) > time.monotonic() for grant in self._held)

    def challenge(self, presented: bool) -> Response:
        """The 401 that says where to sign in (RFC 9728)."""
        where = f'resource_metadata="{self.base_url}/.well-known/oauth-protected-resource/mcp"'
        error = (
            'error="invalid_token", error_description="The token is unknown or over", ' if presented else ""
        )
        body = {"error": "invalid_token", "error_description": "Authentication required"}
        return JSONResponse(body, 401, {"WWW-Authenticate": f"Bearer {error}{where}"})

    def respond(self, request: Request) -> Response | None:
        """The answer of a page of the sign-in; None where the path is none of them."""
        pages = {
            ("GET", "/.well-known/oauth-protected-resource"): self._resource,
            ("GET", "/.well-known/oauth-protected-resource/mcp"): self._resource,
            ("GET", "/.well-known/oauth-authorization-server"): self._server,
            ("POST", "/register"): self._register,
            ("GET", "/authorize"): self._authorize,
            ("POST", "/token"): self._token,
            ("POST", "/revoke"): self._revoke,
        }
        page = pages.get((request.method, request.path))
        return page(request) if page else None

    def _resource(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "resource": f"{self.base_url}/mcp",
                "authorization_servers": [self.base_url],
                "scopes_supported": SCOPES,
                "bearer_methods_supported": ["header"],
            }
        )

    def _server(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.base_url,
                "authorization_endpoint": f"{self.base_url}/authorize",
                "token_endpoint": f"{self.base_url}/token",
                "registration_endpoint": f"{self.base_url}/register",
                "revocation_endpoint": f"{self.base_url}/revoke",
                "scopes_supported": SCOPES,
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": [
                    "none",
                    "client_secret_post",
                    "client_secret_basic",
                ],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _register(self, request: Request) -> Response:
        asked: Any = request.json
        uris = asked.get("redirect_uris") if isinstance(asked, dict) else None
        if not isinstance(uris, list) or not uris:
            return _refuse("invalid_redirect_uri")
        method = asked.get("token_endpoint_auth_method", "client_secret_basic")
        secret = None if method == "none" else self._new("secret")
        client = _Client(self._new("client"), secret, method, uris)
        self._clients[client.id] = client
        said = {**asked, "client_id": client.id, "client_id_issued_at": int(time.time())}
        if secret is not None:
            said |= {"client_secret": secret, "client_secret_expires_at": 0}
        return JSONResponse({**said, "token_endpoint_auth_method": method}, 201)

    def _authorize(self, request: Request) -> Response:
        asked = dict(parse_qsl(request.query))
        self.authorizations.append(asked)
        client = self._clients.get(asked.get("client_id", ""))
        target = asked.get("redirect_uri", "")
        if client is None or target not in client.redirect_uris:
            return HTMLResponse("<p>Unknown client or redirect address.</p>", 400)
        if self.denies is not None:
            said = {"error": self.denies, "error_description": "The person said no"}
        elif asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            said = {"error": "invalid_request", "error_description": "response_type code with PKCE S256 only"}
        else:
            code = self._new("code")
            scope = asked.get("scope") or " ".join(SCOPES)
            self._codes[code] = _Code(client.id, target, asked.get("code_challenge", ""), scope)
            said = {"code": code}
        if "state" in asked:
            said["state"] = asked["state"]
        return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(said)}", 302)

    def _token(self, request: Request) -> Response:
        asked = _form(request)
        client = self._authenticated(request, asked)
        if client is None:
            return _refuse("invalid_client", 401)
        kind = asked.get("grant_type", "")
        if kind == "authorization_code":
            grant = self._redeemed(asked, client)
        elif kind == "refresh_token":
            grant = self._refreshed(asked, client)
        else:
            return _refuse("unsupported_grant_type")
        if grant is None:
            return _refuse("invalid_grant")
        self.grants.append((kind, client.id))
        return self._tokens(grant, renew=kind == "authorization_code" or self.rotates)

    def _redeemed(self, asked: dict[str, str], client: _Client) -> _Grant | None:
        code = self._codes.pop(asked.get("code", ""), None)
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        presented = (client.id, asked.get("redirect_uri"), challenge)
        if code is None or presented != (code.client, code.redirect_uri, code.challenge):
            return None
        return self._grant(client.id, code.scope)

    def _refreshed(self, asked: dict[str, str], client: _Client) -> _Grant | None:
        if self.refresh_fails:
            return None
        token = asked.get("refresh_token", "")
        grant = next((held for held in self._held if token in held.refresh), None)
        if grant is None or grant.client != client.id:
            return None
        if self.rotates:
            grant.refresh.clear()
        return grant

    def _tokens(self, grant: _Grant, *, renew: bool) -> Response:
        said: dict[str, Any] = {
            "access_token": self._access(grant, self.lifetime),
            "token_type": "Bearer",
            "scope": grant.scope,
        }
        if self.announces_lifetime:
            said["expires_in"] = int(self.lifetime)
        if renew:
            said["refresh_token"] = self._new("refresh")
            grant.refresh.add(said["refresh_token"])
        return JSONResponse(said, headers={"Cache-Control": "no-store"})

    def _revoke(self, request: Request) -> Response:
        token = _form(request).get("token", "")
        for grant in self._held:
            if token in grant.refresh:  # a refresh token takes the access tokens with it (RFC 7009)
                grant.refresh.clear()
                grant.access.clear()
            grant.access.pop(token, None)
        return Response(status_code=200)

    def _grant(self, client: str | None, scope: str) -> _Grant:
        grant = _Grant(client, scope)
        self._held.append(grant)
        return grant

    def _new(self, kind: str) -> str:
        """An id or a token that nobody guesses, and the same one in every run."""
        return f"{kind}-{self._chance.randbytes(24).hex()}"

    def _access(self, grant: _Grant, lifetime: float) -> str:
        token = self._new("access")
        grant.access[token] = time.monotonic() + lifetime
        return token

    def _authenticated(self, request: Request, asked: dict[str, str]) -> _Client | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            id_, _, secret = base64.b64decode(value).decode().partition(":")
            presented = (unquote(id_), unquote(secret))
        else:
            presented = (asked.get("client_id", ""), asked.get("client_secret", ""))
        client = self._clients.get(presented[0])
        return client if client is not None and (client.secret or "") == presented[1] else None


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode()))


def _refuse(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error, "error_description": quote(error)}, status)
