"""Redeeming and rolling back, as an agent sees it."""

from typing import Any

import pytest

from tests.engine.conftest import Agent

Fields = dict[str, Any]

GIFT: Fields = {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}, "redemption": {"quantity": None}}
CARD: Fields = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}}
TEN_PERCENT: Fields = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
ORDER: Fields = {"amount": 20000}


async def pool(agent: Agent, *codes: str, name: str = "pool", **voucher: Any) -> None:
    """A pool of these codes."""
    await agent.data("create_voucher_pool", name=name, codes=list(codes), voucher=voucher)


def one(code: str, **more: Any) -> list[dict[str, Any]]:
    return [{"object": "voucher", "id": code, **more}]


async def test_redeeming_takes_the_discount_off_the_order(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    redeemed = await agent.data("redeem_vouchers", redeemables=one("TEN"), order=ORDER)
    (redemption,) = redeemed["redemptions"]
    assert redeemed["parent_redemption"] is None
    assert redeemed["order"]["total_amount"] == 18000
    assert redemption["result"] == "SUCCESS"
    assert redemption["id"].startswith("r_")
    assert redemption["voucher"]["redemption"] == {"quantity": 1, "redeemed_quantity": 1}
    assert redemption["order"]["applied_discount_amount"] == 2000


async def test_a_single_use_code_is_redeemed_once(agent: Agent) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    await agent.ok("redeem_vouchers", redeemables=one("ONCE"))
    refused = await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=one("ONCE"))
    assert "once; used: 1" in refused["error"]
    assert refused["field"] == "redeemables.0.id"
    (code,) = await agent.data("list_voucher_codes", pool_id="pool")
    assert code["status"] == "redeemed"
    assert code["redeemed_time"] is not None
    codes = await agent.ok("list_voucher_codes", pool_id="pool", status="redeemed")
    assert codes["matched"] == 1
    assert (await agent.data("get_voucher_pool", pool_id="pool"))["available"] == 0


async def test_a_gift_card_pays_what_is_left_of_the_order(agent: Agent) -> None:
    await pool(agent, "CARD", **GIFT)
    first = await agent.data("redeem_vouchers", redeemables=one("CARD"), order={"amount": 3000})
    assert first["redemptions"][0]["amount"] == 3000
    second = await agent.data("redeem_vouchers", redeemables=one("CARD"), order={"amount": 3000})
    assert second["redemptions"][0]["gift"] == {"amount": 2000}
    assert second["redemptions"][0]["voucher"]["gift"]["balance"] == 0
    assert second["order"]["total_amount"] == 1000
    refused = await agent.refused(
        "insufficient_balance", "redeem_vouchers", redeemables=one("CARD", gift={"credits": 1})
    )
    assert "holds 0 credits" in refused["error"]


async def test_a_gift_card_needs_to_know_how_much_to_pay(agent: Agent) -> None:
    await pool(agent, "CARD", **GIFT)
    refused = await agent.refused("invalid_input", "redeem_vouchers", redeemables=one("CARD"))
    assert refused["field"] == "redeemables.0.gift.credits"
    paid = await agent.data("redeem_vouchers", redeemables=one("CARD", gift={"credits": 700}))
    assert paid["redemptions"][0]["voucher"]["gift"]["balance"] == 4300
    assert paid["order"] is None


async def test_a_loyalty_card_spends_points_on_any_reward(agent: Agent) -> None:
    await pool(agent, "POINTS", **CARD)
    refused = await agent.refused("invalid_input", "redeem_vouchers", redeemables=one("POINTS"))
    assert refused["field"] == "redeemables.0.reward.points"
    spent = await agent.data(
        "redeem_vouchers", redeemables=one("POINTS", reward={"id": "rew_1", "points": 60}), order=ORDER
    )
    assert spent["redemptions"][0]["loyalty_card"] == {"points": 60}
    assert spent["redemptions"][0]["voucher"]["loyalty_card"]["balance"] == 40
    assert spent["order"]["total_amount"] == 20000
    refused = await agent.refused(
        "insufficient_balance", "redeem_vouchers", redeemables=one("POINTS", reward={"points": 41})
    )
    assert "41 were asked for" in refused["error"]


