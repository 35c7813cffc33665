"""The app: what is served at which address, and what each request passes on its way."""

from collections.abc import Iterable

from mcp.server import Server
from mcp.server.auth.provider import AccessToken
from starlette.applications import Starlette
from starlette.routing import Route, request_response
from starlette.types import ASGIApp

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.bodies import Bodies
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.connections.handing import Workers
from voucher_mcp.http.connections.strangers import Strangers
from voucher_mcp.http.ending import Listeners
from voucher_mcp.http.health import Health
from voucher_mcp.http.hosts import Hosts
from voucher_mcp.http.pages.downloads import Downloads, Turn
from voucher_mcp.http.pages.links import PATH, Links
from voucher_mcp.http.pages.site import Site
from voucher_mcp.http.pages.work.desk import Desks
from voucher_mcp.http.pages.work.routes import routes_of
from voucher_mcp.http.sessions import Sessions
from voucher_mcp.http.sign_in.bearer import Refused, Required, SignIn, Verify
from voucher_mcp.http.sign_in.issuer import Issuer
from voucher_mcp.http.sign_in.metadata import WELL_KNOWN, Metadata
from voucher_mcp.http.sign_in.oauth import OAuth
from voucher_mcp.http.sign_in.tokens import FixedTokens
from voucher_mcp.http.tally import Tally
from voucher_mcp.http.watching.metrics import PATH as NUMBERS
from voucher_mcp.http.watching.metrics import Metrics
from voucher_mcp.http.watching.requests import Requests
from voucher_mcp.policy.callers import Caller
from voucher_mcp.tools.dispatch import Dispatcher


class App:
    """The app, with the parts of it that live as long as the server does."""

    def __init__(
        self,
        server: Server[Dispatcher],
        http: HttpSettings,
        names: Iterable[str],
        workers: Workers,
        links: Links,
        turn: Turn,
        site: Site,
        tally: Tally,
        metrics: Metrics | None = None,
    ) -> None:
        """`names` are what the server goes by, beside what is configured."""
        self.sessions = Sessions(server, workers)
        self.listeners = Listeners(self.sessions.handle_request)
        addresses = Addresses(http)
        metadata = Metadata(http, addresses) if http.issuer is not None else None
        where = None if metadata is None else metadata.address
        health = Health(lambda: self.sessions.dispatcher)
        downloads = Downloads(links, lambda: self.sessions.dispatcher, turn)
        routes = [
            Route("/mcp", Required(Bodies(self.listeners), where)),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route(PATH + "/{link}", downloads, methods=["GET"]),
            *site.routes,
            *routes_of(Desks(site.visitors, lambda: self.sessions.dispatcher, links, turn)),
        ]
        if metrics is not None:
            routes.append(Route(NUMBERS, Required(request_response(metrics.show), where)))
        if metadata is not None:
            routes += [Route(WELL_KNOWN + rest, metadata.show) for rest in ("", "/{path:path}")]
        signed_in = SignIn(Starlette(routes=routes), _verify(http), where)
        own = [addresses.name] if addresses.name else []
        named = Hosts(signed_in, [*http.allowed_hosts, *own, *names])
        self.asgi: ASGIApp = Requests(Strangers(named, tally))


def _verify(http: HttpSettings) -> Verify | None:
    """Whose a token is, of any kind that is configured; None where nobody has to sign in."""
    fixed, oauth = FixedTokens(http.tokens), None
    if http.issuer is not None:
        oauth = OAuth(http, Issuer(http.issuer))

    async def verify(token: str) -> tuple[Caller, AccessToken]:
        if (found := fixed.find(token)) is not None:
            return found
        if oauth is None:
            raise Refused("This token is not known here.")
        return await oauth.verify(token)

    return verify if http.has_sign_in else None
