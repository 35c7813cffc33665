"""The Voucherify backend, put together from its toolsets."""

from voucher_mcp.backends.voucherify.assigning import AssigningTools
from voucher_mcp.backends.voucherify.bulk_codes import BulkCodeTools
from voucher_mcp.backends.voucherify.code_lists import CodeListTools
from voucher_mcp.backends.voucherify.customers import CustomerTools
from voucher_mcp.backends.voucherify.moving import MovingTools
from voucher_mcp.backends.voucherify.pools import PoolTools
from voucher_mcp.backends.voucherify.redeemables import RedeemableTools
from voucher_mcp.backends.voucherify.redemptions import RedemptionTools
from voucher_mcp.backends.voucherify.voucher_jobs import VoucherJobTools


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
