"""A voucher that would take nothing, because nothing is left to pay, is not used up."""

from typing import Any

import pytest

from tests.engine.conftest import Agent

SINGLE: dict[str, Any] = {"redemption": {"quantity": 1}}
FIVE_OFF: dict[str, Any] = {"discount": {"type": "AMOUNT", "amount_off": 500}}
ITEMS_OFF: dict[str, Any] = {
    "discount": {"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"},
    **SINGLE,
}


async def make(agent: Agent) -> None:
    gift = {"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}}
    await agent.ok("create_voucher", code="GIFT", **gift)
    await agent.ok("create_voucher", code="ONCE", **gift, **SINGLE)
    await agent.ok("create_voucher", code="FIVE", **FIVE_OFF, **SINGLE)


def stack(*codes: str) -> list[dict[str, str]]:
    return [{"object": "voucher", "id": code} for code in codes]


async def used(agent: Agent, *codes: str) -> list[int]:
    return [(await agent.data("get_voucher", code=code))["redemption"]["redeemed_quantity"] for code in codes]


async def test_a_stack_uses_up_only_what_the_order_needs(agent: Agent) -> None:
    await make(agent)
    call: dict[str, Any] = {"redeemables": stack("GIFT", "ONCE", "FIVE"), "order": {"amount": 3_000}}
    foreseen = await agent.data("validate_vouchers", **call)
    assert foreseen["valid"] is True
    states = [one["status"] for one in foreseen["redeemables"]]
    assert states == ["APPLICABLE", "SKIPPED", "SKIPPED"]
    assert foreseen["redeemables"][1]["result"]["details"]["key"] == "nothing_to_pay"
    done = await agent.data("redeem_vouchers", **call)
    assert [one["voucher"]["code"] for one in done["redemptions"]] == ["GIFT"]
    assert [one["id"] for one in done["skipped_redeemables"]] == ["ONCE", "FIVE"]
    assert done["order"]["total_amount"] == foreseen["order"]["total_amount"] == 0
    assert await used(agent, "GIFT", "ONCE", "FIVE") == [1, 0, 0]
    assert (await agent.data("get_voucher", code="ONCE"))["gift"]["balance"] == 5_000
    await agent.ok("rollback_redemption", redemption_id=done["parent_redemption"]["id"])
    assert await used(agent, "GIFT", "ONCE", "FIVE") == [0, 0, 0]


async def test_one_that_is_skipped_does_not_stop_those_behind_it(agent: Agent) -> None:
    await make(agent)
    points = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}}
    await agent.ok("create_voucher_pool", name="cards", voucher=points, codes=["CARD"])
    redeemables = [*stack("GIFT", "ONCE"), {"id": "CARD", "reward": {"points": 10}}]
    done = await agent.data("redeem_vouchers", redeemables=redeemables, order={"amount": 3_000})
    assert [one["voucher"]["code"] for one in done["redemptions"]] == ["GIFT", "CARD"]
    assert await used(agent, "ONCE", "CARD") == [0, 1]


async def test_a_session_reserves_nothing_of_what_is_skipped(agent: Agent) -> None:
    await make(agent)
    call: dict[str, Any] = {"redeemables": stack("GIFT", "FIVE"), "order": {"amount": 3_000}}
    await agent.ok("validate_vouchers", **call, session={"type": "LOCK", "key": "s"})
    await agent.ok("redeem_vouchers", redeemables=stack("FIVE"), order={"amount": 900})


@pytest.mark.parametrize("codes", [("FIVE",), ("ONCE",), ("FIVE", "ONCE")])
async def test_alone_or_where_all_would_be_skipped_it_is_refused(
    agent: Agent, codes: tuple[str, ...]
) -> None:
    await make(agent)
    call: dict[str, Any] = {"redeemables": stack(*codes), "order": {"amount": 0}}
    foreseen = await agent.data("validate_vouchers", **call)
    assert foreseen["valid"] is False
    for one in foreseen["redeemables"]:
        assert (one["status"], one["result"]["error"]["key"]) == ("INAPPLICABLE", "nothing_to_pay")
    refused = await agent.refused("invalid_input", "redeem_vouchers", **call)
    assert refused["field"] == "redeemables.0.id"
    assert "left to pay" in refused["error"]
    assert await used(agent, *codes) == [0] * len(codes)


async def test_an_ineligible_one_is_refused_even_where_nothing_is_left_to_pay(agent: Agent) -> None:
    await make(agent)
    await agent.ok("disable_voucher", code="FIVE")
    call: dict[str, Any] = {"redeemables": stack("GIFT", "FIVE"), "order": {"amount": 3_000}}
    assert (await agent.data("validate_vouchers", **call))["valid"] is False
    await agent.refused("voucher_disabled", "redeem_vouchers", **call)
    assert await used(agent, "GIFT") == [0]


async def test_items_with_nothing_left_to_pay_count_as_well(agent: Agent) -> None:
    await make(agent)
    await agent.ok("create_voucher", code="ITEMS", **ITEMS_OFF)
    free = {"type": "PERCENT", "percent_off": 100, "effect": "APPLY_TO_ITEMS"}
    await agent.ok("create_voucher", code="FREE", discount=free)
    order = {"amount": 1_500, "items": [{"product_id": "a", "quantity": 1, "price": 1_000}]}
    done = await agent.data("redeem_vouchers", redeemables=stack("FREE", "ITEMS", "FIVE"), order=order)
    assert [one["voucher"]["code"] for one in done["redemptions"]] == ["FREE", "FIVE"]
    assert await used(agent, "ITEMS") == [0]


async def test_free_units_are_given_where_nothing_is_left_to_pay(agent: Agent) -> None:
    await make(agent)
    unit = {"type": "UNIT", "unit_off": 1, "unit_type": "prod_b", "effect": "ADD_NEW_ITEMS"}
    await agent.ok("create_voucher", code="UNIT", discount=unit, **SINGLE)
    order = {"items": [{"product_id": "a", "quantity": 1, "price": 1_000}]}
    done = await agent.data("redeem_vouchers", redeemables=stack("GIFT", "UNIT"), order=order)
    assert [one["voucher"]["code"] for one in done["redemptions"]] == ["GIFT", "UNIT"]


async def test_without_an_order_a_discount_is_used(agent: Agent) -> None:
    await make(agent)
    await agent.ok("redeem_vouchers", redeemables=stack("FIVE"))
    assert await used(agent, "FIVE") == [1]
