"""Validating and redeeming vouchers, alone and together, and taking it back."""

from typing import Any

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("create_voucher", "validate_vouchers", "redeem_vouchers")

ORDER = {"amount": 10_000}


def names(*codes: str, credits: int | None = None) -> list[dict[str, Any]]:
    gift = {} if credits is None else {"gift": {"credits": credits}}
    return [{"object": "voucher", "id": code, **gift} for code in codes]


async def redeemed(agent: Agent, code: str) -> int:
    return int((await agent.data("get_voucher", code=code))["redemption"]["redeemed_quantity"])


async def balance(agent: Agent) -> int:
    return int((await agent.data("get_voucher", code="CARD"))["gift"]["balance"])


@pytest.fixture
async def shop(agent: Agent) -> Agent:
    """With TEN (a tenth off, once), FIVE (5.00 off, often) and CARD (a gift card of 10.00)."""
    ten, five = {"type": "PERCENT", "percent_off": 10}, {"type": "AMOUNT", "amount_off": 500}
    await agent.ok("create_voucher", code="TEN", discount=ten, redemption={"quantity": 1})
    await agent.ok("create_voucher", code="FIVE", discount=five)
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    return agent


async def test_a_validation_says_what_would_be_taken_off_and_consumes_nothing(shop: Agent) -> None:
    data = await shop.data("validate_vouchers", redeemables=names("TEN"), order=ORDER)
    (one,) = data["redeemables"]
    assert (data["valid"], one["id"], one["object"], one["status"]) == (True, "TEN", "voucher", "APPLICABLE")
    assert (data["order"]["total_discount_amount"], data["order"]["total_amount"]) == (1_000, 9_000)
    assert await redeemed(shop, "TEN") == 0


async def test_an_ineligible_voucher_is_a_success_that_says_why(shop: Agent) -> None:
    await shop.ok("disable_voucher", code="TEN")
    data = await shop.data("validate_vouchers", redeemables=names("TEN", "FIVE"), order=ORDER)
    statuses = {one["id"]: one["status"] for one in data["redeemables"]}
    assert (data["valid"], statuses["TEN"]) == (False, "INAPPLICABLE")
    ineligible = next(one for one in data["redeemables"] if one["id"] == "TEN")
    assert ineligible["result"]["error"]["key"] == "voucher_disabled"


async def test_a_voucher_is_redeemed_by_code_or_id(shop: Agent) -> None:
    for reference in ("FIVE", (await shop.data("get_voucher", code="FIVE"))["id"]):
        data = await shop.data("redeem_vouchers", redeemables=names(reference), order=ORDER)
        (one,) = data["redemptions"]
        assert (one["object"], one["result"], one["voucher"]["code"]) == ("redemption", "SUCCESS", "FIVE")
        assert data["order"]["total_amount"] == 9_500
    assert await redeemed(shop, "FIVE") == 2


async def test_a_voucher_that_is_used_up_is_not_redeemed_again(shop: Agent) -> None:
    await shop.ok("redeem_vouchers", redeemables=names("TEN"), order=ORDER)
    await shop.refused("quantity_exceeded", "redeem_vouchers", redeemables=names("TEN"), order=ORDER)
    assert await redeemed(shop, "TEN") == 1


async def test_the_reason_why_a_voucher_is_refused_is_its_error_code(shop: Agent) -> None:
    past, future = "2020-01-01", "2090-01-01"
    await shop.ok("create_voucher", code="OLD", gift={"amount": 5}, expiration_date=past)
    await shop.ok("create_voucher", code="SOON", gift={"amount": 5}, start_date=future)
    await shop.ok("disable_voucher", code="FIVE")
    for code, error_code in (
        ("OLD", "voucher_expired"),
        ("SOON", "voucher_not_active"),
        ("FIVE", "voucher_disabled"),
        ("NOWHERE", "not_found"),
    ):
        await shop.refused(error_code, "redeem_vouchers", redeemables=names(code), order=ORDER)
        if code != "NOWHERE":
            assert (code, await redeemed(shop, code)) == (code, 0)


async def test_a_gift_card_pays_as_far_as_it_goes(shop: Agent) -> None:
    await shop.ok("redeem_vouchers", redeemables=names("CARD", credits=300), order=ORDER)
    assert await balance(shop) == 700
    call = {"redeemables": names("CARD", credits=701), "order": ORDER}
    await shop.refused("insufficient_balance", "redeem_vouchers", **call)
    assert await balance(shop) == 700


async def test_a_stack_is_redeemed_as_a_whole(shop: Agent) -> None:
    data = await shop.data("redeem_vouchers", redeemables=names("TEN", "FIVE"), order=ORDER)
    assert [one["voucher"]["code"] for one in data["redemptions"]] == ["TEN", "FIVE"]
    assert {one["result"] for one in data["redemptions"]} == {"SUCCESS"}
    assert data["parent_redemption"]["id"]
    assert data["order"]["total_amount"] == 8_500
    assert (await redeemed(shop, "TEN"), await redeemed(shop, "FIVE")) == (1, 1)


