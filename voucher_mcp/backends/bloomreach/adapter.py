"""A Bloomreach project as a backend, put together from one part a toolset."""

import anyio

from voucher_mcp.backends.bloomreach.jobs.job_tools import JobTools
from voucher_mcp.backends.bloomreach.pools.pool_tools import PoolTools
from voucher_mcp.domain.values.texts import counted


class BloomreachBackend(PoolTools, JobTools):
    """One project at Bloomreach: it reads pools and codes, and starts imports where an API key is there."""

    async def check(self) -> str:
        count = len((await self._pools(anyio.current_time())).pools)
        signed = "the token" if self._project.token is not None else "the stored sign-in"
        imports = "; imports can be started" if self._project.can_import else ""
        return f"{signed} is accepted, with {counted(count, 'pool')}{imports}"
