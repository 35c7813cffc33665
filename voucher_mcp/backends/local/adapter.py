"""The embedded engine as a backend, put together from one part a toolset."""

from voucher_mcp.backends.local.changes.change_tools import ChangeTools
from voucher_mcp.backends.local.jobs.job_tools import JobTools
from voucher_mcp.backends.local.pools.pool_tools import PoolTools
from voucher_mcp.backends.local.redeemables.redeemable_tools import RedeemableTools
from voucher_mcp.backends.local.redemptions.redemption_tools import RedemptionTools
from voucher_mcp.backends.local.vouchers.voucher_tools import VoucherTools


class LocalBackend(PoolTools, VoucherTools, RedeemableTools, RedemptionTools, JobTools, ChangeTools):
    """One project in an embedded database."""

    async def check(self) -> str:
        pools = await self.list_voucher_pools(0, 1_000)
        more = " or more" if pools.beside["has_more"] else ""
        return f"the database answers; pools in it: {len(pools.data):,}{more}"
