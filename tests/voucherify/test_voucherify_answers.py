"""An answer suffices: a write tells what it did, a dry run invents nothing, a read hides no rule."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn
from voucher_mcp.backends.voucherify.jobs import job_tools

GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
HOURS = {"daily": [{"days_of_week": [1, 2], "start_time": "09:00", "expiration_time": "12:00"}]}


async def card(agent: Agent, code: str = "CARD") -> str:
    return str((await agent.data("create_voucher", code=code, **GIFT))["id"])


async def test_a_balance_tells_code_and_reason(agent: Agent) -> None:
    name = await card(agent)
    for reference in ("CARD", name):
        for dry_run in (True, False):
            told = await agent.data(
                "update_voucher_balance", code=reference, amount=5, reason="sorry", dry_run=dry_run
            )
            assert (told["code"], told["reason"]) == ("CARD", "sorry")


async def test_a_dry_run_of_a_random_code_shows_its_form_and_no_id(agent: Agent) -> None:
    async def foreseen(**config: Any) -> dict[str, Any]:
        given = {"code_config": config} if config else {}
        return dict(await agent.data("generate_random_code", **given, **GIFT, dry_run=True))

    shown = await foreseen(prefix="LEA-", length=6)
    assert (shown["code"], shown["id"]) == ("LEA-######", None)
    assert (await foreseen(pattern="A##-##"))["code"] == "A##-##"
    assert (await foreseen())["code"] is None  # how long it is the project's settings say
    assert (await agent.data("create_voucher", code="B", **GIFT, dry_run=True))["id"] is None


async def test_a_dry_run_adds_nothing_and_says_would_add(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["A"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"], dry_run=True)
    assert [fate["result"] for fate in answer["data"]] == ["duplicate", "would_add"]
    assert (answer["added"], answer["rejected"]) == (1, 1)
    form = {"count": 3, "prefix": "LEA-", "length": 4}
    answer = await agent.ok("add_voucher_codes", pool_id=pool, generate=form, dry_run=True)
    assert [(fate["code"], fate["id"]) for fate in answer["data"]] == [("LEA-####", None)] * 3
    made = await agent.data("create_voucher_pool", name="Winter", voucher=GIFT, codes=["C"], dry_run=True)
    assert made["id"] is None


async def test_a_voucher_says_whether_it_can_be_used_in_both_details(agent: Agent) -> None:
    await card(agent)
    await agent.ok("create_voucher", code="LATER", start_date="2099-01-01", **GIFT)
    for detail in ("concise", "full"):
        assert (await agent.data("get_voucher", code="CARD", detail=detail))["status"] == "ACTIVE"
        assert (await agent.data("get_voucher", code="LATER", detail=detail))["status"] == "NOT_ACTIVE_YET"
    await agent.ok("update_voucher_balance", code="CARD", amount=-500)
    assert (await agent.data("get_voucher", code="CARD"))["status"] == "NO_BALANCE"
    await agent.ok("disable_voucher", code="CARD")
    assert (await agent.data("get_voucher", code="CARD"))["status"] == "DISABLED"


async def test_no_rule_that_limits_its_use_is_left_out(agent: Agent) -> None:
    rules = {
        "validity_hours": HOURS,
        "validity_day_of_week": [1, 2],
        "start_date": "2026-01-01T00:00:00Z",
        "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    }
    await agent.ok("create_voucher", code="CARD", **GIFT, **rules)
    (listed,) = await agent.data("list_vouchers")
    for shown in (await agent.data("get_voucher", code="CARD"), listed):
        assert {name: shown[name] for name in rules} == rules


async def test_a_page_of_vouchers_says_whether_there_are_more(agent: Agent, shop: StandIn) -> None:
    shop.add_campaign("Summer", ["A", "B", "C"])
    assert (await agent.ok("list_vouchers", limit=2))["has_more"] is True
    answer = await agent.ok("list_vouchers", limit=2, page=2)
    assert (answer["has_more"], answer["total"]) == (False, 3)
    assert (await agent.ok("list_vouchers", limit=3))["has_more"] is False


async def test_a_locked_session_says_when_it_ends(agent: Agent) -> None:
    await card(agent)
    cart = [{"object": "voucher", "id": "CARD", "gift": {"credits": 10}}]
    for session in (
        {"type": "LOCK", "key": "k", "ttl": 2, "ttl_unit": "HOURS"},
        {"type": "LOCK", "key": "k"},
    ):
        locked = await agent.data("validate_vouchers", redeemables=cart, session=session)
        assert locked["session"]["expires_at"].endswith("Z")
    assert await agent.data("release_validation_session", code="CARD", session_key="k") == {
        "released": True,
        "code": "CARD",
        "session_key": "k",
    }


async def test_a_job_of_which_a_part_failed_is_partial(agent: Agent) -> None:
    await card(agent, "TAKEN")
    for codes, status, message in (
        (["A", "TAKEN"], "PARTIAL", "1 done, 1 failed"),
        (["TAKEN"], "FAILED", "0 done, 1 failed"),
        (["B"], "SUCCESS", "1 done, 0 failed"),
    ):
        begun = await agent.data("import_vouchers", vouchers=[{"code": code, **GIFT} for code in codes])
        action = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=20)
        assert (action["operation_status"], action["result"]["message"]) == (status, message)
        for failed in action["result"]["failed"]:
            assert failed["code"] == "TAKEN"
            assert failed["reason"]
            assert "row" in failed


async def test_an_unknown_customer_holds_nothing(agent: Agent) -> None:
    answer = await agent.ok("list_customer_redeemables", customer_id="nobody")
    assert (answer["data"], answer["known"], answer["has_more"]) == ([], False, False)
    for tool in ("list_vouchers", "list_redemptions"):
        answer = await agent.ok(tool, customer="nobody")
        assert (answer["data"], answer["known"]) == ([], False)
    assert "known" not in await agent.ok("list_vouchers")


async def test_a_page_of_redemptions_tells_each_thing_once(agent: Agent) -> None:
    await card(agent)
    cart = [{"object": "voucher", "id": "CARD", "gift": {"credits": 10}}]
    await agent.ok("redeem_vouchers", redeemables=cart, order={"amount": 100}, idempotency_key="1")
    (listed,) = await agent.data("list_redemptions")
    assert listed["voucher"].keys() <= {"id", "code", "type", "campaign", "campaign_id"}
    assert listed["voucher"]["code"] == "CARD"
    assert listed["amount"] == 10
    assert listed["order"] == {"amount": 100, "total_discount_amount": 10, "total_amount": 90}
    whole = await agent.data("get_redemption", redemption_id=listed["id"])
    assert "gift" in whole["voucher"]


@pytest.mark.parametrize("code", [".", ".."])
async def test_a_row_of_dots_is_refused_before_it_is_sent(agent: Agent, shop: StandIn, code: str) -> None:
    csv = f"Code,Voucher Type,Value\nA,GIFT_VOUCHER,5\n{code},GIFT_VOUCHER,5\n"
    answer = await agent.refused("invalid_input", "import_vouchers_using_csv", csv=csv)
    assert "line 3" in answer["error"]
    assert not shop.state.jobs


async def test_the_codes_of_a_pool_get_metadata_in_one_call(agent: Agent, shop: StandIn) -> None:
    shop.add_campaign("Summer", [f"C{number:03}" for number in range(120)])
    shop.add_campaign("Winter", ["W"])
    shop.add_campaign("Empty")
    call: dict[str, Any] = {"pool_id": "Summer", "metadata": {"tier": "gold"}}
    dry = await agent.data("update_vouchers_metadata_in_bulk", **call, dry_run=True)
    assert dry["result"]["tried"] == 120
    begun = await agent.data("update_vouchers_metadata_in_bulk", **call, idempotency_key="k")
    action = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=20)
    assert (action["operation_status"], action["result"]["done_count"]) == ("SUCCESS", 120)
    assert "metadata" not in await agent.data("get_voucher", code="W")
    refused = await agent.refused(
        "invalid_input", "update_vouchers_metadata_in_bulk", **{**call, "pool_id": "Empty"}
    )
    assert refused["field"] == "pool_id"


async def test_the_codes_of_a_pool_beyond_the_reach_are_not_half_changed(
    agent: Agent, shop: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_tools, "WALKED", 2)
    shop.add_campaign("Summer", ["A", "B", "C"])
    call: dict[str, Any] = {"pool_id": "Summer", "metadata": {"tier": "gold"}}
    refused = await agent.refused("invalid_input", "update_vouchers_metadata_in_bulk", **call)
    assert "more than 2 codes" in refused["error"]
    assert not shop.state.jobs


async def test_what_is_left_on_the_cards_of_a_pool_is_named_before_it_goes(
    agent: Agent, shop: StandIn
) -> None:
    await agent.new_pool("Cards", voucher=GIFT, codes=["A", "B"])
    await agent.ok("update_voucher_balance", code="A", amount=-120)
    told = await agent.ok("delete_voucher_pool", pool_id="Cards", dry_run=True)
    assert (told["codes"], told["amount"]) == (2, 880)
