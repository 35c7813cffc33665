"""The embedded engine as a backend, put together from one part a toolset."""

from voucher_mcp.backends.local.pool_tools import PoolTools


class LocalBackend(PoolTools):
    """One project in an embedded database."""

    async def check(self) -> str:
        pools = await self.list_voucher_pools(0, 1_000)
        more = " or more" if pools.beside["has_more"] else ""
        return f"the database answers; pools in it: {len(pools.data):,}{more}"
