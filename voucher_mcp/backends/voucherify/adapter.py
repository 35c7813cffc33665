"""The Voucherify backend, put together from its toolsets."""

from voucher_mcp.backends.voucherify.jobs.job_tools import VoucherJobTools
from voucher_mcp.backends.voucherify.pools.assigning import AssigningTools
from voucher_mcp.backends.voucherify.pools.bulk_codes import BulkCodeTools
from voucher_mcp.backends.voucherify.pools.code_lists import CodeListTools
from voucher_mcp.backends.voucherify.pools.pool_tools import PoolTools
from voucher_mcp.backends.voucherify.redeemables.customers import CustomerTools
from voucher_mcp.backends.voucherify.redeemables.redeemable_tools import RedeemableTools
from voucher_mcp.backends.voucherify.redemptions.redemption_tools import RedemptionTools
from voucher_mcp.backends.voucherify.vouchers.moving import MovingTools


class VoucherifyBackend(
    PoolTools,
    BulkCodeTools,
    CodeListTools,
    AssigningTools,
    MovingTools,
    VoucherJobTools,
    RedeemableTools,
    CustomerTools,
    RedemptionTools,
):
    """One Voucherify project."""
