"""Opening the connections to a vendor, by the rules of the server's environment."""

import logging
import time
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx2

from voucher_mcp import __version__
from voucher_mcp.config.values import is_loopback
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.watch import watch

_CONNECTIONS = 16
_IDLE_SECONDS = 4.0  # below the 5 s after which common servers hang up: a write shall not meet that moment
_CONNECT_SECONDS = 10.0
_TALKATIVE = ("httpx2", "httpcore2.http11", "httpcore2.proxy")
"""Loggers that write down addresses and headers in full: codes, download tokens, repeated sign-ins."""


class _Client(httpx2.AsyncClient):
    """Tells who counts how each request went; it is of a system, as the configuration calls it."""

    system = ""

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        began, status = time.perf_counter(), "none"
        try:
            response = await super().send(request, **how)
            status = str(response.status_code)
        finally:
            watch().asked(self.system, status, time.perf_counter() - began)
        return response


def connect(system: str, base_url: str, headers: Mapping[str, str], timeout: float) -> httpx2.AsyncClient:
    """A client for one vendor, of that `system`; `timeout` is the seconds to wait for each part of an answer.

    Proxies and certificate authorities are those of the environment (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE,
    ...), but loopback is never reached through a proxy. Takes tens of milliseconds, for TLS.

    Raises:
        Unavailable: what the environment names cannot be used.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_only_warnings)
    own = {"User-Agent": f"voucher-mcp/{__version__}"}
    try:
        client = _Client(
            headers=httpx2.Headers({**own, **headers}, encoding="utf-8"),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # callers share nothing
            timeout=httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            limits=httpx2.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS,
                keepalive_expiry=_IDLE_SECONDS,
            ),
            verify=httpx2.create_ssl_context(),  # one for the proxies too
            mounts=_around_proxies(base_url),
        )
        client.system = system
        return client
    except (OSError, ValueError, ImportError, httpx2.InvalidURL):
        raise Unavailable(
            "The server's environment names a proxy (HTTPS_PROXY, ALL_PROXY) or certificates (SSL_CERT_FILE, "
            "SSL_CERT_DIR) that cannot be used. The operator should repair these settings.",
            retryable=False,
        ) from None


def _around_proxies(base_url: str) -> Mapping[str, None] | None:
    """A proxy's loopback is another machine's."""
    host = urlsplit(base_url).hostname or ""
    if not is_loopback(host):
        return None
    return {f"all://[{host}]" if ":" in host else f"all://{host}": None}


def _only_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
