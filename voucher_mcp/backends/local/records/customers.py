"""Who the customers are. The engine knows nothing of them but the id that they came into being with."""

import json
from typing import Any

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.values.texts import words
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def find(
    transaction: Transaction, project: Project | None, text: str, limit: int
) -> Answer[list[dict[str, Any]]]:
    """The customers whose id holds every word of the text, in any case, in the order of their ids."""
    rows = (
        await transaction.all("customers_with", project.n, json.dumps(words(text)), limit + 1)
        if project
        else []
    )
    return Answer([_public(*row) for row in rows[:limit]], {"has_more": len(rows) > limit})


async def unknown(
    transaction: Transaction, project: Project | None, customer_id: str | None
) -> dict[str, bool]:
    """What stands beside the empty list of a customer whom nobody knows; of a known one nothing."""
    if customer_id is None:
        return {}
    known = project is not None and await transaction.one("customer_known", project.n, customer_id)
    return {} if known else {"known": False}


def _public(customer_id: str, vouchers: int) -> dict[str, Any]:
    return {
        "id": customer_id,
        "source_id": customer_id,
        "name": None,
        "email": customer_id if "@" in customer_id else None,
        "vouchers": vouchers,
    }
