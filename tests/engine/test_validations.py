"""Validating and its sessions, as an agent sees them."""

from typing import Any

import pytest
from mcp import Client
from time_machine import travel

from tests.databases.database import Database
from tests.engine.conftest import Agent, open_agent
from tests.engine.test_redemptions import CARD, GIFT, ORDER, TEN_PERCENT, one, pool
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

LOCK: dict[str, Any] = {"type": "LOCK", "key": "cart-1"}


async def test_validating_shows_what_redeeming_would_do_and_consumes_nothing(agent: Agent) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    for _ in range(2):
        validated = await agent.data("validate_vouchers", redeemables=one("ONCE"), order=ORDER)
        assert validated["valid"] is True
        assert validated["session"] is None
        assert validated["order"]["total_amount"] == 18000
        (redeemable,) = validated["redeemables"]
        assert (redeemable["id"], redeemable["object"], redeemable["status"]) == (
            "ONCE",
            "voucher",
            "APPLICABLE",
        )
        assert redeemable["result"]["discount"]["percent_off"] == 10
    redeemed = await agent.data("redeem_vouchers", redeemables=one("ONCE"), order=ORDER)
    assert redeemed["order"] == {**validated["order"], "status": "PAID"}


async def test_the_first_voucher_that_does_not_apply_ends_a_stack(agent: Agent) -> None:
    await pool(agent, "TEN", "ALSO", **TEN_PERCENT)
    validated = await agent.data(
        "validate_vouchers", redeemables=[*one("TEN"), *one("NONE"), *one("ALSO")], order=ORDER
    )
    assert (validated["valid"], validated["order"]) == (False, None)
    statuses = [redeemable["status"] for redeemable in validated["redeemables"]]
    assert statuses == ["APPLICABLE", "INAPPLICABLE", "SKIPPED"]
    error = validated["redeemables"][1]["result"]["error"]
    assert (error["code"], error["key"]) == (404, "not_found")
    assert validated["redeemables"][2]["result"]["details"]["key"] == "preceding_validation_failed"


