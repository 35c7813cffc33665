"""A Mews account as a backend: the tools that its documents can serve."""

from voucher_mcp.backends.mews.pools.code_writes import CodeWrites
from voucher_mcp.backends.mews.pools.pool_writes import PoolWrites
from voucher_mcp.backends.mews.vouchers.voucher_tools import VoucherReads


class MewsBackend(PoolWrites, CodeWrites, VoucherReads):
    """One access token at Mews."""
