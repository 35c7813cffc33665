"""Answers about something else, or with what nobody expects: nothing is made up and nothing breaks."""

import csv
import io
from typing import Any

import pytest
from mcp.types import TextResourceContents

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn, faults

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500, "effect": "APPLY_TO_ORDER"}}
DOTS = pytest.mark.parametrize("code", [".", ".."])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_voucher", {}),
        ("update_voucher", {"active": False}),
        ("update_voucher", {"metadata": {"a": 1}}),
        ("enable_voucher", {}),
        ("disable_voucher", {}),
        ("delete_voucher", {}),
    ],
)
async def test_another_voucher_is_not_taken_for_the_one_that_was_asked_for(
    agent: Agent, shop: StandIn, tool: str, arguments: dict[str, Any]
) -> None:
    shop.add_voucher("SUMMER")
    shop.state.ignores_case = True
    answer = await agent.call(tool, code="summer", **arguments)
    assert answer["error_code"] in ("not_found", "outcome_unknown")
    if answer["error_code"] == "outcome_unknown":  # it was written to, which nobody may keep back
        assert '"SUMMER"' in answer["error"]
    else:  # how it is written is not said: a code that was only guessed would be given away
        assert "SUMMER" not in answer["error"]
        assert "capital and small letters" in answer["error"]
    assert "SUMMER" in shop.state.vouchers


async def test_a_code_in_another_case_is_of_no_pool(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["A"])
    shop.state.ignores_case = True
    assert await agent.codes(pool, code_ids=["a"]) == []
    await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["a"])


@DOTS
async def test_a_code_of_dots_is_refused_before_anything_is_sent(
    agent: Agent, shop: StandIn, code: str
) -> None:
    gift = {"gift": {"amount": 5}}
    for tool in ("get_voucher", "disable_voucher", "delete_voucher", "list_voucher_transactions"):
        assert (await agent.call(tool, code=code))["error_code"] == "invalid_input"
    await agent.refused("invalid_input", "create_voucher", code=code, **gift)
    await agent.refused("invalid_input", "generate_random_code", code=code, **gift)
    await agent.refused("invalid_input", "update_voucher_balance", code=code, amount=5)
    await agent.refused("invalid_input", "import_vouchers", vouchers=[{"code": code, **gift}])
    await agent.refused("invalid_input", "create_voucher_pool", name=code)
    for tool, argument in (
        ("get_voucher_pool", "pool_id"),
        ("get_redemption", "redemption_id"),
        ("get_async_action", "async_action_id"),
        ("get_export", "export_id"),
        ("list_customer_redeemables", "customer_id"),
    ):
        assert (await agent.call(tool, **{argument: code}))["error_code"] == "invalid_input"
    released = {"code": "A", "session_key": code}
    await agent.refused("invalid_input", "release_validation_session", **released)
    assert shop.requests == []


@DOTS
async def test_a_code_of_dots_is_not_added_to_a_pool(agent: Agent, shop: StandIn, code: str) -> None:
    pool = shop.add_campaign("Summer")
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=[code, "A"])
    assert [fate["result"] for fate in answer["data"]] == ["invalid", "added"]
    made = await agent.data("create_voucher_pool", name="Winter", codes=[code, "B"])
    assert (made["added"], made["rejected"]) == (1, 1)
    assert list(shop.state.vouchers) == ["A", "B"]


async def test_half_a_cent_is_shown_and_counted_as_it_is(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Gifts", ["CARD"], voucher=GIFT)
    card = shop.state.voucher("CARD")
    card["gift"] = {"amount": 10.5, "balance": 10.5, "effect": "APPLY_TO_ORDER"}
    shop.state.campaigns[pool]["voucher"]["gift"] = {"amount": 10.5}
    assert (await agent.data("get_voucher", code="CARD"))["gift"]["balance"] == 10.5
    assert (await agent.codes(pool))[0]["status"] == "available"
    foreseen = await agent.data("update_voucher_balance", code="CARD", amount=-10, dry_run=True)
    assert foreseen["balance"] == 0.5
    await agent.refused(
        "insufficient_balance", "update_voucher_balance", code="CARD", amount=-11, dry_run=True
    )
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["CARD"], dry_run=True)
    assert (await agent.data("delete_voucher", code="CARD", dry_run=True))["deleted"] == 1


