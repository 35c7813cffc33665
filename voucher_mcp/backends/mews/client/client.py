"""Requests to the Connector API: what stands in each body, and what an answer must have."""

from collections.abc import Sequence
from typing import Any

from voucher_mcp import __version__
from voucher_mcp.backends.http import HttpClient
from voucher_mcp.backends.mews.mapping.failures import failure
from voucher_mcp.backends.mews.mapping.objects import Object
from voucher_mcp.backends.pace import Paces
from voucher_mcp.config.models import MewsProject
from voucher_mcp.domain.write import Write

ROOT = "/api/connector/v1/"
CALLS, CALLS_SECONDS = 200, 30.0
"""The documents' limit for one access token."""
MAX_ITEMS = 1_000
"""What one request takes or answers (documents)."""
Fields = dict[str, Any]


class MewsClient:
    """One access token's connection. `start` comes before the first call; neither touches the network."""

    def __init__(self, project: MewsProject) -> None:
        self._project = project
        self._http: HttpClient | None = None

    def start(self, paces: Paces) -> None:
        """Take the pace of the access token, which other projects may share. Still nothing is sent."""
        project = self._project
        token = ("mews", project.base_url.rstrip("/"), project.access_token)
        self._http = HttpClient(
            project.base_url,
            system="mews",
            project=project.id,
            headers={},
            timeout=project.timeout,
            pace=paces.of(token, CALLS, CALLS_SECONDS),
            failure=failure,
            secrets=(project.client_token, project.access_token),
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def read(self, operation: str, kind: str, fields: Fields) -> Object:
        """What a reading operation answers; `kind` is the name of its list, which every request asks for.

        Raises:
            VoucherError: it failed, or what came back is not an object with such a list.
        """
        enterprise = self._project.enterprise_id
        scope = {"EnterpriseIds": [enterprise]} if enterprise else {}
        reply = await self._started.read("POST", ROOT + operation, json=self._body({**scope, **fields}))
        answer = {} if reply.status == 204 else reply.object()
        if not isinstance(
            answer.get(kind), list
        ):  # null is not an empty list: nothing can be concluded from it
            raise reply.unreadable(f"lacks the list {kind}")
        return answer

    async def write(
        self, write: Write, operation: str, fields: Fields, *, enterprise: str | None, settled_by: str
    ) -> Object:
        """What a writing operation answers, empty for a 204.

        `enterprise` is whose the thing is; the configured one goes first. It is needed with a portfolio token
        and ignored otherwise (documents). `settled_by` names the read that shows whether it was applied.

        Raises:
            OutcomeUnknown: it may have been applied.
            VoucherError: it was not.
        """
        enterprise = self._project.enterprise_id or enterprise
        scope = {"EnterpriseId": enterprise} if enterprise else {}
        reply = await self._started.write(
            write, "POST", ROOT + operation, json=self._body({**scope, **fields}), settled_by=settled_by
        )
        return {} if reply.status == 204 else reply.object()

    @property
    def _started(self) -> HttpClient:
        assert self._http is not None, "start() gives the pace"
        return self._http

    def _body(self, fields: Fields) -> Fields:
        return {
            "ClientToken": self._project.client_token.get_secret_value(),
            "AccessToken": self._project.access_token.get_secret_value(),
            "Client": f"voucher-mcp {__version__}",
            **fields,
        }


def chunks(items: Sequence[str], size: int = MAX_ITEMS) -> list[list[str]]:
    """So many items each, at most as many as a request takes."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
