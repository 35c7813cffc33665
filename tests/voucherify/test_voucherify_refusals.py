"""What is refused before anything is sent, odd answers that are survived, and which argument is at fault."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn
from voucher_mcp.backends.voucherify.mapping import campaigns

ODD: list[Any] = [[], ["a"], {}, {"a": 1}, 7, None, True, ""]


@pytest.mark.parametrize("kind", ODD)
async def test_a_type_that_is_no_text_is_refused(agent: Agent, kind: Any) -> None:
    template = {"type": kind, "discount": {"type": "PERCENT", "percent_off": 5}, "gift": {"amount": 5}}
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="x", voucher=template)
    assert answer["field"] == "voucher.type"


@pytest.mark.parametrize("status", ODD)
def test_a_status_that_is_no_text_says_nothing(status: Any) -> None:
    campaign = {"creation_status": status, "vouchers_generation_status": status}
    assert not campaigns.is_being_made(campaign)
    assert not campaigns.is_broken(campaign)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"validity_hours": {"daily": [{"start_time": "10:00"}]}}, "vouchers.0.validity_hours"),
        ({"category_id": "cat_1"}, "vouchers.0.category_id"),
        ({"campaign": "x"}, "vouchers.0.campaign"),
        ({"validation_rules": ["val_1"]}, "vouchers.0.validation_rules"),
        ({"loyalty_card": {"points": 5}}, "vouchers.0.loyalty_card"),
        ({"type": "LOYALTY_CARD"}, "vouchers.0.type"),
        ({"gift": {"amount": 5, "effect": "APPLY_TO_ITEMS"}}, "vouchers.0.gift.effect"),
        ({"gift": {"amount": 5, "balance": 3}}, "vouchers.0.gift.balance"),
        ({"redemption": {"redeemed_quantity": 1}}, "vouchers.0.redemption.redeemed_quantity"),
    ],
)
async def test_what_an_import_would_skip_is_refused(
    agent: Agent, shop: StandIn, more: dict[str, Any], field: str
) -> None:
    voucher = {"code": "A", "gift": {"amount": 5}, **more}
    answer = await agent.refused("invalid_input", "import_vouchers", vouchers=[voucher])
    assert answer["field"] == field
    assert shop.requests == []


async def test_a_voucher_that_was_used_elsewhere_is_never_imported_as_new(
    agent: Agent, shop: StandIn
) -> None:
    used = {"quantity": 2, "redeemed_quantity": 1}
    unused = {"quantity": 2, "redeemed_quantity": 0}
    ten = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    rows = [{"code": "A", **ten, "redemption": unused}, {"code": "B", **ten, "redemption": used}]
    for dry_run in (True, False):
        answer = await agent.refused("invalid_input", "import_vouchers", vouchers=rows, dry_run=dry_run)
        assert answer["field"] == "vouchers.1.redemption.redeemed_quantity"
        assert "import_vouchers_using_csv" in answer["error"]
    assert shop.requests == []
    begun = await agent.data("import_vouchers", vouchers=rows[:1])
    await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=20)
    shown = await agent.data("get_voucher", code="A")
    assert (shown["redemption"]["quantity"], shown["redemption"]["redeemed_quantity"]) == (2, 0)
    [sent] = [request for request in shop.requests if request.path.endswith("/vouchers/import")]
    assert b"redeemed_quantity" not in sent.body


async def test_points_of_a_single_card_have_no_rules_of_expiration(agent: Agent, shop: StandIn) -> None:
    card = {"points": 5, "expiration_rules": {"period_type": "MONTH", "period_value": 3}}
    answer = await agent.refused(
        "invalid_input", "create_voucher", code="A", campaign="Points", loyalty_card=card
    )
    assert answer["field"] == "loyalty_card.expiration_rules"
    assert shop.requests == []
    await agent.new_pool("Points", voucher={"loyalty_card": card})


@pytest.mark.parametrize("argument", ["campaign", "campaign_id"])
async def test_a_campaign_that_is_not_there_is_named_by_its_argument(agent: Agent, argument: str) -> None:
    call = {"code": "A", "gift": {"amount": 5}, argument: "none"}
    assert (await agent.refused("not_found", "create_voucher", **call))["field"] == argument


async def test_a_balance_that_does_not_suffice_is_told_as_such(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("CARD", gift={"amount": 5})
    shop.add_voucher("TENTH")
    await agent.refused("insufficient_balance", "update_voucher_balance", code="CARD", amount=-6)
    await agent.refused("invalid_input", "update_voucher_balance", code="TENTH", amount=-6)


async def test_a_pool_whose_codes_run_out_is_told_to_be_incomplete(agent: Agent) -> None:
    await agent.new_pool("Taken", codes=[f"{number:02d}" for number in range(99)])
    form = {"count": 2, "length": 2, "charset": "numbers"}
    answer = await agent.call("create_voucher_pool", name="Empty", generate=form)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "partly")
    assert await agent.texts("Empty") == []


@pytest.mark.parametrize("tool", ["create_voucher", "generate_random_code"])
@pytest.mark.parametrize("code", ["x" * 129, "a\nb", " a", "a\u202eb"])
async def test_a_code_that_no_system_here_would_take_is_refused(
    agent: Agent, shop: StandIn, tool: str, code: str
) -> None:
    answer = await agent.refused("invalid_input", tool, code=code, gift={"amount": 5})
    assert answer["field"] == "code"
    assert shop.requests == []


@pytest.mark.parametrize("tool", ["create_voucher", "generate_random_code"])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_loyalty_card_needs_a_campaign(agent: Agent, shop: StandIn, tool: str, dry_run: bool) -> None:
    call = {"code": "A", "loyalty_card": {"points": 5}, "dry_run": dry_run}
    assert (await agent.refused("invalid_input", tool, **call))["field"] == "campaign"
    assert shop.requests == []


async def test_a_second_rollback_is_refused_by_its_argument(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("CARD", gift={"amount": 5})
    card = {"id": "CARD", "gift": {"credits": 5}}
    (redemption,) = (await agent.data("redeem_vouchers", redeemables=[card]))["redemptions"]
    await agent.ok("rollback_redemption", redemption_id=redemption["id"])
    for dry_run in (True, False):
        call = {"redemption_id": redemption["id"], "dry_run": dry_run}
        answer = await agent.refused("already_rolled_back", "rollback_redemption", **call)
        assert answer["field"] == "redemption_id"


@pytest.mark.parametrize(
    ("tool", "field", "more"),
    [
        ("list_vouchers", "code", {}),
        ("list_vouchers", "metadata.season", {}),
        ("list_customer_redeemables", "campaign_id", {"customer_id": "anna"}),
    ],
)
async def test_an_unknown_operator_is_refused_by_its_path(
    agent: Agent, shop: StandIn, tool: str, field: str, more: dict[str, Any]
) -> None:
    filters = {field: {"conditions": {"$iss": "x"}}}
    answer = await agent.refused("invalid_input", tool, filters=filters, **more)
    assert answer["field"] == f"filters.{field}.conditions.$iss"
    assert "`$is`" in answer["error"]
    assert shop.requests == []


async def test_a_concise_redemption_does_not_show_our_name_for_the_write(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("CARD", gift={"amount": 5})
    answer = await agent.data("redeem_vouchers", redeemables=[{"id": "CARD", "gift": {"credits": 5}}])
    name = answer["redemptions"][0]["id"]
    assert "voucher_mcp_reference" not in str(answer)
    assert "voucher_mcp_reference" not in str(await agent.data("list_redemptions"))
    full = await agent.data("get_redemption", redemption_id=name, detail="full")
    assert "voucher_mcp_reference" in full["metadata"]
