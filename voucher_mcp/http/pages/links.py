"""Addresses of finished exports that their owner opens in a browser, without signing in there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server import ServerRequestContext
from starlette.requests import Request
from starlette.types import Scope

from voucher_mcp.config import HttpSettings
from voucher_mcp.domain.values.times import now, to_iso
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.sign_in.bearer import caller_of
from voucher_mcp.http.sign_in.known import Known
from voucher_mcp.http.sign_in.seals import Broken, Seal
from voucher_mcp.policy.callers import Caller

PATH: Final = "/exports"
MILLISECONDS: Final = 3_600_000
"""How long an address is good."""


@dataclass(frozen=True, slots=True)
class Link:
    """What an address opens."""

    caller: Caller
    """Whose it is, with what they may use now."""
    project_id: str
    export_id: str


class Links:
    """Makes addresses, each for one export of one project and its caller, and reads them."""

    def __init__(self, http: HttpSettings, key: str, addresses: Addresses) -> None:
        self._seal = Seal(key, "export")
        self._known = Known(http)
        self._addresses = addresses

    def made(
        self, context: ServerRequestContext[Any, Any], project_id: str, export_id: str
    ) -> Mapping[str, str]:
        """The address of an export for who sent that message: {url, expires_at (ISO 8601)}."""
        assert isinstance(context.request, Request)  # of every message over HTTP
        return self.of(caller_of(context), context.request.scope, project_id, export_id)

    def of(self, caller: Caller, scope: Scope, project_id: str, export_id: str) -> Mapping[str, str]:
        """The address of an export for a caller, by the name that their request called the server."""
        until = now() + MILLISECONDS
        contents = {**self._known.told(caller), "project": project_id, "export": export_id}
        url = self._addresses.of(scope, f"{PATH}/{self._seal.closed(contents, until)}")
        return {"url": url, "expires_at": str(to_iso(until))}

    def opened(self, sealed: str) -> Link:
        """What the last part of an address opens.

        Raises:
            Broken: nothing, or nothing any more: its caller cannot sign in as they did.
            Expired: its hour is over.
        """
        found = self._seal.opened(sealed)
        caller = self._known.again(found)
        if caller is None:
            raise Broken
        return Link(caller, found["project"], found["export"])