async def test_nothing_behind_a_voucher_that_does_not_apply_is_looked_at(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    await agent.ok("create_voucher", code="CARD", **GIFT)
    stack = [*one("NONE"), *one("TEN"), *one("CARD"), *one("NEITHER")]
    validated = await agent.data("validate_vouchers", redeemables=stack)
    statuses = [redeemable["status"] for redeemable in validated["redeemables"]]
    assert statuses == ["INAPPLICABLE", "SKIPPED", "SKIPPED", "SKIPPED"]
    refused = await agent.refused("not_found", "redeem_vouchers", redeemables=stack)
    assert refused["field"] == "redeemables.0.id"


@pytest.mark.parametrize(
    ("terms", "redeemable", "key"),
    [
        ({**TEN_PERCENT, "active": False}, {}, "voucher_disabled"),
        ({**TEN_PERCENT, "expiration_date": "2020-01-01"}, {}, "voucher_expired"),
        ({**TEN_PERCENT, "start_date": "2100-01-01"}, {}, "voucher_not_active"),
        ({**TEN_PERCENT, "validity_day_of_week": [0]}, {}, "voucher_not_active_now"),
        (GIFT, {"gift": {"credits": 5001}}, "gift_amount_exceeded"),
        (CARD, {"reward": {"points": 101}}, "loyalty_card_points_exceeded"),
    ],
)
async def test_an_ineligible_voucher_is_a_success_that_says_why(
    agent: Agent, terms: dict[str, Any], redeemable: dict[str, Any], key: str
) -> None:
    with travel("2026-11-23T12:00:00Z", tick=False):  # a Monday
        await pool(agent, "CODE", **terms)
        validated = await agent.data("validate_vouchers", redeemables=one("CODE", **redeemable))
    assert validated["valid"] is False
    assert validated["redeemables"][0]["result"]["error"]["key"] == key


async def test_a_formula_sees_the_order_and_the_vouchers_metadata(agent: Agent) -> None:
    discount = {
        "type": "PERCENT",
        "percent_off": 5,
        "percent_off_formula": 'IF(ORDER_AMOUNT >= 100;REDEEMABLE_METADATA("off");1)',
    }
    await pool(agent, "DYN", type="DISCOUNT_VOUCHER", discount=discount, metadata={"off": 20})
    validated = await agent.data("validate_vouchers", redeemables=one("DYN"), order={"amount": 10000})
    assert validated["order"]["total_amount"] == 8000
    assert validated["redeemables"][0]["result"]["discount"]["is_dynamic"] is True


@pytest.mark.parametrize("tool", ["validate_vouchers", "redeem_vouchers"])
@pytest.mark.parametrize(
    ("formula", "total"),
    [
        ('CUSTOMER_METADATA("age")', 7_500),
        ('ORDER_METADATA("vip") * 2', 8_000),
        ("IF(VOUCHER_PUBLISH_COUNT = 1;40;5)", 6_000),
    ],
)
async def test_a_formula_sees_all_that_can_be_passed(
    agent: Agent, tool: str, formula: str, total: int
) -> None:
    discount = {"type": "PERCENT", "percent_off": 1, "percent_off_formula": formula}
    await pool(agent, "DYN", type="DISCOUNT_VOUCHER", discount=discount, redemption={"quantity": 9})
    await agent.ok("assign_voucher_code", pool_id="pool", customer_id="ann")
    call: dict[str, Any] = {"redeemables": one("DYN"), "order": {"amount": 10_000, "metadata": {"vip": 10}}}
    customer = {"source_id": "ann", "metadata": {"age": "25"}}
    answer = await agent.data(tool, **call, customer=customer)
    assert answer["order"]["total_amount"] == total


@pytest.mark.parametrize("owner", ["REDEMPTION", "PUBLICATION"])
async def test_a_formula_that_could_never_have_a_value_is_refused(agent: Agent, owner: str) -> None:
    formula = f'{owner}_METADATA("x")'
    discount = {"type": "AMOUNT", "amount_off": 100, "amount_off_formula": formula}
    for tool, call in (
        ("create_voucher", {"code": "DYN", "discount": discount}),
        ("create_voucher_pool", {"name": "pool", "voucher": {"discount": discount}}),
    ):
        refused = await agent.refused("invalid_input", tool, **call)
        assert refused["field"].endswith("discount.amount_off_formula")
        assert owner in refused["error"]


async def test_metadata_alone_is_no_customer(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    refused = await agent.refused(
        "invalid_input", "validate_vouchers", redeemables=one("TEN"), customer={"metadata": {"age": 5}}
    )
    assert refused["field"] == "customer.id"


async def test_a_session_reserves_the_last_redemption_until_it_is_redeemed(agent: Agent) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    locked = await agent.data("validate_vouchers", redeemables=one("ONCE"), session=LOCK)
    assert locked["session"] == {
        "key": "cart-1",
        "type": "LOCK",
        "ttl": 7,
        "ttl_unit": "DAYS",
        "expires_at": locked["session"]["expires_at"],
    }
    refused = await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=one("ONCE"))
    assert "reserved by sessions: 1" in refused["error"]
    other = await agent.data("validate_vouchers", redeemables=one("ONCE"), session={"key": "cart-2"})
    assert other["redeemables"][0]["result"]["error"]["key"] == "quantity_exceeded"
    assert other["session"] is None
    await agent.ok("redeem_vouchers", redeemables=one("ONCE"), session={"key": "cart-1"})
    await agent.refused(
        "session_not_found", "redeem_vouchers", redeemables=one("ONCE"), session={"key": "cart-1"}
    )


async def test_the_same_key_replaces_what_it_reserved(agent: Agent) -> None:
    await pool(agent, "CARD", **GIFT)
    for credits in (4000, 5000, 1000):
        validated = await agent.data(
            "validate_vouchers", redeemables=one("CARD", gift={"credits": credits}), session=LOCK
        )
        assert validated["valid"] is True
    other = await agent.data("validate_vouchers", redeemables=one("CARD"), order={"amount": 9000})
    assert other["redeemables"][0]["result"]["gift"] == {"balance": 4000, "credits": 4000}
    refused = await agent.refused(
        "insufficient_balance", "redeem_vouchers", redeemables=one("CARD", gift={"credits": 4001})
    )
    assert "5,000 credits, 1,000 of them reserved" in refused["error"]


async def test_a_validation_that_fails_reserves_nothing_and_keeps_what_was_reserved(agent: Agent) -> None:
    await pool(agent, "CARD", "SPARE", **GIFT)
    await agent.ok("validate_vouchers", redeemables=one("CARD", gift={"credits": 4000}), session=LOCK)
    failed = await agent.data(
        "validate_vouchers",
        redeemables=[*one("SPARE", gift={"credits": 1}), *one("CARD", gift={"credits": 9000})],
        session=LOCK,
    )
    assert (failed["valid"], failed["session"]) == (False, None)
    spare = await agent.data("validate_vouchers", redeemables=one("SPARE", gift={"credits": 5000}))
    assert spare["valid"] is True
    kept = await agent.data("validate_vouchers", redeemables=one("CARD", gift={"credits": 1001}))
    assert kept["valid"] is False


async def test_redeeming_spends_what_the_session_reserved(agent: Agent) -> None:
    await pool(agent, "CARD", **GIFT)
    await pool(agent, "POINTS", name="points", **CARD)
    await agent.ok(
        "validate_vouchers",
        redeemables=[*one("CARD", gift={"credits": 700}), *one("POINTS", reward={"points": 30})],
        session=LOCK,
    )
    redeemed = await agent.data(
        "redeem_vouchers", redeemables=[*one("CARD"), *one("POINTS")], session={"key": "cart-1"}
    )
    assert [redemption["amount"] for redemption in redeemed["redemptions"]] == [700, 30]


async def test_a_session_without_a_key_gets_one(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    made = await agent.data(
        "validate_vouchers",
        redeemables=one("TEN"),
        session={"type": "LOCK", "ttl": 90, "ttl_unit": "MINUTES"},
    )
    assert made["session"]["key"].startswith("ssn_")
    assert (made["session"]["ttl"], made["session"]["ttl_unit"]) == (90, "MINUTES")
    await agent.ok("redeem_vouchers", redeemables=one("TEN"), session={"key": made["session"]["key"]})


@pytest.mark.parametrize(
    ("ttl", "unit"), [(1, "SECONDS"), (1000, "MILLISECONDS"), (999_000_001, "NANOSECONDS")]
)
async def test_a_session_ends_when_its_time_is_up(agent: Agent, ttl: int, unit: str) -> None:
    await pool(agent, "ONCE", **TEN_PERCENT, redemption={"quantity": 1})
    with travel("2026-01-01T00:00:00Z", tick=False):
        session = {**LOCK, "ttl": ttl, "ttl_unit": unit}
        await agent.ok("validate_vouchers", redeemables=one("ONCE"), session=session)
    with travel("2026-01-01T00:00:00.999Z", tick=False):
        await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=one("ONCE"))
    with travel("2026-01-01T00:00:01Z", tick=False):
        call: dict[str, Any] = {"code": "ONCE", "session_key": "cart-1"}
        await agent.refused("session_not_found", "release_validation_session", **call)
        await agent.ok("redeem_vouchers", redeemables=one("ONCE"))


async def test_a_released_session_reserves_no_more(agent: Agent) -> None:
    await pool(agent, "ONCE", "ELSE", **TEN_PERCENT, redemption={"quantity": 1})
    await agent.ok("validate_vouchers", redeemables=[*one("ONCE"), *one("ELSE")], session=LOCK)
    call: dict[str, Any] = {"code": "ONCE", "session_key": "cart-1"}
    assert await agent.data("release_validation_session", **call) == {
        "released": True,
        "code": "ONCE",
        "session_key": "cart-1",
    }
    await agent.refused("session_not_found", "release_validation_session", **call)
    await agent.ok("redeem_vouchers", redeemables=one("ONCE"))
    await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=one("ELSE"))


