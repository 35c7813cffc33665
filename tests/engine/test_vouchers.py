"""Making, reading, switching and deleting vouchers."""

from typing import Any

import pytest

from tests.engine.conftest import Agent

PERCENT = {"type": "PERCENT", "percent_off": 10}
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 10_000}}
LOYALTY = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 700}}

EVERYTHING: dict[str, Any] = {
    "type": "DISCOUNT_VOUCHER",
    "discount": {
        "type": "AMOUNT",
        "amount_off": 2_000,
        "effect": "APPLY_TO_ITEMS",
        "aggregated_amount_limit": 9_000,
    },
    "category": "New Customers",
    "category_id": "cat_1",
    "start_date": "2026-01-01T00:00:00.000Z",
    "expiration_date": "2026-12-31T23:59:59.000Z",
    "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    "validity_day_of_week": [1, 2, 3],
    "active": False,
    "additional_info": "Behind the counter",
    "redemption": {"quantity": 10},
    "metadata": {"test": True, "locale": "de-en"},
}


async def pool(agent: Agent, name: str = "Summer", **arguments: Any) -> str:
    """A new pool; answers its id."""
    return str((await agent.data("create_voucher_pool", name=name, **arguments))["id"])


async def counts(agent: Agent, pool_id: str) -> tuple[int, int]:
    """(total, available) of a pool, which its listing has to agree with."""
    shown = await agent.data("get_voucher_pool", pool_id=pool_id)
    assert (await agent.ok("list_voucher_codes", pool_id=pool_id))["matched"] == shown["total"]
    return shown["total"], shown["available"]


async def test_every_field_of_a_new_voucher_comes_back(agent: Agent) -> None:
    await agent.ok("create_voucher", code="ALL-1", **EVERYTHING)
    shown = await agent.data("get_voucher", code="ALL-1", detail="full")
    given = {**EVERYTHING, "redemption": {"quantity": 10, "redeemed_quantity": 0}}
    assert {name: shown[name] for name in given} == given
    assert (shown["code"], shown["campaign"], shown["object"]) == ("ALL-1", None, "voucher")


async def test_hours_of_validity_come_back(agent: Agent) -> None:
    hours = {"daily": [{"start_time": "08:00", "expiration_time": "12:00", "days_of_week": [1]}]}
    shown = await agent.data(
        "create_voucher", code="H", discount=PERCENT, validity_hours=hours, detail="full"
    )
    assert shown["validity_hours"] == hours


async def test_a_concise_voucher_leaves_out_what_is_empty(agent: Agent) -> None:
    shown = await agent.data("create_voucher", code="C", discount=PERCENT)
    assert set(shown) == {
        "id",
        "code",
        "type",
        "discount",
        "active",
        "redemption",
        "created_at",
        "updated_at",
        "status",
    }


async def test_a_voucher_is_found_by_its_id_too(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="X", discount=PERCENT)
    assert (await agent.data("get_voucher", code=made["id"]))["code"] == "X"


async def test_a_gift_card_opens_with_its_amount(agent: Agent) -> None:
    shown = await agent.data("create_voucher", code="G", **GIFT)
    assert shown["gift"] == {
        "amount": 10_000,
        "subtracted_amount": 0,
        "balance": 10_000,
        "effect": "APPLY_TO_ORDER",
    }
    assert (await agent.data("list_voucher_transactions", code="G")) == []


async def test_a_taken_code_is_refused(agent: Agent) -> None:
    await agent.ok("create_voucher", code="X", discount=PERCENT)
    refused = await agent.refused("already_exists", "create_voucher", code="X", discount=PERCENT)
    assert refused["field"] == "code"
    assert "get_voucher" in refused["error"]
    await agent.refused("already_exists", "generate_random_code", code="X", discount=PERCENT)


async def test_a_dry_run_makes_nothing(agent: Agent) -> None:
    shown = await agent.ok("create_voucher", code="X", discount=PERCENT, dry_run=True)
    assert (shown["dry_run"], shown["data"]["code"]) == (True, "X")
    await agent.refused("not_found", "get_voucher", code="X")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "GIFT_VOUCHER"}, "gift"),
        ({"type": "NOTHING", "discount": PERCENT}, "type"),
        ({"discount": {"type": "PERCENT", "percent_off": 101}}, "discount.percent_off"),
        ({"discount": {"type": "AMOUNT", "amount_off": -1}}, "discount.amount_off"),
        ({"discount": {"type": "AMOUNT", "amount": 5}}, "discount.amount"),
        ({"gift": {"amount": 5, "effect": "NONE"}}, "gift.effect"),
        ({"discount": PERCENT, "gift": {"amount": 5}}, "type"),
        ({"discount": PERCENT, "start_date": "soon"}, "start_date"),
        (
            {"discount": PERCENT, "start_date": "2026-02-01", "expiration_date": "2026-01-01"},
            "expiration_date",
        ),
        ({"discount": PERCENT, "validity_timeframe": {"duration": "PT1H", "interval": "P2D"}}, "start_date"),
        ({"discount": PERCENT, "validity_day_of_week": [7]}, "validity_day_of_week"),
        ({"discount": PERCENT, "redemption": {"quantity": 0}}, "redemption.quantity"),
        ({"discount": PERCENT, "metadata": {"x": "y" * 5_000}}, "metadata"),
        ({"discount": PERCENT, "additional_info": "a\u0000"}, "additional_info"),
        ({"discount": PERCENT, "colour": "red"}, "colour"),
        (LOYALTY, "campaign"),
    ],
)
async def test_a_wrong_body_is_refused_by_the_path_of_its_field(
    agent: Agent, body: dict[str, Any], field: str
) -> None:
    assert (await agent.refused("invalid_input", "create_voucher", code="X", **body))["field"] == field
    assert (await agent.refused("invalid_input", "generate_random_code", **body))["field"] == field
    assert (await agent.data("list_vouchers")) == []


