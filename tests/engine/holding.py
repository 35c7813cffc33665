"""Giving vouchers to customers and listing what they hold, as several suites do."""

from typing import Any

from tests.engine.conftest import Agent
from tests.support import TEN_PERCENT

NOON = 1_780_315_200  # 2026-06-01T12:00:00Z
DAY = 86_400
GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
CARD: dict[str, Any] = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 10}}
TEN_OFF: dict[str, Any] = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}

Redeemable = dict[str, Any]


async def give(agent: Agent, customer: str = "alice", count: int = 1, **pool: Any) -> list[dict[str, Any]]:
    """Codes of a new pool, assigned to a customer."""
    name = pool.pop("name", f"pool of {customer}")
    texts = [f"{name} {n}".replace(" ", "-") for n in range(count)]
    await agent.data("create_voucher_pool", name=name, codes=texts, voucher=pool or TEN_PERCENT)
    return [await agent.data("assign_voucher_code", pool_id=name, customer_id=customer) for _ in texts]


async def held(agent: Agent, customer: str = "alice", **arguments: Any) -> list[Redeemable]:
    """The first page."""
    page: list[Redeemable] = await agent.data(
        "list_customer_redeemables", customer_id=customer, **{"limit": 100, **arguments}
    )
    return page


async def walked(agent: Agent, customer: str = "alice", **arguments: Any) -> list[Redeemable]:
    """All pages, one after the other."""
    found: list[Redeemable] = []
    while True:
        page = await agent.ok("list_customer_redeemables", customer_id=customer, **arguments)
        found += page["data"]
        if not page["has_more"]:
            assert "more_starting_after" not in page
            return found
        arguments["starting_after_id"] = page["more_starting_after"]


def codes(page: list[Redeemable]) -> list[str]:
    return [one["redeemable"]["voucher"]["code"] for one in page]
