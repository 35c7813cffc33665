"""The ledger: every change of what a gift card or loyalty card holds is a line of it.

A line and the voucher's amounts are written together, so that in every transaction balance = opened with +
granted - subtracted - spent, and the lines of a voucher add up to granted - subtracted - spent.
"""

from typing import Final, Literal, NamedTuple

from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

Entry = Literal["REDEMPTION", "REFUND", "ADDITION", "REMOVAL"]

UNITS: Final = {"GIFT_VOUCHER": "CREDITS", "LOYALTY_CARD": "POINTS"}
"""What each type of voucher holds; a line's type begins with it."""


class Line(NamedTuple):
    """A line that is to be written; amounts in minor units or points."""

    type: str
    amount: int
    """Signed: above 0 for ADDITION and REFUND, below for the others."""
    balance: int | None
    """After it."""
    total: int | None


def entered(voucher: Voucher, entry: Entry, amount: int) -> tuple[Voucher, Line]:
    """The gift card or loyalty card with an amount more or less on it, and the line that says so.

    Whether there is enough is the caller's to check.
    """
    after = voucher.after(
        granted=voucher.granted + (amount if entry == "ADDITION" else 0),
        subtracted=voucher.subtracted - (amount if entry == "REMOVAL" else 0),
        spent=voucher.spent - (amount if entry in ("REDEMPTION", "REFUND") else 0),
    )
    kind = f"{UNITS[voucher.terms.get('type', '')]}_{entry}"
    return after, Line(kind, amount, after.balance, after.total)


def taken_back(
    voucher: Voucher, column: Literal["granted", "subtracted"], amount: int
) -> tuple[Voucher, Line]:
    """The card as if that amount had never been added to that column of it, and the line that says so."""
    change = amount if column == "subtracted" else -amount
    after = voucher.after(**{column: getattr(voucher, column) - amount})
    kind = f"{UNITS[voucher.terms.get('type', '')]}_{'ADDITION' if change > 0 else 'REMOVAL'}"
    return after, Line(kind, change, after.balance, after.total)


async def write(
    transaction: Transaction,
    project: Project,
    voucher: Voucher,
    line: Line,
    *,
    moment: int,
    reason: str | None = None,
    source_id: str | None = None,
    redemption: int | None = None,
) -> int:
    """Write a line beside the change of its voucher; answer its row.

    Args:
        source_id: the idempotency key of the write.
        redemption: the row of the redemption or rollback that it belongs to.
    """
    return await transaction.add(
        "transaction_insert", project.n, voucher.n, *line, reason, source_id, redemption, moment
    )
