"""What goes when a voucher is deleted: what sessions reserve of it, and its holders."""

from collections.abc import Sequence

from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def forget(transaction: Transaction, project: Project, vouchers: Sequence[int]) -> None:
    """Remove all that, with every holder's count of holdings. Redemptions and ledger stay readable."""
    rows = [(project.n, n) for n in vouchers]
    await transaction.many("voucher_holdings_uncount", rows)
    await transaction.many("voucher_holders_delete", rows)
    await transaction.many("voucher_sessions_delete", rows)
