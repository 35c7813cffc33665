"""Where a code stands by the rule: available, assigned or redeemed.

Redeemed: nothing of it is left, as its redemptions are used up or it is a gift card with balance 0; points
can be earned again. Available: nobody holds it, and nothing of it is used or was taken off by hand; what was
rolled back is not used. Assigned: anything between.
"""

from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE, REDEEMED


def settled(voucher: Voucher) -> Voucher:
    """The voucher under its status by the rule, whatever its row says."""
    held = voucher.holder is not None or bool(voucher.spent or voucher.subtracted)
    on_it = (voucher.balance or 0) if voucher.terms.get("type") == "GIFT_VOUCHER" else None
    status = standing(voucher.quantity, voucher.redeemed_quantity, on_it, held=held)
    return voucher if status == voucher.status else voucher.after(status=status)


def standing(quantity: int | None, redeemed: int, on_it: int | None, *, held: bool = False) -> int:
    """The status by the rule.

    Args:
        quantity: how often it can be redeemed in all; None is without a limit.
        redeemed: how often it was.
        on_it: the balance of a gift card in minor units; None for what is none.
        held: somebody holds it, or something of it is spent or taken off.
    """
    if (quantity is not None and redeemed >= quantity) or (on_it is not None and on_it <= 0):
        return REDEEMED
    return ASSIGNED if held or redeemed else AVAILABLE
