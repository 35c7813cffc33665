"""One MCP session with the vendor's server, in a task of its own."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.auth import OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    ListToolsRequest,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import SecretStr

from voucher_mcp import __version__
from voucher_mcp.backends.bloomreach.client.catalogue import Catalogue, Offer
from voucher_mcp.backends.bloomreach.mapping.failures import (
    Refusal,
    session_error,
    transport_error,
    unreadable,
)
from voucher_mcp.backends.http.connecting import connect
from voucher_mcp.backends.http.redacting import Redactor
from voucher_mcp.domain.errors import VoucherError

T = TypeVar("T", CallToolResult, ListToolsResult)

_EVENT_BYTES = 16 * 1024 * 1024
"""A page of 1,000 codes comes twice in one event, as structured content and as text."""

_FORESEEN = (ExceptionGroup, MCPError, OAuthFlowError, VoucherError, httpx2.HTTPError, OSError, RuntimeError)


class Connection:
    """A session for one call after the other; `run` holds it, in a task that nobody else works in.

    The session's cancel scopes have to be left by the task that entered them, so the callers' tasks only
    send requests through it. Once it broke it stays broken: make a new one.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        headers: Mapping[str, str],
        auth: httpx2.Auth | None,
        secrets: Callable[[], Iterable[SecretStr]],
    ) -> None:
        """Make one without reaching for anything.

        Args:
            url: the vendor's MCP server.
            timeout: seconds to wait for an answer.
            headers: what each request carries.
            auth: signs each request, where `headers` do not.
            secrets: those that the requests may carry by now, never to be seen in an error.
        """
        self._url = url
        self._timeout = timeout
        self._headers = dict(headers)
        self._auth = auth
        self._secrets = secrets
        self._client: Client | None = None
        self.known: Catalogue | None = None
        """The tools that the server offers, once they were read."""
        self._refusal: Refusal | None = None
        self._failure: BaseException | None = None
        self._opened, self._leaving, self._ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def run(self) -> None:
        """Open the session and hold it until `leave` or until it breaks. Raises nothing of its own."""
        # it would write what it cannot read, codes and all, into our log
        logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
        try:
            async with (
                self._http() as http,
                Client(
                    # no farewell: a session is left when it broke, or when our own server has no time left
                    streamable_http_client(
                        self._url, http_client=http, terminate_on_close=False, max_sse_event_size=_EVENT_BYTES
                    ),
                    read_timeout_seconds=self._timeout,
                    client_info=Implementation(name="voucher-mcp", version=__version__),
                    cache=None,
                ) as client,
            ):
                self._client = client
                self._opened.set()
                await self._leaving.wait()
        except (*_FORESEEN, ValueError) as error:
            self._failure = error
        finally:
            self._client = None
            self._opened.set()
            self._ended.set()

    def _http(self) -> httpx2.AsyncClient:
        http = connect("bloomreach", self._url, self._headers, self._timeout)
        if self._auth is not None:
            http.auth = self._auth
        http.event_hooks = {"response": [self._note]}
        return http

    def leave(self) -> None:
        """Let `run` end."""
        self._leaving.set()

    async def opened(self) -> None:
        """Wait until the session is open.

        Raises:
            VoucherError: it cannot be opened.
        """
        await self._opened.wait()
        if self._client is None:
            raise self._broken(self._failure)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """The answer to one call, whatever it says.

        Raises:
            VoucherError: there is none. Unavailable means that the session is of no more use.
        """
        # not Client.call_tool: it lists the tools first, and refuses what their schemas do not foresee
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
        return await self._send(tool, request, CallToolResult)

    async def catalogue(self) -> Catalogue:
        """The tools that the server offers, read once.

        Raises:
            VoucherError: as `call`; UpstreamError also where the list does not end.
        """
        if self.known is None:
            offers: dict[str, Offer] = {}
            cursor, cursors = None, set[str | None]()
            while cursor not in cursors:
                cursors.add(cursor)
                request = ListToolsRequest(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
                page = await self._send("tools/list", request, ListToolsResult)
                offers |= {tool.name: Offer.of(tool) for tool in page.tools}
                if not (cursor := page.next_cursor):
                    break
            else:
                raise unreadable("tools/list")
            self.known = offers
        return self.known

    async def _send(self, what: str, request: CallToolRequest | ListToolsRequest, kind: type[T]) -> T:
        await self.opened()
        assert self._client is not None
        self._refusal = None
        try:
            return await self._client.session.send_request(request, kind)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self.leave()
                await self._ended.wait()  # and with it comes the reason
                raise self._broken(self._failure) from None
            raise session_error(what, error, self._refusal, self.redacted) from None
        except ValueError as error:
            raise self._broken(error) from None

    def redacted(self, text: str) -> str:
        """What the vendor says about a failure, without the secrets that it may repeat."""
        return Redactor(self._secrets()).text(text)

    def _broken(self, failure: BaseException | None) -> VoucherError:
        return transport_error(failure, self._refusal, self.redacted)

    async def _note(self, response: httpx2.Response) -> None:
        """Keep what the session makes a general error of: the status of an answer that is none."""
        if response.request.method == "POST" and response.request.url == httpx2.URL(self._url):
            self._refusal = Refusal.of(response) if response.status_code >= 400 else None
