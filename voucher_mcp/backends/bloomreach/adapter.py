"""The Bloomreach backend: what a Bloomreach project can do."""

from typing import Any

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.backends.bloomreach.jobs.job_tools import ImportTools
from voucher_mcp.backends.bloomreach.pools.pool_tools import PoolTools
from voucher_mcp.backends.pace import Paces
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.values.texts import counted


class BloomreachBackend(PoolTools, ImportTools):
    """One project at Bloomreach: it reads pools and codes, and starts imports where an API key is configured.

    After construction `start` has to be called once; the session with the vendor's server is opened by the
    first call that needs it.
    """

    name = "bloomreach"

    def __init__(self, project: BloomreachProject) -> None:
        PoolTools.__init__(self, project)
        ImportTools.__init__(self, project)

    @classmethod
    def serves(cls, project: Any, method: str) -> bool:
        if method == "start_voucher_import":
            return isinstance(project, BloomreachProject) and project.can_import
        return cls.can(method)

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        """The session lives in a task of these, and ends with them."""
        self._loomi.start(tasks, paces)

    async def check(self) -> str:
        """Reach the vendor's server as a reader would, and say what was found."""
        count = len((await self._pools(anyio.current_time())).pools)
        signed = "the token" if self._project.token is not None else "the stored sign-in"
        imports = "; imports can be started" if self._project.can_import else ""
        return f"{signed} is accepted, with {counted(count, 'pool')}{imports}"

    async def close(self) -> None:
        """End the session and the connections."""
        self._loomi.close()
        await self._close_api()
