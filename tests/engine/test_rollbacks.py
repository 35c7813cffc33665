"""Rolling back, as an agent sees it."""

from typing import Any

from time_machine import travel

from tests.engine.conftest import Agent
from tests.engine.test_redemptions import GIFT, ORDER, TEN_PERCENT, one, pool


async def redeem(agent: Agent, *codes: str, **more: Any) -> Any:
    redeemables = [redeemable for code in codes for redeemable in one(code)]
    return await agent.data("redeem_vouchers", redeemables=redeemables, **more)


async def test_a_rollback_gives_back_credits_and_quantity(agent: Agent) -> None:
    await pool(agent, "CARD", **{**GIFT, "redemption": {"quantity": 1}})
    (redemption,) = (await redeem(agent, "CARD", order={"amount": 3000}))["redemptions"]
    rollback = await agent.data("rollback_redemption", redemption_id=redemption["id"], reason="returned")
    assert rollback["id"].startswith("rr_")
    assert rollback["object"] == "redemption_rollback"
    assert rollback["amount"] == -3000
    assert rollback["gift"] == {"amount": -3000}
    assert rollback["redemption"] == redemption["id"]
    assert rollback["reason"] == "returned"
    assert rollback["order"]["status"] == "CANCELED"
    assert rollback["order"]["total_amount"] == 3000
    assert rollback["voucher"]["gift"]["balance"] == 5000
    assert rollback["voucher"]["redemption"]["redeemed_quantity"] == 0
    (code,) = await agent.data("list_voucher_codes", pool_id="pool")
    assert (code["status"], code["redeemed_time"]) == ("available", None)
    assert (await agent.data("get_voucher_pool", pool_id="pool"))["available"] == 1
    shown = await agent.data("get_redemption", redemption_id=redemption["id"])
    assert (shown["status"], shown["rollback_id"]) == ("ROLLED_BACK", rollback["id"])
    assert (await agent.data("get_redemption", redemption_id=rollback["id"]))["reason"] == "returned"


