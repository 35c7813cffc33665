"""A session spends at most what it reserved, and its key gives back only what was redeemed."""

from typing import Any

import pytest
from time_machine import travel

from tests.engine.conftest import Agent

LOCK: dict[str, Any] = {"type": "LOCK", "key": "cart-1"}
KEY: dict[str, Any] = {"key": "cart-1"}


async def make(agent: Agent) -> None:
    await agent.ok("create_voucher", code="GIFT", type="GIFT_VOUCHER", gift={"amount": 1_000})
    card = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}}
    await agent.ok("create_voucher_pool", name="cards", voucher=card, codes=["CARD"])
    for code in ("OFF", "ELSE"):
        discount = {"type": "PERCENT", "percent_off": 10}
        await agent.ok("create_voucher", code=code, discount=discount, redemption={"quantity": 1})


def gift(credits: int | None = None) -> list[dict[str, Any]]:
    return [{"id": "GIFT"} if credits is None else {"id": "GIFT", "gift": {"credits": credits}}]


def card(points: int | None = None) -> list[dict[str, Any]]:
    return [{"id": "CARD"} if points is None else {"id": "CARD", "reward": {"points": points}}]


async def reservations(agent: Agent, code: str) -> list[dict[str, Any]]:
    return list((await agent.data("get_voucher", code=code)).get("reservations", []))


async def test_an_order_above_what_was_reserved_is_paid_with_what_was_reserved(agent: Agent) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=gift(), order={"amount": 300}, session=LOCK)
    paid = await agent.data("redeem_vouchers", redeemables=gift(), order={"amount": 800}, session=KEY)
    assert (paid["redemptions"][0]["amount"], paid["order"]["total_amount"]) == (300, 500)
    assert (await agent.data("get_voucher", code="GIFT"))["gift"]["balance"] == 700


async def test_an_order_below_what_was_reserved_gives_the_rest_back(agent: Agent) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=gift(), order={"amount": 300}, session=LOCK)
    paid = await agent.data("redeem_vouchers", redeemables=gift(), order={"amount": 120}, session=KEY)
    assert paid["redemptions"][0]["amount"] == 120
    assert await reservations(agent, "GIFT") == []
    await agent.ok("redeem_vouchers", redeemables=gift(880))


@pytest.mark.parametrize(
    ("reserved", "asked"), [(gift(300), gift(301)), (card(30), card(31))], ids=["credits", "points"]
)
async def test_asking_for_more_than_was_reserved_is_refused(
    agent: Agent, reserved: list[Any], asked: list[Any]
) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=reserved, session=LOCK)
    refused = await agent.refused("insufficient_balance", "redeem_vouchers", redeemables=asked, session=KEY)
    assert "reserved" in refused["error"]
    await agent.ok("validate_vouchers", redeemables=asked, session=LOCK)  # the same key may reserve more
    await agent.ok("redeem_vouchers", redeemables=asked, session=KEY)


async def test_a_key_that_is_sent_with_another_voucher_keeps_its_reservation(agent: Agent) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=[{"id": "OFF"}, *gift(300)], session=LOCK)
    await agent.ok("redeem_vouchers", redeemables=[{"id": "ELSE"}], session=KEY)
    await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=[{"id": "OFF"}])
    await agent.refused("insufficient_balance", "redeem_vouchers", redeemables=gift(701))
    await agent.ok("redeem_vouchers", redeemables=[{"id": "OFF"}], session=KEY)
    await agent.refused("insufficient_balance", "redeem_vouchers", redeemables=gift(701))
    await agent.ok("redeem_vouchers", redeemables=gift(), session=KEY)
    assert (await agent.data("get_voucher", code="GIFT"))["gift"]["balance"] == 700


async def test_validating_another_voucher_with_the_key_keeps_its_reservation(agent: Agent) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=[{"id": "OFF"}], session=LOCK)
    await agent.ok("validate_vouchers", redeemables=[{"id": "ELSE"}], session=LOCK)
    for code in ("OFF", "ELSE"):
        await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=[{"id": code}])


async def test_the_key_of_somebody_else_opens_nothing_of_mine(agent: Agent) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=[{"id": "OFF"}], session=LOCK)
    await agent.ok(
        "validate_vouchers", redeemables=[{"id": "ELSE"}], session={"type": "LOCK", "key": "cart-2"}
    )
    other = {"redeemables": [{"id": "OFF"}], "session": {"key": "cart-2"}}
    await agent.refused("quantity_exceeded", "redeem_vouchers", **other)
    assert len(await reservations(agent, "OFF")) == len(await reservations(agent, "ELSE")) == 1


async def test_a_voucher_shows_what_live_sessions_reserve_of_it(agent: Agent) -> None:
    with travel("2026-01-01T00:00:00Z", tick=False):
        await make(agent)
        session = {**LOCK, "ttl": 1, "ttl_unit": "HOURS"}
        redeemables = [{"id": "OFF"}, *gift(300), *card(30)]
        made = await agent.data("validate_vouchers", redeemables=redeemables, session=session)
        ends = "2026-01-01T01:00:00.000Z"
        assert made["session"]["expires_at"] == ends
        assert await reservations(agent, "OFF") == [{"quantity": 1, "expires_at": ends}]
        assert await reservations(agent, "GIFT") == [{"credits": 300, "expires_at": ends}]
        assert await reservations(agent, "CARD") == [{"points": 30, "expires_at": ends}]
    with travel("2026-01-01T01:00:01Z", tick=False):
        assert await reservations(agent, "GIFT") == []
        assert (await agent.data("get_voucher", code="GIFT"))["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("delete_voucher_pool", {"pool_id": "cards"}),
        ("delete_voucher_pool", {"pool_id": "cards", "force": True}),
        ("delete_voucher_codes", {"pool_id": "cards", "code_ids": ["CARD"]}),
        ("delete_voucher", {"code": "CARD"}),
    ],
)
async def test_a_session_is_over_with_the_last_voucher_that_it_holds(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    await make(agent)
    await agent.ok("validate_vouchers", redeemables=card(30), session=LOCK)
    await agent.ok(tool, **arguments)
    refused = await agent.refused("session_not_found", "redeem_vouchers", redeemables=gift(5), session=KEY)
    assert refused["field"] == "session.key"


async def test_what_is_reserved_counts_once_of_a_voucher_that_is_named_by_code_and_id(agent: Agent) -> None:
    await make(agent)
    gift_id = (await agent.data("get_voucher", code="GIFT"))["id"]
    await agent.ok("validate_vouchers", redeemables=gift(300), session=LOCK)
    twice = [*gift(600), {"id": gift_id, "gift": {"credits": 1}}]
    for tool in ("validate_vouchers", "redeem_vouchers"):
        refused = await agent.refused("invalid_input", tool, redeemables=twice)
        assert refused["field"] == "redeemables.1.id"
