"""Which names the server goes by.

A page that a browser shows may have its own name lead to this machine, and then speak to what only this
machine should reach. The names in `Host` and `Origin` give it away.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from mcp.types import INVALID_REQUEST
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from voucher_mcp.config import is_loopback
from voucher_mcp.http.answers import refusal

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked by address: a container's host knows no name of it, and learns nothing of use there."""


class Hosts:
    """Lets requests through that name the server, or this machine, and come from no foreign page."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower().removesuffix(":*") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["path"] not in OPEN and not self._is_ours(headers.getlist("host")):
            told = "This server does not go by that name. The operator can add it to allowed_hosts."
            await refusal(421, INVALID_REQUEST, told)(scope, receive, send)
        elif not all(self._may_be_shown(origin) for origin in headers.getlist("origin")):
            told = "Pages of other origins may not speak to this server."
            await refusal(403, INVALID_REQUEST, told)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, hosts: list[str]) -> bool:
        return len(hosts) == 1 and self._knows(hosts[0].lower())

    def _may_be_shown(self, origin: str) -> bool:
        scheme, mark, host = origin.lower().partition("://")
        return bool(mark) and scheme in ("http", "https") and self._knows(host)

    def _knows(self, host: str) -> bool:
        """Whether a name, with or without its port, is ours."""
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.netloc != host or "@" in host:
            return False
        return is_loopback(name) or bool({host, name, f"[{name}]"} & self._names)