async def test_nothing_is_rolled_back_twice(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    (redemption,) = (await redeem(agent, "TEN"))["redemptions"]
    rollback = await agent.data("rollback_redemption", redemption_id=redemption["id"])
    await agent.refused("already_rolled_back", "rollback_redemption", redemption_id=redemption["id"])
    await agent.refused("invalid_input", "rollback_redemption", redemption_id=rollback["id"])
    await agent.refused("not_found", "rollback_redemption", redemption_id="r_nothing")


async def test_a_stack_is_rolled_back_as_a_whole(agent: Agent) -> None:
    await pool(agent, "TEN", "ALSO", **TEN_PERCENT)
    await pool(agent, "CARD", name="cards", **GIFT)
    stack = await redeem(agent, "TEN", "CARD", order=ORDER)
    parent = stack["parent_redemption"]["id"]
    refused = await agent.refused(
        "invalid_input", "rollback_redemption", redemption_id=stack["redemptions"][1]["id"]
    )
    assert parent in refused["error"]
    undone = await agent.data("rollback_redemption", redemption_id=parent)
    assert [rollback["redemption"] for rollback in undone["rollbacks"]] == [
        redemption["id"] for redemption in stack["redemptions"]
    ]
    assert undone["parent_rollback"]["redemption"] == parent
    assert undone["order"]["total_amount"] == 20000
    assert undone["rollbacks"][1]["voucher"]["gift"]["balance"] == 5000
    await agent.refused("already_rolled_back", "rollback_redemption", redemption_id=parent)


async def test_free_units_leave_the_canceled_order_again(agent: Agent) -> None:
    discount = {"type": "UNIT", "unit_off": 1, "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"}
    await pool(agent, "FREE", type="DISCOUNT_VOUCHER", discount=discount)
    order = {"items": [{"product_id": "prod_1", "quantity": 1, "price": 2900}]}
    (redemption,) = (await redeem(agent, "FREE", order=order))["redemptions"]
    assert redemption["order"]["amount"] == 5800
    rollback = await agent.data("rollback_redemption", redemption_id=redemption["id"])
    assert rollback["order"]["amount"] == rollback["order"]["total_amount"] == 2900
    assert rollback["order"]["items"] == [
        {
            "object": "order_item",
            "product_id": "prod_1",
            "quantity": 1,
            "price": 2900,
            "amount": 2900,
            "subtotal_amount": 2900,
        }
    ]


async def test_an_old_redemption_cannot_be_rolled_back(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    with travel("2026-01-01T00:00:00Z", tick=False):
        (redemption,) = (await redeem(agent, "TEN"))["redemptions"]
    with travel("2026-04-04T00:00:00Z", tick=False):
        refused = await agent.refused("conflict", "rollback_redemption", redemption_id=redemption["id"])
        assert "2026-01-01" in refused["error"]
    with travel("2026-04-03T00:00:00Z", tick=False):
        await agent.ok("rollback_redemption", redemption_id=redemption["id"])


async def test_a_rollback_lets_go_of_the_holder_it_made_and_of_no_other(agent: Agent) -> None:
    await pool(agent, "FIVE", **TEN_PERCENT, redemption={"quantity": 5})
    first, second = [
        (await redeem(agent, "FIVE", customer={"id": customer}))["redemptions"][0]["id"]
        for customer in ("ann", "bob")
    ]
    kept = await agent.data("rollback_redemption", redemption_id=first)
    assert kept["voucher"]["holder_id"] == "bob"
    gone = await agent.data("rollback_redemption", redemption_id=second)
    assert "holder_id" not in gone["voucher"]
    await agent.ok("assign_voucher_code", pool_id="pool", customer_id="eve")
    third = (await redeem(agent, "FIVE", customer={"id": "eve"}))["redemptions"][0]["id"]
    assert (await agent.data("rollback_redemption", redemption_id=third))["voucher"]["holder_id"] == "eve"


async def test_who_redeemed_again_holds_a_voucher_since_then_once_the_first_time_is_undone(
    agent: Agent,
) -> None:
    await pool(agent, "FIVE", **TEN_PERCENT, redemption={"quantity": 5})
    ids = []
    for second, customer in enumerate(("ann", "bob", "ann")):
        with travel(f"2026-01-01T00:00:0{second}Z", tick=False):
            redeemed = await redeem(agent, "FIVE", customer={"id": customer})
            ids.append(redeemed["redemptions"][0]["id"])
    with travel("2026-01-02T00:00:00Z", tick=False):
        kept = await agent.data("rollback_redemption", redemption_id=ids[0])
        assert kept["voucher"]["holder_id"] == "bob"
        (code,) = await agent.data("list_voucher_codes", pool_id="pool")
        assert (code["customer_id"], code["assigned_time"]) == ("bob", 1_767_225_601)
        (held,) = await agent.data("list_customer_redeemables", customer_id="ann")
        assert held["created_at"] == "2026-01-01T00:00:02.000Z"
        kept = await agent.data("rollback_redemption", redemption_id=ids[1])
        assert kept["voucher"]["holder_id"] == "ann"
        (code,) = await agent.data("list_voucher_codes", pool_id="pool")
        assert code["assigned_time"] == 1_767_225_602


async def test_a_rollback_shows_the_time_of_the_redemption_before_it_whatever_the_clock_did(
    agent: Agent,
) -> None:
    await pool(agent, "FIVE", **TEN_PERCENT, redemption={"quantity": 5})

    async def redeemed_time() -> float | None:
        (code,) = await agent.data("list_voucher_codes", pool_id="pool")
        shown: float | None = code["redeemed_time"]
        return shown

    with travel("2026-01-01T00:01:00Z", tick=False):
        await redeem(agent, "FIVE")
    with travel("2026-01-01T00:00:30Z", tick=False):
        await redeem(agent, "FIVE")
        before = await redeemed_time()
    with travel("2026-01-01T00:00:40Z", tick=False):
        (third,) = (await redeem(agent, "FIVE"))["redemptions"]
        await agent.ok("rollback_redemption", redemption_id=third["id"])
    assert await redeemed_time() == before == 1_767_225_660


async def test_a_code_assigned_after_a_rollback_stays_with_its_customer_through_the_next_one(
    agent: Agent,
) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    redeemed = await redeem(agent, "ONCE", customer={"id": "ann"})
    gone = await agent.data("rollback_redemption", redemption_id=redeemed["redemptions"][0]["id"])
    assert "holder_id" not in gone["voucher"]
    await agent.ok("assign_voucher_code", pool_id="pool", customer_id="ann")
    again = await redeem(agent, "ONCE", customer={"id": "ann"})
    kept = await agent.data("rollback_redemption", redemption_id=again["redemptions"][0]["id"])
    assert kept["voucher"]["holder_id"] == "ann"
    await agent.refused("pool_exhausted", "assign_voucher_code", pool_id="pool", customer_id="bob")


async def test_a_disabled_code_is_not_assigned(agent: Agent) -> None:
    await pool(agent, "OFF", "ON", **TEN_PERCENT)
    await agent.ok("disable_voucher", code="OFF")
    assigned = await agent.data("assign_voucher_code", pool_id="pool", customer_id="ann")
    assert assigned["code"] == "ON"
    await agent.refused("pool_exhausted", "assign_voucher_code", pool_id="pool", customer_id="bob")
    await agent.ok("enable_voucher", code="OFF")
    assigned = await agent.data("assign_voucher_code", pool_id="pool", customer_id="bob")
    assert assigned["code"] == "OFF"
