"""Where to sign in, for clients that come without a token (RFC 9728)."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.sign_in.bearer import READ, WRITE

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Metadata:
    """What this server says of itself as a resource."""

    def __init__(self, http: HttpSettings, addresses: Addresses) -> None:
        self._issuer = http.issuer
        self._addresses = addresses

    def address(self, scope: Scope) -> str:
        """Where all this can be read."""
        parts = urlsplit(self._addresses.endpoint(scope))
        return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"

    async def show(self, request: Request) -> JSONResponse:
        """Answer it."""
        return JSONResponse(
            {
                "resource": self._addresses.endpoint(request.scope),
                "authorization_servers": [self._issuer],
                "scopes_supported": [READ, WRITE],
                "bearer_methods_supported": ["header"],
                "resource_name": "voucher-mcp",
            }
        )
