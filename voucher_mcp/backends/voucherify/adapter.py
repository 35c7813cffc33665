"""A Voucherify project as a backend, put together from one part a toolset."""

from voucher_mcp.backends.voucherify.changes.change_tools import ChangeTools
from voucher_mcp.backends.voucherify.jobs.job_tools import JobTools
from voucher_mcp.backends.voucherify.pools.pool_tools import PoolTools
from voucher_mcp.backends.voucherify.redeemables.redeemable_tools import RedeemableTools
from voucher_mcp.backends.voucherify.redemptions.redemption_tools import RedemptionTools
from voucher_mcp.backends.voucherify.vouchers.voucher_tools import VoucherTools


class VoucherifyBackend(PoolTools, VoucherTools, RedeemableTools, RedemptionTools, JobTools, ChangeTools):
    """One project at Voucherify."""
