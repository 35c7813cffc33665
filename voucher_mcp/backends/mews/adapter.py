"""A Mews account as a backend: the tools that its documents can serve."""

from voucher_mcp.backends.mews.code_writes import CodeWrites
from voucher_mcp.backends.mews.pool_writes import PoolWrites
from voucher_mcp.backends.mews.voucher_reads import VoucherReads


class MewsBackend(PoolWrites, CodeWrites, VoucherReads):
    """One access token at Mews."""
