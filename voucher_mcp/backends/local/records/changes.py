"""What a write does to a voucher, as a step from what the rules looked at.

The rules are pure: they say what a voucher is after a write. Here that becomes one guarded statement, which
adds to each count what was added to it, and only where the voucher still is what they decided by. So nothing
that somebody else wrote meanwhile is written over, however a store keeps its transactions apart.
"""

from typing import Final

from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.errors import Conflict
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

NOTHING_OWN: Final[Row] = (None, True, None, None, None)
"""What a voucher that was just made says of its own: terms, active, both dates and metadata."""


async def set_own(
    transaction: Transaction, project: Project, n: int, before: Row, after: Row, moment: int
) -> None:
    """Write what the voucher in row `n` says of its own: terms, active, both dates and metadata.

    Raises:
        Conflict: somebody else changed it since it was looked at.
    """
    if not await transaction.run("voucher_set", project.n, n, *after, moment, *before):
        raise _moved()


async def update(
    transaction: Transaction, project: Project, voucher: Voucher, own: Row, moment: int
) -> Voucher:
    """Write what the voucher says of its own from now on, and answer it as it is then.

    Raises:
        Conflict: somebody else changed it since it was looked at.
    """
    await set_own(transaction, project, voucher.n, voucher.own, own, moment)
    return voucher.with_own(own)._replace(updated_at=moment)


async def apply(transaction: Transaction, project: Project, before: Voucher, after: Voucher) -> None:
    """Write what a voucher became; its pool counts it under its new status.

    Raises:
        Conflict: somebody else changed it since it was looked at.
    """
    step = (
        after.redeemed_quantity - before.redeemed_quantity,
        after.granted - before.granted,
        after.subtracted - before.subtracted,
        after.spent - before.spent,
    )
    new = (after.status, after.holder, after.assigned_at, after.redeemed_at, after.updated_at)
    guard = (
        *(before.status, before.own_active, before.redeemed_quantity),
        *(before.granted, before.subtracted, before.spent, before.holder),
    )
    if not await transaction.run("voucher_change", project.n, before.n, *step, *new, *guard):
        raise _moved()
    if before.pool_n is not None and after.status != before.status:
        await transaction.count_code(project.n, before.pool_n, before.n, before.status, after.status)


def _moved() -> Conflict:
    return Conflict("The voucher was changed by someone else just now. Try again.", retryable=True)
