"""Which code a customer gets and what counts as free, where the vendor's filters tell only a part of it."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500, "effect": "APPLY_TO_ORDER"}}
POINTS = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 500}}


async def statuses(agent: Agent, pool: str) -> dict[str, str]:
    return {code["code"]: code["status"] for code in await agent.codes(pool)}


async def spoilt(agent: Agent, shop: StandIn) -> str:
    """A pool of gift cards of which one is as new."""
    codes = ["EMPTY", "SPENT", "TAKEN", "HELD", "OFF", "OVER", "NEW"]
    pool = shop.add_campaign("Gifts", codes, voucher=GIFT)
    shop.add_customer("ann", "HELD")
    shop.state.voucher("OFF")["active"] = False
    shop.state.voucher("OVER")["expiration_date"] = "2020-01-01T00:00:00.000Z"
    await agent.ok("update_voucher_balance", code="EMPTY", amount=-500)
    await agent.ok("update_voucher_balance", code="TAKEN", amount=-1)
    order = {"redeemables": [{"object": "voucher", "id": "SPENT", "gift": {"credits": 1}}]}
    await agent.ok("redeem_vouchers", **order, order={"amount": 1_000})
    return pool


async def test_a_card_is_redeemed_when_it_is_empty_and_assigned_once_something_is_off(
    agent: Agent, shop: StandIn
) -> None:
    pool = await spoilt(agent, shop)
    expected = {"EMPTY": "redeemed", "SPENT": "assigned", "TAKEN": "assigned", "HELD": "assigned"}
    expected |= dict.fromkeys(["OFF", "OVER", "NEW"], "available")
    assert await statuses(agent, pool) == expected
    for status in ("available", "assigned", "redeemed"):
        listed = await agent.texts(pool, status=status)
        assert listed == [code for code, known in expected.items() if known == status]
    assert (await agent.pool(pool))["available"] == 3
    (row,) = await agent.data("list_voucher_pools")
    assert row["available"] == 3


async def test_a_balance_that_goes_back_up_changes_the_status_with_it(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Gifts", ["A"], voucher=GIFT)
    order = {"redeemables": [{"object": "voucher", "id": "A", "gift": {"credits": 500}}]}
    done = await agent.data("redeem_vouchers", **order, order={"amount": 1_000})
    assert await statuses(agent, pool) == {"A": "redeemed"}
    await agent.ok("rollback_redemption", redemption_id=done["redemptions"][0]["id"])
    assert await statuses(agent, pool) == {"A": "available"}
    assert (await agent.pool(pool))["available"] == 1


async def test_a_card_without_points_is_not_redeemed(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Points", ["A"], voucher=POINTS)
    await agent.ok("update_voucher_balance", code="A", amount=-500)
    assert await statuses(agent, pool) == {"A": "assigned"}


async def test_only_what_is_as_new_is_handed_out(agent: Agent, shop: StandIn) -> None:
    pool = await spoilt(agent, shop)
    given = await agent.data("assign_voucher_code", pool_id=pool, customer_id="bob")
    assert (given["code"], given["pool_id"]) == ("NEW", pool)
    for dry_run in (True, False):
        call = {"pool_id": pool, "customer_id": "cleo", "dry_run": dry_run}
        await agent.refused("pool_exhausted", "assign_voucher_code", **call)


async def test_a_code_that_somebody_else_gets_first_is_passed_over(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["A", "B"])

    def quicker(request: Any, body: Any) -> Any:
        if request.path == "/v1/vouchers" and shop.state.voucher("A")["holder_id"] is None:
            shop.add_customer("ann", "A")
        return body

    shop.decorate(quicker)
    assert (await agent.data("assign_voucher_code", pool_id=pool, customer_id="bob"))["code"] == "B"


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_campaign_that_makes_its_codes_is_never_exhausted(
    agent: Agent, shop: StandIn, dry_run: bool
) -> None:
    pool = shop.add_campaign("Endless", type="AUTO_UPDATE")
    answer = await agent.data("assign_voucher_code", pool_id=pool, customer_id="bob", dry_run=dry_run)
    assert answer["status"] == "assigned"
    assert (await agent.pool(pool))["total"] == (0 if dry_run else 1)


async def test_a_customer_who_may_join_once_gets_the_same_code_again(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Once", ["A", "B"], join_once=True)
    for _ in range(2):
        given = await agent.data("assign_voucher_code", pool_id=pool, customer_id="bob")
        assert given["code"] == "A"


@pytest.mark.parametrize("ignored", [{"holder_id"}, {"holder_id", "redemption.redeemed_quantity"}])
async def test_a_filter_that_the_vendor_passes_over_makes_no_code_available(
    agent: Agent, shop: StandIn, ignored: set[str]
) -> None:
    pool = shop.add_campaign("Summer", ["A", "B", "C", "D"])
    shop.add_customer("ann", "C", "D")
    shop.state.ignored_filters = ignored
    assert (await agent.pool(pool))["available"] == 2
    answer = await agent.ok("list_voucher_codes", pool_id=pool, status="available")
    assert [code["code"] for code in answer["data"]] == ["A", "B"]
    assert answer["matched"] == 2
    given = [await agent.data("assign_voucher_code", pool_id=pool, customer_id="bob") for _ in range(2)]
    assert {one["code"] for one in given} == {"A", "B"}
    await agent.refused("pool_exhausted", "assign_voucher_code", pool_id=pool, customer_id="bob")


async def test_rows_that_happen_to_fit_do_not_hide_that_a_filter_is_passed_over(
    agent: Agent, shop: StandIn
) -> None:
    pool = shop.add_campaign("Summer", ["USED", "FREE", "HELD"])
    shop.add_customer("ann", "USED", "HELD")
    redeemable = {"object": "voucher", "id": "USED"}
    await agent.ok("redeem_vouchers", redeemables=[redeemable], order={"amount": 100})
    shop.state.ignored_filters = {"holder_id"}
    assert (await agent.pool(pool))["available"] == 1


@pytest.mark.parametrize(
    "condition", [{"$is_unknown": ""}, {"$has_value": ""}, {"$is": "cust_1"}, {"$in": ["cust_1"]}]
)
async def test_a_list_whose_filter_was_passed_over_is_not_shown_as_what_was_asked_for(
    agent: Agent, shop: StandIn, condition: dict[str, Any]
) -> None:
    shop.add_campaign("Summer", ["A", "B"])
    shop.add_customer("ann", "A")
    filters: dict[str, Any] = {"holder_id": {"conditions": condition}}
    assert len(await agent.data("list_vouchers", filters=filters)) <= 1
    shop.state.ignored_filters = {"holder_id"}
    refusal = await agent.refused("unsupported", "list_vouchers", filters=filters)
    assert '"holder_id"' in refusal["error"]
    filters["junction"] = "or"  # a row may be there for another reason
    await agent.ok("list_vouchers", filters=filters)


async def test_that_the_vendor_heeds_the_filter_is_found_out_once(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["A", "B"])
    shop.add_customer("ann", "A")
    for _ in range(3):
        assert (await agent.pool(pool))["available"] == 1
    assert sum(request.path == "/v1/vouchers" for request in shop.requests) == 4


@pytest.mark.parametrize("voucher", [None, GIFT])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_extending_a_pool_says_which_codes_it_does_not_reach(
    agent: Agent, shop: StandIn, voucher: Any, dry_run: bool
) -> None:
    more = {} if voucher is None else {"voucher": voucher}
    pool = shop.add_campaign("Summer", ["A", "B", "C", "D"], **more)
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="ann")
    redeemable = {"object": "voucher", "id": "D"}
    await agent.ok("redeem_vouchers", redeemables=[redeemable], order={"amount": 100})
    later = "2031-01-01T00:00:00.000Z"
    answer = await agent.data("update_voucher_pool", pool_id=pool, expiration_date=later, dry_run=dry_run)
    assert (answer["codes_reached"], answer["codes_not_reached"]) == (2, 2)
    reached = [code for code, one in shop.state.vouchers.items() if one["expiration_date"] == later]
    assert reached == ([] if dry_run else ["B", "C"])
    paused = await agent.data("update_voucher_pool", pool_id=pool, active=False)
    assert "codes_reached" not in paused