async def test_a_stack_applies_one_after_another(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    await pool(agent, "CARD", name="cards", **GIFT)
    order: Fields = {"items": [{"product_id": "prod_1", "quantity": 2, "price": 1000}]}
    stack = await agent.data("redeem_vouchers", redeemables=[*one("TEN"), *one("CARD")], order=order)
    first, second = stack["redemptions"]
    assert first["order"]["applied_discount_amount"] == 200
    assert second["amount"] == 1800
    assert second["order"]["total_amount"] == stack["order"]["total_amount"] == 0
    assert "items" not in second["order"]
    assert len(stack["order"]["items"]) == 1
    parent = stack["parent_redemption"]["id"]
    assert first["redemption"] == second["redemption"] == parent
    shown = await agent.data("get_redemption", redemption_id=parent)
    assert [related["id"] for related in shown["related_redemptions"]["redemptions"]] == [
        first["id"],
        second["id"],
    ]


async def test_one_bad_voucher_keeps_a_whole_stack_from_being_redeemed(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    await pool(agent, "OLD", name="old", **TEN_PERCENT, expiration_date="2020-01-01T00:00:00Z")
    refused = await agent.refused(
        "voucher_expired", "redeem_vouchers", redeemables=[*one("TEN"), *one("OLD")], order=ORDER
    )
    assert refused["field"] == "redeemables.1.id"
    listed = await agent.ok("list_redemptions")
    assert (listed["data"], listed["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("terms", "error_code"),
    [
        ({"expiration_date": "2020-01-01T00:00:00Z"}, "voucher_expired"),
        ({"start_date": "2100-01-01T00:00:00Z"}, "voucher_not_active"),
        ({"active": False}, "voucher_disabled"),
    ],
)
async def test_a_voucher_that_cannot_be_used_says_why(
    agent: Agent, terms: dict[str, Any], error_code: str
) -> None:
    await pool(agent, "CODE", **TEN_PERCENT, **terms)
    await agent.refused(error_code, "redeem_vouchers", redeemables=one("CODE"))
    await agent.refused("not_found", "redeem_vouchers", redeemables=one("OTHER"))


async def test_who_redeems_becomes_the_holder(agent: Agent) -> None:
    await pool(agent, "FIVE", **TEN_PERCENT, redemption={"quantity": 5})
    redeemed = await agent.data("redeem_vouchers", redeemables=one("FIVE"), customer={"id": "ann"})
    assert redeemed["redemptions"][0]["customer_id"] == "ann"
    assert redeemed["redemptions"][0]["voucher"]["holder_id"] == "ann"
    await agent.ok("redeem_vouchers", redeemables=one("FIVE"), customer={"source_id": "bob"})
    (code,) = await agent.data("list_voucher_codes", pool_id="pool")
    assert (code["status"], code["customer_id"]) == ("assigned", "ann")


async def test_a_repeated_key_answers_the_first_redemption(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    call: Fields = {"redeemables": one("TEN"), "order": ORDER, "idempotency_key": "once"}
    first = await agent.ok("redeem_vouchers", **call)
    again = await agent.ok("redeem_vouchers", **call)
    assert again["replayed"] is True
    assert again["data"] == first["data"]
    assert (await agent.ok("list_redemptions"))["total"] == 1


async def test_a_dry_run_redeems_nothing(agent: Agent) -> None:
    await pool(agent, "CARD", **GIFT)
    tried = await agent.ok("redeem_vouchers", redeemables=one("CARD"), order=ORDER, dry_run=True)
    assert tried["dry_run"] is True
    assert tried["data"]["redemptions"][0]["amount"] == 5000
    assert (await agent.ok("list_redemptions"))["total"] == 0


async def test_redemptions_are_listed_newest_first_by_who_what_and_when(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT, redemption={"quantity": 9})
    await pool(agent, "CARD", name="cards", **GIFT)
    ids: list[str] = []
    for code, customer in (("TEN", "ann"), ("CARD", "bob"), ("TEN", "bob")):
        redeemed = await agent.data(
            "redeem_vouchers", redeemables=one(code), order={"amount": 10}, customer={"id": customer}
        )
        ids.insert(0, redeemed["redemptions"][0]["id"])

    async def listed(**filters: Any) -> list[str]:
        page = await agent.ok("list_redemptions", **filters)
        assert page["total"] == len(page["data"])
        return [redemption["id"] for redemption in page["data"]]

    assert await listed() == ids
    assert await listed(customer="bob") == ids[:2]
    assert await listed(voucher="TEN") == [ids[0], ids[2]]
    assert await listed(campaign="cards") == [ids[1]]
    assert await listed(campaign="cards", customer="ann") == []
    assert await listed(voucher="TEN", customer="bob", campaign="pool") == [ids[0]]
    assert await listed(created_at={"after": "2100-01-01"}) == []
    assert await listed(created_at={"before": "2100-01-01", "after": "2020-01-01"}) == ids
    assert await listed(result="FAILURE") == []
    assert await listed(campaign="nothing") == []
    page = await agent.ok("list_redemptions", limit=2, page=2)
    assert ([r["id"] for r in page["data"]], page["total"]) == (ids[2:], 3)
    await agent.refused("invalid_input", "list_redemptions", result="MAYBE")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"redeemables": []}, "redeemables"),
        ({"redeemables": [{"id": f"c{n}"} for n in range(31)]}, "redeemables"),
        ({"redeemables": [{"id": "TEN"}, {"id": "TEN"}]}, "redeemables.1.id"),
        ({"redeemables": [{"object": "promotion_tier", "id": "p"}]}, "redeemables.0.object"),
        ({"redeemables": [{}]}, "redeemables.0.id"),
        ({"redeemables": ["TEN"]}, "redeemables.0"),
        ({"redeemables": [{"id": "TEN", "gift": {"credits": -1}}]}, "redeemables.0.gift.credits"),
        ({"redeemables": [{"id": "TEN", "gift": {"credits": 1}}]}, "redeemables.0.gift"),
        ({"redeemables": [{"id": "TEN", "reward": {"points": 1}}]}, "redeemables.0.reward"),
        ({"redeemables": [{"id": "TEN"}], "order": {"amount": -1}}, "order.amount"),
        ({"redeemables": [{"id": "TEN"}], "customer": {"metadata": {"a": 1}}}, "customer.id"),
        ({"redeemables": [{"id": "TEN"}], "session": {"type": "LOCK"}}, "session.key"),
        ({"redeemables": [{"id": "TEN"}], "session": {"key": "k", "ttl": 1}}, "session.ttl_unit"),
    ],
)
async def test_a_wrong_argument_is_named(agent: Agent, arguments: dict[str, Any], field: str) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    assert (await agent.refused("invalid_input", "redeem_vouchers", **arguments))["field"] == field


async def test_a_voucher_named_by_code_and_by_id_is_still_the_same_one(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    (code,) = await agent.data("list_voucher_codes", pool_id="pool")
    refused = await agent.refused(
        "invalid_input", "redeem_vouchers", redeemables=[*one("TEN"), *one(code["id"])]
    )
    assert refused["field"] == "redeemables.1.id"


async def test_a_refusal_says_once_that_nothing_was_changed_and_a_validation_not_at_all(agent: Agent) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    await agent.ok("redeem_vouchers", redeemables=one("ONCE"))
    refused = await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=one("ONCE"))
    assert refused["error"].count("othing") == 1
    assert "can be redeemed once; used: 1" in refused["error"]
    foreseen = await agent.data("validate_vouchers", redeemables=one("ONCE"))
    assert "othing" not in foreseen["redeemables"][0]["result"]["error"]["message"]