async def test_of_a_stack_with_an_ineligible_voucher_nothing_is_redeemed(shop: Agent) -> None:
    await shop.ok("disable_voucher", code="FIVE")
    answer = await shop.refused(
        "voucher_disabled", "redeem_vouchers", redeemables=names("TEN", "FIVE"), order=ORDER
    )
    assert "FIVE" in answer["error"]
    assert (await redeemed(shop, "TEN"), await redeemed(shop, "FIVE")) == (0, 0)
    assert [one for one in await shop.data("list_redemptions") if one["result"] == "SUCCESS"] == []


async def test_from_one_to_thirty_vouchers_a_call(shop: Agent) -> None:
    for redeemables in ([], names(*["FIVE"] * 31)):
        answer = await shop.refused("invalid_input", "redeem_vouchers", redeemables=redeemables)
        assert answer["field"].startswith("redeemables")


async def test_a_rollback_gives_back_what_was_taken_and_does_so_once(shop: Agent) -> None:
    data = await shop.data("redeem_vouchers", redeemables=names("CARD", credits=300), order=ORDER)
    redemption = data["redemptions"][0]["id"]
    rollback = await shop.data("rollback_redemption", redemption_id=redemption, reason="a mistake")
    assert (rollback["object"], rollback["redemption"]) == ("redemption_rollback", redemption)
    assert rollback["result"] == "SUCCESS"
    assert await balance(shop) == 1_000
    assert await redeemed(shop, "CARD") == 0
    await shop.refused("already_rolled_back", "rollback_redemption", redemption_id=redemption)
    assert await balance(shop) == 1_000


async def test_a_stack_is_rolled_back_by_its_parent(shop: Agent) -> None:
    data = await shop.data("redeem_vouchers", redeemables=names("TEN", "FIVE"), order=ORDER)
    await shop.ok("rollback_redemption", redemption_id=data["parent_redemption"]["id"])
    assert (await redeemed(shop, "TEN"), await redeemed(shop, "FIVE")) == (0, 0)
    await shop.ok("redeem_vouchers", redeemables=names("TEN"), order=ORDER)


async def test_redemptions_are_read_one_by_one_and_listed_the_newest_first(shop: Agent) -> None:
    customer = {"source_id": "alice"}
    for code in ("FIVE", "TEN"):
        await shop.ok("redeem_vouchers", redeemables=names(code), order=ORDER, customer=customer)
    answer = await shop.ok("list_redemptions")
    assert [one["voucher"]["code"] for one in answer["data"]] == ["TEN", "FIVE"]
    assert answer["total"] == 2
    newest = answer["data"][0]
    assert (await shop.data("get_redemption", redemption_id=newest["id"]))["id"] == newest["id"]
    for narrow in ({"voucher": "TEN"}, {"limit": 1}, {"limit": 1, "page": 1, "result": "SUCCESS"}):
        assert [one["id"] for one in await shop.data("list_redemptions", **narrow)] == [newest["id"]]
    assert len(await shop.data("list_redemptions", customer="alice")) == 2
    assert await shop.data("list_redemptions", customer="bob") == []
    assert await shop.data("list_redemptions", created_at={"before": "2020-01-01"}) == []
    await shop.refused("not_found", "get_redemption", redemption_id="r_0000000000000")
    await shop.refused("not_found", "rollback_redemption", redemption_id="r_0000000000000")


async def test_the_same_key_redeems_once(shop: Agent) -> None:
    call: dict[str, Any] = {"redeemables": names("FIVE"), "order": ORDER, "idempotency_key": "k"}
    first = await shop.ok("redeem_vouchers", **call)
    assert await shop.ok("redeem_vouchers", **call) == {**first, "replayed": True}
    await shop.refused("idempotency_mismatch", "redeem_vouchers", **{**call, "order": {"amount": 1}})
    assert await redeemed(shop, "FIVE") == 1


@pytest.mark.needs("release_validation_session")
async def test_a_session_reserves_until_it_is_released(shop: Agent) -> None:
    session = {"type": "LOCK", "key": "basket/1 ?", "ttl": 1, "ttl_unit": "HOURS"}
    data = await shop.data("validate_vouchers", redeemables=names("TEN"), order=ORDER, session=session)
    assert (data["valid"], data["session"]["key"]) == (True, "basket/1 ?")
    await shop.refused("quantity_exceeded", "redeem_vouchers", redeemables=names("TEN"), order=ORDER)
    released = await shop.data("release_validation_session", code="TEN", session_key="basket/1 ?")
    assert released == {"released": True, "code": "TEN", "session_key": "basket/1 ?"}
    await shop.ok("redeem_vouchers", redeemables=names("TEN"), order=ORDER)


async def test_whoever_has_the_key_of_a_session_redeems_what_it_reserved(shop: Agent) -> None:
    call: dict[str, Any] = {"redeemables": names("TEN"), "order": ORDER}
    await shop.ok("validate_vouchers", **call, session={"type": "LOCK", "key": "basket"})
    await shop.ok("redeem_vouchers", **call, session={"type": "LOCK", "key": "basket"})
    assert await redeemed(shop, "TEN") == 1


@pytest.mark.needs("release_validation_session")
async def test_a_session_that_is_not_there_is_not_found(shop: Agent) -> None:
    await shop.refused("session_not_found", "release_validation_session", code="TEN", session_key="none")
