"""The app: what is served at which address, and what each request passes on its way."""

from collections.abc import Iterable

from mcp.server import Server
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.bodies import Bodies
from voucher_mcp.http.ending import Listeners
from voucher_mcp.http.health import Health
from voucher_mcp.http.hosts import Hosts
from voucher_mcp.http.sessions import Sessions
from voucher_mcp.http.sign_in import Required, SignIn
from voucher_mcp.http.tokens import FixedTokens
from voucher_mcp.tools.dispatch import Dispatcher


class App:
    """The app, with the parts of it that live as long as the server does."""

    def __init__(self, server: Server[Dispatcher], http: HttpSettings, names: Iterable[str]) -> None:
        """`names` are what the server goes by, beside what is configured."""
        self.sessions = Sessions(server)
        self.listeners = Listeners(self.sessions.handle_request)
        health = Health(lambda: self.sessions.dispatcher)
        routes = [
            Route("/mcp", Required(Bodies(self.listeners))),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
        ]
        verify = FixedTokens(http.tokens).verify if http.has_sign_in else None
        signed_in = SignIn(Starlette(routes=routes), verify)
        self.asgi: ASGIApp = Hosts(signed_in, [*http.allowed_hosts, *names])