async def test_validation_rules_are_unsupported(agent: Agent) -> None:
    body = {"discount": PERCENT, "validation_rules": ["val_1"]}
    assert (await agent.refused("unsupported", "create_voucher", code="X", **body))[
        "field"
    ] == "validation_rules"


@pytest.mark.parametrize("code", [" X", "X\n", "X" * 129])
async def test_a_code_that_cannot_be_one_is_refused(agent: Agent, code: str) -> None:
    assert (await agent.refused("invalid_input", "create_voucher", code=code, discount=PERCENT))[
        "field"
    ] == "code"


async def test_a_random_code_has_the_form_that_was_asked_for(agent: Agent) -> None:
    form = {"pattern": "AB-##-##", "charset": "numbers", "prefix": "P", "postfix": "Z"}
    shown = await agent.data("generate_random_code", discount=PERCENT, code_config=form)
    assert len(shown["code"]) == 10
    assert (shown["code"][:4], shown["code"][-1]) == ("PAB-", "Z")
    assert len((await agent.data("generate_random_code", discount=PERCENT))["code"]) == 8


async def test_random_codes_are_new_in_the_project_until_none_is_left(agent: Agent) -> None:
    form = {"length": 1, "charset": "ab"}
    for _ in range(2):
        await agent.ok("generate_random_code", discount=PERCENT, code_config=form)
    refused = await agent.refused("invalid_input", "generate_random_code", discount=PERCENT, code_config=form)
    assert refused["field"] == "code_config"
    assert {v["code"] for v in await agent.data("list_vouchers")} == {"a", "b"}


async def test_a_code_and_its_form_are_not_both_taken(agent: Agent) -> None:
    form: dict[str, Any] = {"discount": PERCENT, "code": "X", "code_config": {"length": 5}}
    assert (await agent.refused("invalid_input", "generate_random_code", **form))["field"] == "code_config"


async def test_a_random_code_is_made_once_a_key(agent: Agent) -> None:
    first = await agent.ok("generate_random_code", discount=PERCENT, idempotency_key="k")
    again = await agent.ok("generate_random_code", discount=PERCENT, idempotency_key="k")
    assert (again["data"], again["replayed"]) == (first["data"], True)
    assert (await agent.ok("list_vouchers"))["total"] == 1


@pytest.mark.parametrize("by", ["campaign", "campaign_id"])
async def test_a_voucher_in_a_campaign_takes_what_it_does_not_say_from_the_pool(
    agent: Agent, by: str
) -> None:
    template = {
        "discount": {"type": "AMOUNT", "amount_off": 500},
        "category": "shared",
        "metadata": {"a": 1, "b": 1},
    }
    pool_id = await pool(
        agent, voucher={**template, "expiration_date": "2030-01-01T00:00:00Z"}, codes=["OTHER"]
    )
    where = {by: "Summer" if by == "campaign" else pool_id}
    shown = await agent.data(
        "create_voucher", code="MINE", **where, metadata={"b": 2}, redemption={"quantity": 5}
    )
    assert (shown["campaign"], shown["campaign_id"], shown["category"]) == ("Summer", pool_id, "shared")
    assert shown["discount"]["amount_off"] == 500
    assert shown["metadata"] == {"a": 1, "b": 2}
    assert shown["redemption"]["quantity"] == 5
    assert shown["expiration_date"] == "2030-01-01T00:00:00.000Z"
    assert await counts(agent, pool_id) == (2, 2)


async def test_own_dates_and_metadata_alone_leave_the_terms_shared(agent: Agent) -> None:
    await pool(agent, voucher={"discount": PERCENT, "metadata": {"a": 1}})
    shown = await agent.data(
        "create_voucher", code="M", campaign="Summer", metadata={"b": 2}, start_date=10**9, active=False
    )
    assert (shown["metadata"], shown["start_date"], shown["active"]) == (
        {"a": 1, "b": 2},
        "2001-09-09T01:46:40.000Z",
        False,
    )


