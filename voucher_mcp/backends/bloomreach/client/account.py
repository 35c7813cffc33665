"""One Bloomreach project as the tools reach it: its session, and how it is asked."""

from collections.abc import Callable, Mapping
from typing import Any

from anyio.abc import TaskGroup

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.bloomreach.client.catalogue import Offer, offered
from voucher_mcp.backends.bloomreach.client.client import LoomiClient
from voucher_mcp.backends.bloomreach.client.upstream_project import find_upstream_project
from voucher_mcp.backends.bloomreach.mapping.answers import Payload
from voucher_mcp.backends.bloomreach.mapping.failures import NoSuchTool
from voucher_mcp.backends.pace import Paces
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.errors import NotFound


class Account(Backend):
    """What all tools on Bloomreach share.

    After construction `start` has to be called once; the session with the vendor's server is opened by the
    first call that needs it.
    """

    name = "bloomreach"

    def __init__(self, project: BloomreachProject) -> None:
        self._project = project
        self._loomi = LoomiClient(project)
        self._upstream_id = project.upstream_project_id

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        """The session lives in a task of these, and ends with them."""
        self._loomi.start(tasks, paces)

    async def close(self) -> None:
        self._loomi.close()

    async def _ask(
        self, tools: tuple[str, ...], given: Callable[[Offer], Mapping[str, Any]]
    ) -> tuple[Offer, Payload]:
        """The first of these tools that there is, and what it answers.

        Raises:
            UpstreamError: there is none of them.
        """
        offer = offered(await self._loomi.catalogue(), tools)
        try:
            return offer, await self._call(offer.name, **given(offer))
        except NoSuchTool:
            self._loomi.close()  # what is known of the server's tools is out of date
            offer = offered(await self._loomi.catalogue(), tools)
            return offer, await self._call(offer.name, **given(offer))

    async def _call(self, tool: str, **arguments: Any) -> Payload:
        """Call a tool that takes the vendor's project."""
        if self._upstream_id is None:
            self._upstream_id = await find_upstream_project(self._call_bare, self._project.id)
        try:
            return await self._call_bare(tool, project_id=self._upstream_id, **arguments)
        except NotFound:
            # what is remembered is out of date, if only because another person signed in
            self._forget()
            raise

    async def _call_bare(self, tool: str, **arguments: Any) -> Payload:
        return await self._loomi.call(tool, arguments)

    def _forget(self) -> None:
        """Forget what was read of the vendor's projects."""
        self._upstream_id = self._project.upstream_project_id