async def test_a_reader_validates_but_may_not_reserve(agent: Agent, database: Database) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    async with open_agent(database, access="read") as reader:
        assert (await reader.data("validate_vouchers", redeemables=one("TEN")))["valid"] is True
        await reader.refused("access_denied", "validate_vouchers", redeemables=one("TEN"), session=LOCK)
        projects = await reader._client.call_tool("list_projects", {})
    assert projects.structured_content is not None
    (project,) = projects.structured_content["data"]
    assert "redeem_vouchers" in project["unavailable_tools"]
    assert "validate_vouchers" not in project["unavailable_tools"]


async def test_the_hints_of_validating_are_honest(database: Database) -> None:
    table = {"backend": "local", "url": database.url}
    async with Client(build_server(Settings.model_validate({"projects": {"shop": table}}))) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    validate = tools["validate_vouchers"]
    assert validate.annotations is not None
    assert validate.annotations.read_only_hint is False
    assert validate.annotations.destructive_hint is False
    assert not {"dry_run", "idempotency_key"} & validate.input_schema["properties"].keys()


@pytest.mark.parametrize(
    ("session", "field"),
    [
        ({"type": "HOLD"}, "session.type"),
        ({"ttl": 0, "ttl_unit": "DAYS"}, "session.ttl"),
        ({"ttl": 367, "ttl_unit": "DAYS"}, "session.ttl"),
        ({"ttl": 1, "ttl_unit": "WEEKS"}, "session.ttl_unit"),
        ({"ttl_unit": "DAYS"}, "session.ttl"),
        ({"lifetime": 1}, "session.lifetime"),
    ],
)
async def test_a_wrong_session_is_named(agent: Agent, session: dict[str, Any], field: str) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    refused = await agent.refused(
        "invalid_input", "validate_vouchers", redeemables=one("TEN"), session=session
    )
    assert refused["field"] == field


async def test_a_code_of_a_paused_pool_is_refused_with_what_resumes_it(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    (made,) = await agent.data("list_voucher_pools")
    await agent.data("update_voucher_pool", pool_id=made["id"], active=False)
    validated = await agent.data("validate_vouchers", redeemables=one("TEN"), order=ORDER)
    error = validated["redeemables"][0]["result"]["error"]
    assert error["key"] == "voucher_disabled"
    assert f'pool "{made["name"]}" is paused' in error["message"]
    assert "update_voucher_pool with active=true" in error["message"]
    refused = await agent.refused(
        "voucher_disabled", "redeem_vouchers", redeemables=one("TEN"), order=ORDER, idempotency_key="k"
    )
    assert "is paused" in refused["error"]
    assert "enable_voucher" not in refused["error"]
