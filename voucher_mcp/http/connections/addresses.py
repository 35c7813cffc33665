"""By which address clients know the server."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers
from starlette.types import Scope

from voucher_mcp.config import HttpSettings

ENDPOINT: Final = "/mcp"


class Addresses:
    """The server's own: its audience where that is an address, else what the request calls it by."""

    def __init__(self, http: HttpSettings) -> None:
        audience = http.audience or ""
        self._fixed = audience if audience.startswith(("https://", "http://")) else None

    @property
    def name(self) -> str | None:
        """The server's own name, as its audience has it."""
        return urlsplit(self._fixed).netloc if self._fixed else None

    def endpoint(self, scope: Scope) -> str:
        """Where clients speak to it."""
        if self._fixed is not None:
            return self._fixed
        # whoever sends another scheme changes nothing but their own answer
        scheme = Headers(scope=scope).get("x-forwarded-proto", "")
        scheme = scheme if scheme in ("http", "https") else scope["scheme"]
        return str(URL(scope=scope).replace(scheme=scheme, path=ENDPOINT, query="", fragment=""))

    def of(self, scope: Scope, path: str) -> str:
        """Another path of it; below the same one where a proxy serves it below one."""
        parts = urlsplit(self.endpoint(scope))
        below = parts.path.rstrip("/").removesuffix(ENDPOINT) if parts.path.endswith(ENDPOINT) else ""
        return f"{parts.scheme}://{parts.netloc}{below}{path}"
