"""Single vouchers: making, reading, changing, switching and deleting them."""

from typing import Any

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("create_voucher", "get_voucher")

TEN_OFF = {"discount": {"type": "PERCENT", "percent_off": 10}}
GIFT = {"gift": {"amount": 1_000}}
ODD = [
    "A/B c?#%v",
    "../campaigns",
    pytest.param("..", marks=pytest.mark.needs("dots")),
    "ÄÖÜ-漢字-🎁",
    "100%25",
    "a+b&c=d;e",
    "import",
]
"""Codes that mean something else in an address; what an address cannot hold a vendor's project refuses."""


async def codes(agent: Agent, **arguments: Any) -> list[str]:
    return [voucher["code"] for voucher in await agent.data("list_vouchers", **arguments)]


async def test_a_discount_is_made_and_read_by_code_and_id(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="TEN", **TEN_OFF, metadata={"season": "summer"})
    assert made["code"] == "TEN"
    assert made["type"] == "DISCOUNT_VOUCHER"
    assert made["discount"].items() >= TEN_OFF["discount"].items()
    assert made["active"] is True
    assert made["metadata"] == {"season": "summer"}
    assert made["redemption"]["redeemed_quantity"] == 0
    for reference in ("TEN", made["id"]):
        assert await agent.data("get_voucher", code=reference) == made


async def test_a_gift_card_has_a_balance(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="CARD", **GIFT, redemption={"quantity": 3})
    assert (made["type"], made["redemption"]["quantity"]) == ("GIFT_VOUCHER", 3)
    assert (made["gift"]["amount"], made["gift"]["balance"]) == (1_000, 1_000)


async def test_a_loyalty_card_belongs_to_a_pool(agent: Agent) -> None:
    pool = await agent.new_pool(
        "Club", voucher={"type": "LOYALTY_CARD", "loyalty_card": {"points": 70}}, codes=["L"]
    )
    card = await agent.data("get_voucher", code="L")
    assert (card["type"], card["campaign"], card["campaign_id"]) == ("LOYALTY_CARD", "Club", pool)
    assert (card["loyalty_card"]["points"], card["loyalty_card"]["balance"]) == (70, 70)


