"""Who holds which voucher. A customer's count of holdings always equals their rows."""

from voucher_mcp.domain.values.texts import caseless
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

_OWNER = "OWNER"


async def hold(
    transaction: Transaction, project: Project, customer_id: str, n: int, pool_n: int | None, moment: int
) -> bool:
    """Let a customer, who comes into being with it, hold the voucher in row `n`, which is of that pool.

    Answers whether they did not before.
    """
    if await transaction.one("holder_known", project.n, customer_id, n):
        return False
    await transaction.later("customer_insert", project.n, customer_id, moment, caseless(customer_id))
    holder = (project.n, customer_id, n, _OWNER, moment)
    await transaction.later("holder_insert", *holder, overtakes="The holder of the voucher")
    await transaction.later("holdings_count", project.n, customer_id, pool_n, 1)
    return True


async def let_go(
    transaction: Transaction, project: Project, customer_id: str, n: int, pool_n: int | None
) -> None:
    """Let a customer hold a voucher no more."""
    if await transaction.run("holder_delete", project.n, n, customer_id):
        await transaction.later("holdings_count", project.n, customer_id, pool_n, -1)
