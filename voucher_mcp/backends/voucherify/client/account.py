"""One Voucherify project as the tools reach it: its address, its sign-in, and how it is asked."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from unicodedata import normalize
from urllib.parse import urlsplit

from anyio.abc import TaskGroup

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.http import Files, HttpClient, Reply, segment
from voucher_mcp.backends.pace import Pace, Paces
from voucher_mcp.backends.voucherify.mapping.failures import failure, unsettled
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_objects, as_text
from voucher_mcp.backends.voucherify.mapping.query import encode
from voucher_mcp.config import VoucherifyProject
from voucher_mcp.domain.errors import (
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Unauthorized,
    UpstreamError,
    quoted,
)
from voucher_mcp.domain.values.texts import caseless, counted
from voucher_mcp.domain.write import Write

API_VERSION: Final = "v2018-08-01"
"""The only one that there is."""

PAGE: Final = 100
"""The vendor's longest page."""
LAST_PAGE: Final = 99
REACH: Final = PAGE * LAST_PAGE
"""How many of a list can be reached by pages."""


_OWN_DOMAIN: Final = "voucherify.io"
"""Its exports are fetched from other hosts than its API (download.voucherify.io; its documents)."""

DRY: Final[Mapping[str, Any]] = {"dry_run": True}
"""What stands beside the answer of a dry run."""


class Account(Backend):
    """What all toolsets of this backend share."""

    name = "voucherify"

    def __init__(self, project: VoucherifyProject) -> None:
        self.project_id = project.id
        self._project = project
        self._host = urlsplit(project.base_url).hostname or project.base_url
        self._http = self._client(None)

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        project = self._project
        account = (self.name, project.base_url, project.app_id, project.oauth_token)
        self._http = self._client(paces.of(account))  # how fast it may be asked its answers say

    def _client(self, pace: Pace | None) -> HttpClient:
        project = self._project
        return HttpClient(
            project.base_url,
            system=self.name,
            project=project.id,
            headers=headers_of(project),
            timeout=project.timeout,
            pace=pace,
            failure=failure,
            secrets=[secret for secret in (project.app_token, project.oauth_token) if secret is not None],
            own_domain=_OWN_DOMAIN,
        )

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> str:
        """Read one voucher as a tool would."""
        try:
            found = await self._get("/v1/vouchers", {"limit": 1})
        except Unauthorized as error:
            raise Unauthorized(
                f"{self._host} does not accept the project's keys. Compare app_id and app_token with the "
                "dashboard (Project settings, Application keys), and base_url with the project's region: "
                "https://api.voucherify.io, https://us1.api.voucherify.io or https://as1.api.voucherify.io.",
                request_id=error.request_id,
            ) from None
        except Forbidden as error:
            raise Forbidden(
                f"{self._host} accepts the project's keys but lets them read no vouchers: give the API key "
                "the permissions for vouchers, campaigns, publications, redemptions and exports.",
                request_id=error.request_id,
            ) from None
        except (NotFound, UpstreamError) as error:
            raise UpstreamError(
                f"{self._host} does not answer as Voucherify does; base_url should be the API's address, "
                "such as https://api.voucherify.io.",
                request_id=error.request_id,
            ) from None
        total = as_count(found.get("total"))
        return f"Reached Voucherify at {self._host}" + (
            "." if total is None else f": {counted(total, 'voucher')} can be read."
        )

    async def _get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Object:
        """Read an object.

        Raises:
            VoucherError: whatever failed; nothing was changed.
        """
        return (await self._http.read("GET", path, query=encode(parameters or {}))).object()

    async def _voucher(self, name: str) -> Object:
        """The voucher of that code or id, as the vendor has it.

        Raises:
            NotFound: there is none, or what the vendor answers with is another one.
        """
        there = await self._get(voucher_path(name))
        if not is_named(there, name):
            # how the other one is written is not said: a code that was only guessed would be given away
            other = as_text(there.get("code")) or ""
            meant = (
                " There is one that differs from it only by capital and small letters."
                if caseless(other) == caseless(name)
                else ""
            )
            error = NotFound(
                f"There is no voucher {quoted(name)} in this project.{meant} list_vouchers shows what there "
                "is.",
                field="code",
            )
            error.add_note("not_found")  # as the vendor's own key says it
            raise error
        return there

    async def _list(
        self, path: str, name: str, parameters: Mapping[str, Any]
    ) -> tuple[list[Object], int | None]:
        """Read a page of a list whose items stand under `name`: the items, and the total if it is told."""
        reply = await self._http.read("GET", path, query=encode(parameters))
        body = reply.object()
        if not isinstance(body.get(name), list):
            raise reply.unreadable("has no list where one was expected")
        return as_objects(body[name]), as_count(body.get("total"))

    async def _whether_known(self, customer: str | None, rows: Sequence[object]) -> Object:
        """{known: false} beside an empty list of a customer whom the vendor does not know."""
        if customer is None or rows:
            return {}
        try:
            await self._get(f"/v1/customers/{segment(customer)}")
        except NotFound:
            return {"known": False}
        return {}

    async def _send(
        self,
        write: Write,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Files | None = None,
        settled_by: str,
    ) -> Reply:
        """Change something; `settled_by` is the read that shows whether it was done.

        Raises:
            OutcomeUnknown: the answer was lost.
            VoucherError: of any other kind; nothing was changed.
        """
        return await self._http.write(
            write, method, path, query=encode(parameters or {}), json=json, files=files, settled_by=settled_by
        )

    async def _send_untraceable(
        self,
        write: Write,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Files | None = None,
        advice: str,
    ) -> Object:
        """Post something that a repeat could not find again; `advice` is that of `unsettled`.

        Raises:
            OutcomeUnknown: the answer was lost.
            VoucherError: of any other kind; nothing was changed.
        """
        try:
            reply = await self._send(
                write, "POST", path, parameters=parameters, json=json, files=files, settled_by=""
            )
            return reply.object()
        except OutcomeUnknown as error:  # whose advice is for what a repeat finds out about
            raise unsettled(advice, request_id=error.request_id) from error


def voucher_path(code: str, rest: str = "") -> str:
    """The path of a voucher, by code or id."""
    return f"/v1/vouchers/{segment(code)}{rest}"


def is_named(voucher: Mapping[str, Any], name: str) -> bool:
    """Whether a voucher is the one of that code or id; letters may be composed in another way."""
    known = [text for part in ("code", "id") if (text := as_text(voucher.get(part)))]
    return not known or normalize("NFC", name) in [normalize("NFC", text) for text in known]


def campaign_path(campaign: str, rest: str = "") -> str:
    """The path of a campaign, by id or name."""
    return f"/v1/campaigns/{segment(campaign)}{rest}"


def headers_of(project: VoucherifyProject) -> dict[str, str]:
    """What goes with each request: the sign-in and the version of the API."""
    headers = {"X-Voucherify-API-Version": API_VERSION, "X-Voucherify-Channel": "voucher-mcp"}
    if project.oauth_token is not None:
        return headers | {"Authorization": f"Bearer {project.oauth_token.get_secret_value()}"}
    assert project.app_id is not None, "the settings saw to it"
    assert project.app_token is not None
    return headers | {"X-App-Id": project.app_id, "X-App-Token": project.app_token.get_secret_value()}