async def test_a_loyalty_card_needs_a_pool_of_loyalty_cards(agent: Agent) -> None:
    await pool(agent, "Coupons")
    refused = await agent.refused("invalid_input", "create_voucher", code="L", campaign="Coupons", **LOYALTY)
    assert refused["field"] == "type"
    await pool(agent, "Club", voucher=LOYALTY)
    own = await agent.data("create_voucher", code="L", campaign="Club", loyalty_card={"points": 50})
    assert own["loyalty_card"] == {"points": 50, "subtracted_points": 0, "balance": 50}
    shared = await agent.data("create_voucher", code="L2", campaign="Club")
    assert shared["loyalty_card"]["balance"] == 700


async def test_a_campaign_that_is_not_there_is_named(agent: Agent) -> None:
    for field in ("campaign", "campaign_id"):
        body: dict[str, Any] = {"discount": PERCENT, field: "Nowhere"}
        assert (await agent.refused("not_found", "create_voucher", code="X", **body))["field"] == field


async def test_two_different_campaigns_are_refused(agent: Agent) -> None:
    one, _ = await pool(agent, "One"), await pool(agent, "Two")
    refused = await agent.refused(
        "invalid_input", "create_voucher", code="X", campaign_id=one, campaign="Two"
    )
    assert refused["field"] == "campaign"


async def test_a_taken_code_changes_no_count_of_the_pool(agent: Agent) -> None:
    pool_id = await pool(agent, codes=["X"])
    await agent.refused("already_exists", "create_voucher", code="X", campaign="Summer")
    assert await counts(agent, pool_id) == (1, 1)


async def test_a_voucher_is_disabled_and_enabled(agent: Agent) -> None:
    await agent.ok("create_voucher", code="X", discount=PERCENT)
    assert (await agent.data("disable_voucher", code="X"))["active"] is False
    assert (await agent.data("disable_voucher", code="X"))["active"] is False
    assert (await agent.data("enable_voucher", code="X"))["active"] is True
    await agent.refused("not_found", "enable_voucher", code="Y")


async def test_a_voucher_of_a_paused_pool_cannot_be_enabled_alone(agent: Agent) -> None:
    pool_id = await pool(agent, codes=["X"])
    await agent.ok("update_voucher_pool", pool_id=pool_id, active=False)
    assert "update_voucher_pool" in (await agent.refused("conflict", "enable_voucher", code="X"))["error"]
    assert (await agent.refused("conflict", "update_voucher", code="X", active=True))["field"] == "active"
    await agent.ok("disable_voucher", code="X")
    await agent.ok("update_voucher_pool", pool_id=pool_id, active=True)
    assert (await agent.data("get_voucher", code="X"))["active"] is False


async def test_a_deleted_code_stays_taken(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="X", discount=PERCENT)
    gone = await agent.ok("delete_voucher", code="X")
    assert gone["data"] == {"deleted": 1, "ids": [made["id"]], "freed": False}
    for reference in ("X", made["id"]):
        await agent.refused("not_found", "get_voucher", code=reference)
        await agent.refused("not_found", "delete_voucher", code=reference)
    assert (
        "deleted"
        in (await agent.refused("already_exists", "create_voucher", code="X", discount=PERCENT))["error"]
    )


async def test_a_code_deleted_by_force_can_be_used_again(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="X", discount=PERCENT)
    await agent.ok("delete_voucher", code="X", force=True)
    again = await agent.data("create_voucher", code="X", discount=PERCENT)
    assert again["id"] != made["id"]
    await agent.refused("not_found", "get_voucher", code=made["id"])


@pytest.mark.parametrize("force", [False, True])
async def test_deleting_keeps_the_counts_of_pool_and_holders(agent: Agent, force: bool) -> None:
    pool_id = await pool(agent, codes=["A", "B", "C"])
    await agent.ok("assign_voucher_code", pool_id=pool_id, customer_id="ann")
    await agent.ok("delete_voucher", code="A", force=force)
    assert await counts(agent, pool_id) == (2, 2)
    assert (await agent.ok("list_customer_redeemables", customer_id="ann"))["total"] == 0
    assert (await agent.data("assign_voucher_code", pool_id=pool_id, customer_id="ann"))["code"] == "B"


async def test_deleting_takes_reservations_along(agent: Agent) -> None:
    await agent.ok("create_voucher", code="G", **GIFT)
    await agent.ok("create_voucher", code="D", discount=PERCENT)
    both = [{"object": "voucher", "id": code} for code in ("D", "G")]
    session = {"type": "LOCK", "key": "s"}
    await agent.ok("validate_vouchers", redeemables=both[1:], order={"amount": 100}, session=session)
    await agent.ok("delete_voucher", code="G")
    await agent.refused("session_not_found", "redeem_vouchers", redeemables=both[:1], session=session)
