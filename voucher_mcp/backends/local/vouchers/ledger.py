"""The ledger: every change of what a gift card or loyalty card holds is a line of it.

A line and the voucher's amounts are written together, so that in every transaction balance = opened with +
granted - subtracted - spent, and the lines of a voucher add up to granted - subtracted - spent.
"""

from typing import Final, Literal

from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

Entry = Literal["REDEMPTION", "REFUND", "ADDITION", "REMOVAL"]

UNITS: Final = {"GIFT_VOUCHER": "CREDITS", "LOYALTY_CARD": "POINTS"}
"""What each type of voucher holds; a line's type begins with it."""


async def post(
    transaction: Transaction,
    project: Project,
    voucher: Voucher,
    entry: Entry,
    amount: int,
    *,
    moment: int,
    reason: str | None = None,
    source_id: str | None = None,
    redemption: int | None = None,
) -> Voucher:
    """Write a line of a gift card or loyalty card, and answer the voucher as it is after it.

    Whether there is enough is the caller's to check. The voucher's `updated_at` becomes `moment`.

    Args:
        amount: signed, in minor units or points: above 0 for ADDITION and REFUND, below for the others.
        source_id: the idempotency key of the write.
        redemption: the row of the redemption or rollback that it belongs to.
    """
    after = voucher._replace(
        granted=voucher.granted + (amount if entry == "ADDITION" else 0),
        subtracted=voucher.subtracted - (amount if entry == "REMOVAL" else 0),
        spent=voucher.spent - (amount if entry in ("REDEMPTION", "REFUND") else 0),
        updated_at=moment,
    )
    amounts = (after.granted, after.subtracted, after.spent)
    await transaction.run("voucher_amounts_set", project.n, after.n, *amounts, moment)
    await transaction.run(
        "transaction_insert",
        project.n,
        after.n,
        f"{UNITS[voucher.terms.get('type', '')]}_{entry}",
        amount,
        after.balance,
        after.total,
        reason,
        source_id,
        redemption,
        moment,
    )
    return after