async def test_the_concise_voucher_keeps_what_the_contract_names(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", voucher={"type": "GIFT_VOUCHER", **GIFT})
    await agent.ok(
        "create_voucher",
        code="CARD",
        **GIFT,
        campaign="Summer",
        category="new",
        redemption={"quantity": 2},
        start_date="2026-01-01",
        expiration_date="2099-01-01",
        metadata={"unit": "EUR"},
    )
    shown = await agent.data("update_voucher", code="CARD", metadata={"season": "summer"})
    assert shown.keys() >= {"id", "code", "type", "active", "created_at", "updated_at"}
    assert (shown["campaign"], shown["campaign_id"], shown["category"]) == ("Summer", pool, "new")
    assert (shown["redemption"]["quantity"], shown["redemption"]["redeemed_quantity"]) == (2, 0)
    assert shown["gift"]["balance"] == 1_000
    assert shown["metadata"] == {"unit": "EUR", "season": "summer"}
    assert shown["start_date"].startswith("2026-01-01T00:00:00")
    assert shown["expiration_date"].startswith("2099-01-01T23:59:59")
    assert shown["start_date"].endswith("Z")
    assert shown["expiration_date"].endswith("Z")


async def test_the_full_detail_holds_more_than_the_concise_one(agent: Agent) -> None:
    concise = await agent.data("create_voucher", code="TEN", **TEN_OFF)
    full = await agent.data("get_voucher", code="TEN", detail="full")
    assert set(concise) < set(full)
    assert None not in concise.values()
    assert full["object"] == "voucher"


async def test_a_code_is_taken_once(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="TEN", **TEN_OFF)
    await agent.refused("already_exists", "create_voucher", code="TEN", **GIFT)
    assert await agent.data("get_voucher", code="TEN") == made


async def test_a_voucher_without_a_value_is_refused(agent: Agent) -> None:
    await agent.refused("invalid_input", "create_voucher", code="NOTHING")
    wrong = {"type": "PERCENT", "percent_off": 101}
    await agent.refused("invalid_input", "create_voucher", code="MUCH", discount=wrong)
    assert await codes(agent) == []


async def test_what_is_not_there_is_not_found(agent: Agent) -> None:
    for tool in ("get_voucher", "enable_voucher", "disable_voucher", "delete_voucher"):
        answer = await agent.refused("not_found", tool, code="NOWHERE")
        assert answer["field"] == "code"
    await agent.refused("not_found", "update_voucher", code="NOWHERE", metadata={"a": 1})
    await agent.refused("not_found", "update_voucher_balance", code="NOWHERE", amount=1)


async def test_a_random_code_has_the_form_that_was_asked(agent: Agent) -> None:
    form = {"prefix": "SUN-", "pattern": "##-##", "charset": "0123456789"}
    made = await agent.data("generate_random_code", code_config=form, **GIFT)
    head, *digits = made["code"].split("-")
    assert head == "SUN"
    assert [(len(part), part.isdecimal()) for part in digits] == [(2, True), (2, True)]
    assert await agent.data("get_voucher", code=made["code"]) == made


async def test_two_random_codes_differ_and_one_key_makes_one(agent: Agent) -> None:
    first = await agent.ok("generate_random_code", **GIFT, idempotency_key="k")
    again = await agent.ok("generate_random_code", **GIFT, idempotency_key="k")
    other = await agent.ok("generate_random_code", **GIFT)
    assert again == {**first, "replayed": True}
    assert sorted(await codes(agent)) == sorted([first["data"]["code"], other["data"]["code"]])


async def test_vouchers_are_listed_and_counted_the_newest_first(agent: Agent) -> None:
    for code in ("A", "B", "C"):
        await agent.ok("create_voucher", code=code, **TEN_OFF)
    answer = await agent.ok("list_vouchers")
    assert [voucher["code"] for voucher in answer["data"]] == ["C", "B", "A"]
    assert answer["total"] == 3
    assert await codes(agent, order="code", limit=2) == ["A", "B"]
    assert await codes(agent, order="code", limit=2, page=2) == ["C"]
    assert await codes(agent, order="-code") == ["C", "B", "A"]
    assert await codes(agent, code="B") == ["B"]


async def test_a_list_is_narrowed_by_campaign_category_and_filters(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["S"])
    marks = {"category": "new", "metadata": {"unit": "EUR"}, "redemption": {"quantity": 3}}
    await agent.ok("create_voucher", code="CARD", **GIFT, **marks)
    await agent.ok("create_voucher", code="TEN", **TEN_OFF)
    assert await codes(agent, campaign_id=pool) == ["S"]
    assert await codes(agent, campaign="Summer") == ["S"]
    assert await codes(agent, category="new") == ["CARD"]
    for field, condition in (
        ("voucher_type", {"$is": "GIFT_VOUCHER"}),
        ("code", {"$starts_with": "CAR"}),
        ("metadata.unit", {"$is": "EUR"}),
        ("redemption.quantity", {"$is": 3}),
    ):
        filters = {"junction": "and", field: {"conditions": condition}}
        assert (field, await codes(agent, filters=filters)) == (field, ["CARD"])


async def test_an_update_merges_metadata_and_leaves_the_rest(agent: Agent) -> None:
    before = await agent.data("create_voucher", code="TEN", **TEN_OFF, metadata={"a": 1, "b": 2})
    changed = await agent.data("update_voucher", code="TEN", metadata={"b": 3}, expiration_date="2099-01-01")
    assert changed["metadata"] == {"a": 1, "b": 3}
    assert changed["expiration_date"].startswith("2099-01-01T23:59:59")
    assert (changed["id"], changed["discount"]) == (before["id"], before["discount"])
    assert await agent.data("get_voucher", code="TEN") == changed
    await agent.refused("invalid_input", "update_voucher", code="TEN")


async def test_clear_empties_a_date_and_null_does_not(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TEN", **TEN_OFF, expiration_date="2099-01-01")
    kept = await agent.data("update_voucher", code="TEN", metadata={"a": 1}, expiration_date=None)
    assert "expiration_date" in kept
    changed = await agent.data("update_voucher", code="TEN", clear=["expiration_date"])
    assert changed["expiration_date"] is None  # shown, as what is left out could be there all the same


async def test_a_disabled_voucher_is_enabled_again(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TEN", **TEN_OFF)
    for tool, active in (("disable_voucher", False), ("disable_voucher", False), ("enable_voucher", True)):
        assert (await agent.data(tool, code="TEN"))["active"] is active
        assert (await agent.data("get_voucher", code="TEN"))["active"] is active


async def test_a_deleted_voucher_is_gone_and_its_code_taken_unless_forced(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="TEN", **TEN_OFF)
    assert await agent.data("delete_voucher", code="TEN") == agent.deletion(made["id"])
    for reference in ("TEN", made["id"]):
        await agent.refused("not_found", "get_voucher", code=reference)
    assert await codes(agent) == []
    await agent.refused("already_exists", "create_voucher", code="TEN", **TEN_OFF)

    await agent.ok("create_voucher", code="FIVE", **TEN_OFF)
    await agent.ok("delete_voucher", code="FIVE", force=True)
    await agent.ok("create_voucher", code="FIVE", **TEN_OFF)


@pytest.mark.parametrize("code", ODD)
async def test_any_printable_text_is_a_code_for_every_tool(agent: Agent, code: str) -> None:
    made = await agent.data("create_voucher", code=code, **GIFT)
    assert (await agent.data("get_voucher", code=code)) == made
    assert (await agent.data("update_voucher", code=code, metadata={"a": 1}))["metadata"] == {"a": 1}
    assert (await agent.data("disable_voucher", code=code))["active"] is False
    assert (await agent.data("enable_voucher", code=code))["active"] is True
    assert (await agent.data("update_voucher_balance", code=code, amount=5))["balance"] == 1_005
    assert (await agent.data("list_voucher_transactions", code=code))[0]["type"] == "CREDITS_ADDITION"
    assert await codes(agent, code=code) == [code]
    redeemables = [{"object": "voucher", "id": code, "gift": {"credits": 5}}]
    assert (await agent.data("redeem_vouchers", redeemables=redeemables))["redemptions"]
    assert [one["voucher"]["code"] for one in await agent.data("list_redemptions", voucher=code)] == [code]
    assert (await agent.data("delete_voucher", code=code))["ids"] == [made["id"]]
    assert await codes(agent) == []
