"""Calls of the vendor's tools: one at a time, at its pace, over a session that is reopened when it breaks."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from anyio.abc import TaskGroup

from voucher_mcp.backends.bloomreach.client.catalogue import Catalogue
from voucher_mcp.backends.bloomreach.client.connection import Connection
from voucher_mcp.backends.bloomreach.client.sign_in.auth import StoredAuth, secrets_of
from voucher_mcp.backends.bloomreach.mapping.answers import Payload, payload
from voucher_mcp.backends.pace import Pace, Paces, fits
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.errors import RateLimited, Unauthorized, Unavailable, VoucherError

T = TypeVar("T")

CALL_SECONDS = 1.0
"""Second hand, and held to by ours alone: a user's calls, over all connections, come one a second."""
_TRIES = 2
_WAITS = 5
"""How often one call is made again after the server asked for patience."""


class LoomiClient:
    """The account of one project at the vendor's MCP server."""

    def __init__(self, project: BloomreachProject) -> None:
        self._project = project
        self._tasks: TaskGroup | None = None
        self._connection: Connection | None = None
        self._pace: Pace | None = None

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        """Sessions live in these tasks and end with them. Nothing is opened yet.

        The pace is the user's. A token stands for one; all stored sign-ins at a server count as one's too.
        """
        self._tasks = tasks
        self._pace = paces.of((self._project.url, self._project.token), 1, CALL_SECONDS)

    def close(self) -> None:
        """Let the session go, and with it what is known of its tools; a later call opens another."""
        self._drop()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Payload:
        """What a tool that only reads answers: {success: true, data, …}.

        It waits for the account's pace and for what the server asks, as long as that fits into the call, and
        is made once more where the session broke or the server could not answer.

        Raises:
            VoucherError: it failed; `applied` is no.
        """

        async def ask(connection: Connection) -> Payload:
            return payload(tool, await connection.call(tool, arguments), connection.redacted)

        return await self._patiently(ask)

    async def catalogue(self) -> Catalogue:
        """The tools that the server offers; they are read once a session.

        Raises:
            VoucherError: as `call`.
        """
        known = self._connection.known if self._connection is not None else None
        return known if known is not None else await self._patiently(Connection.catalogue)

    async def _patiently(self, ask: Callable[[Connection], Awaitable[T]]) -> T:
        assert self._pace is not None, "start() gives the pace"
        tries = waits = 0
        while True:
            async with self._pace.turn():
                try:
                    return await ask(await self._open())
                except RateLimited as error:
                    waits += 1
                    if error.retry_after is not None:
                        self._pace.pause(error.retry_after)  # for later calls too
                    if waits > _WAITS or error.retry_after is None or not fits(error.retry_after):
                        raise
                except Unavailable:
                    self._drop()
                    tries += 1
                    # after a time-out there is no time for another one
                    if tries == _TRIES or not fits(0.0, self._project.timeout):
                        raise
                except Unauthorized as error:
                    self._drop()
                    raise self._with_remedy(error) from None

    async def _open(self) -> Connection:
        connection = self._connected()
        try:
            await connection.opened()
        except VoucherError:
            self._drop()
            raise
        return connection

    def _connected(self) -> Connection:
        if self._connection is None:
            assert self._tasks is not None, "start() gives the tasks in which sessions live"
            token = self._project.token
            auth = StoredAuth(self._project) if token is None else None
            self._connection = Connection(
                self._project.url,
                timeout=self._project.timeout,
                headers={} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"},
                auth=auth,
                secrets=lambda: auth.secrets if auth is not None else secrets_of(token),
            )
            self._tasks.start_soon(self._connection.run)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    def _with_remedy(self, error: Unauthorized) -> Unauthorized:
        """The error with the command that repairs it."""
        if self._project.token is not None:
            remedy = "let the operator set a valid `token`, or leave it out and run"
        else:
            remedy = "let the operator run"
        return Unauthorized(f"{error.message} To repair it, {remedy} `voucher-mcp login {self._project.id}`.")
