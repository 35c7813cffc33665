"""What gift and loyalty cards of a pool hold now: what is gone for good where they are deleted."""

from collections.abc import Sequence

from voucher_mcp.backends.local.records import vouchers
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_UNITS = {"GIFT_VOUCHER": "amount", "LOYALTY_CARD": "points"}
_MILLION = 1_000_000


async def of_pool(transaction: Transaction, pool: Pool) -> dict[str, int]:
    """What all codes of the pool hold, {amount} in minor units or {points}; empty for discounts.

    Only cards that are not as they were made are added up one by one, so the size of the pool costs nothing.
    """
    unit = _UNITS.get(pool.template["type"])
    if unit is None:
        return {}
    gift, card = pool.template.get("gift"), pool.template.get("loyalty_card")
    new = gift["amount"] if gift is not None else card["points"] if card is not None else 0
    row = await transaction.one("pool_holds", pool.project, pool.n, new)
    assert row is not None  # it counts
    touched, millions, rest = row
    return {unit: millions * _MILLION + rest + (pool.total - touched) * new}


async def of_codes(transaction: Transaction, project: Project, rows: Sequence[Row]) -> dict[str, int]:
    """What the codes in these rows hold, in the same form."""
    sums: dict[str, int] = {}
    for voucher in (await vouchers.in_rows(transaction, project, [row[0] for row in rows])).values():
        unit = _UNITS.get(voucher.terms.get("type", ""))
        if unit is not None:
            sums[unit] = sums.get(unit, 0) + (voucher.balance or 0)
    return sums
