"""What goes when a voucher is deleted: its redemptions, what sessions reserve of it, and its holders."""

from voucher_mcp.backends.local.ids import Project
from voucher_mcp.backends.local.stores.base import Transaction


async def forget(transaction: Transaction, project: Project, voucher_n: int) -> int:
    """Remove all that, with every holder's count of holdings; answer how many redemptions went.

    A stack goes with the last voucher of it, and rollbacks with what they rolled back. The ledger stays.
    """
    counted = await transaction.one("voucher_redemptions_count", voucher_n)
    await transaction.run("voucher_holdings_uncount", project.n, voucher_n)
    await transaction.run("voucher_holders_delete", voucher_n)
    await transaction.run("voucher_sessions_delete", voucher_n)
    await transaction.run("voucher_stacks_delete", voucher_n)
    await transaction.run("voucher_redemptions_delete", voucher_n)
    return int(counted[0]) if counted else 0
