"""What goes when a voucher is deleted: what sessions reserve of it, and its holders."""

from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def forget(transaction: Transaction, project: Project, voucher_n: int) -> None:
    """Remove all that, with every holder's count of holdings. Redemptions and ledger stay readable."""
    await transaction.later("voucher_holdings_uncount", project.n, voucher_n)
    await transaction.later("voucher_holders_delete", project.n, voucher_n)
    await transaction.later("voucher_sessions_delete", project.n, voucher_n)