async def test_a_balance_of_half_a_cent_is_not_an_empty_card(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Gifts", ["CARD"], voucher=GIFT)
    shop.state.voucher("CARD")["gift"] |= {"balance": 0.5, "subtracted_amount": 499.5}
    assert (await agent.codes(pool))[0]["status"] == "assigned"


async def test_metadata_that_stayed_is_not_reported_as_removed(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("A", metadata={"season": "summer", "kind": "x"})
    shop.state.metadata_mode = "keep"
    change = {"metadata": {"season": None}, "active": False}
    answer = await agent.call("update_voucher", code="A", **change)
    assert (answer["error_code"], answer["applied"], answer["field"]) == ("conflict", "partly", "metadata")
    assert '"season"' in answer["error"]
    assert shop.state.voucher("A")["metadata"] == {"season": "summer", "kind": "x"}
    assert shop.state.voucher("A")["active"] is False


@pytest.mark.parametrize("size", [131_073, 2_000_000])
async def test_a_cell_of_any_length_is_exported(agent: Agent, shop: StandIn, size: int) -> None:
    shop.add_voucher("CARD", gift={"amount": 5})
    await agent.ok("update_voucher_balance", code="CARD", amount=5, reason="plain")
    lines = shop.state.transactions[shop.state.voucher("CARD")["id"]]
    lines[-1]["reason"] = "=" + "x" * size
    export = await agent.data("export_voucher_transactions", code="CARD", fields=["id", "reason"])
    shop.finish_jobs()
    url = (await agent.data("get_export", export_id=export["id"]))["result"]["url"]
    (content,) = (await agent.client.read_resource(url)).contents
    assert isinstance(content, TextResourceContents)
    limit = csv.field_size_limit(10_000_000)
    rows = list(csv.reader(io.StringIO(content.text, newline="")))
    csv.field_size_limit(limit)
    assert rows[-1][1] == "'=" + "x" * size


async def test_generated_codes_of_somebody_else_are_not_claimed(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["OLD"])

    def meanwhile(request: Any, body: Any) -> Any:
        if "/async-actions/" in request.path and "THEIRS" not in shop.state.vouchers:
            shop.add_voucher("THEIRS", campaign=pool)
        return body

    first = await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 3})
    assert (first["added"], len(first["data"])) == (3, 3)
    shop.decorate(meanwhile)
    second = await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 3})
    assert (second["added"], second["data"]) == (3, [])


@pytest.mark.parametrize(
    ("path", "tool", "call"),
    [
        ("/v1/campaigns", "create_voucher_pool", {"name": "Summer"}),
        ("/v1/vouchers", "create_voucher", {"code": "A", "discount": {"type": "PERCENT", "percent_off": 10}}),
    ],
)
async def test_what_was_there_long_before_is_not_taken_for_what_a_lost_try_made(
    agent: Agent, shop: StandIn, path: str, tool: str, call: dict[str, Any]
) -> None:
    call = {**call, "idempotency_key": "k"}
    shop.fail(faults.drop(), method="POST", path=path)
    assert (await agent.call(tool, **call))["error_code"] == "outcome_unknown"
    shop.add_campaign("Summer")
    shop.add_voucher("A")
    for one in (*shop.state.campaigns.values(), *shop.state.vouchers.values()):
        one["created_at"] = "2026-01-01T00:00:00.000Z"
    await agent.refused("already_exists", tool, **call)


async def test_a_code_that_is_taken_says_by_what(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", ["HERE"])
    shop.add_campaign("Winter", ["THERE"])
    shop.add_voucher("ALONE")
    shop.add_voucher("GONE")
    await agent.ok("delete_voucher", code="GONE")
    call = {"pool_id": pool, "codes": ["HERE", "THERE", "ALONE", "GONE", "NEW", "NEW"]}
    answer = await agent.ok("add_voucher_codes", **call)
    said = [fate["error"] for fate in answer["data"]]
    assert [text and text.rpartition(", ")[2] for text in said] == [
        "in this pool",
        'in the pool "Winter"',
        "outside any pool",
        "and no voucher shows it: a deleted one had it",
        None,
        "this code stands twice in the call",
    ]
