"""Who holds which voucher. A customer's count of holdings always equals their rows."""

from voucher_mcp.domain.values.texts import caseless
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

OWNER = "OWNER"


async def hold(
    transaction: Transaction, project: Project, customer_id: str, voucher_n: int, role: str, moment: int
) -> bool:
    """Let a customer, who comes into being with it, hold a voucher; answer whether they did not before."""
    if await transaction.one("holder_known", project.n, customer_id, voucher_n):
        return False
    await transaction.later("customer_insert", project.n, customer_id, moment, caseless(customer_id))
    holder = (project.n, customer_id, voucher_n, role, moment)
    await transaction.later("holder_insert", *holder, overtakes="The holder of the voucher")
    await transaction.later("holdings_count", project.n, customer_id, voucher_n, 1)
    return True


async def let_go(transaction: Transaction, project: Project, customer_id: str, voucher_n: int) -> None:
    """Let a customer hold a voucher no more."""
    if await transaction.run("holder_delete", project.n, voucher_n, customer_id):
        await transaction.later("holdings_count", project.n, customer_id, voucher_n, -1)
