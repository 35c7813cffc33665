"""A Mews account as a backend, put together from one part a toolset."""

from voucher_mcp.backends.mews.changes.change_tools import ChangeTools
from voucher_mcp.backends.mews.pools.pool_tools import PoolTools
from voucher_mcp.backends.mews.vouchers.voucher_tools import VoucherTools


class MewsBackend(PoolTools, VoucherTools, ChangeTools):
    """One access token at Mews: pools and codes are written, and codes shown as vouchers."""
