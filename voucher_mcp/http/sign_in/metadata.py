"""Where to sign in, for clients that come without a token (RFC 9728)."""

from urllib.parse import urlsplit

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.sign_in.bearer import READ, WRITE

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Metadata:
    """What this server says of itself as a resource."""

    def __init__(self, http: HttpSettings) -> None:
        self._issuer = http.issuer
        audience = http.audience or ""
        self._address = audience if audience.startswith(("https://", "http://")) else None

    @property
    def name(self) -> str | None:
        """The server's own name, as its audience has it."""
        return urlsplit(self._address).netloc if self._address else None

    def address(self, scope: Scope) -> str:
        """Where all this can be read."""
        parts = urlsplit(self._resource(scope))
        return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"

    async def show(self, request: Request) -> JSONResponse:
        """Answer it."""
        return JSONResponse(
            {
                "resource": self._resource(request.scope),
                "authorization_servers": [self._issuer],
                "scopes_supported": [READ, WRITE],
                "bearer_methods_supported": ["header"],
                "resource_name": "voucher-mcp",
            }
        )

    def _resource(self, scope: Scope) -> str:
        """The audience where it is an address, else what the client calls us by."""
        return self._address or str(URL(scope=scope).replace(path="/mcp", query=""))
