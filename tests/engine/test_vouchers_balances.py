"""Adding to gift cards and loyalty cards, taking off, and the ledger of it."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases.database import NewDatabase
from tests.engine.conftest import Agent, open_agent

LARGEST = 2**53 - 1
GIFT = {"gift": {"amount": 1_000}}


async def card(agent: Agent, code: str = "G", **body: Any) -> str:
    """A new gift card; answers its id."""
    return str((await agent.data("create_voucher", code=code, **(body or GIFT)))["id"])


async def balance(agent: Agent, code: str = "G") -> int:
    shown = (await agent.data("get_voucher", code=code))["gift"]
    assert shown["balance"] == shown["amount"] - shown["subtracted_amount"]
    return int(shown["balance"])


async def test_adding_answers_the_balance(agent: Agent) -> None:
    card_id = await card(agent)
    changed = await agent.data("update_voucher_balance", code="G", amount=500, reason="sorry")
    (line,) = await agent.data("list_voucher_transactions", code="G")
    assert changed == {
        "code": "G",
        "reason": "sorry",
        "transaction_id": line["id"],
        "amount": 500,
        "total": 1_500,
        "balance": 1_500,
        "type": "gift_voucher",
        "operation_type": "MANUAL",
        "object": "balance",
        "related_object": {"type": "voucher", "id": card_id},
    }
    assert await balance(agent) == 1_500


async def test_taking_off_lowers_total_and_balance(agent: Agent) -> None:
    await card(agent)
    await agent.ok("update_voucher_balance", code="G", amount=500)
    shown = await agent.data("update_voucher_balance", code="G", amount=-200)
    assert (shown["amount"], shown["total"], shown["balance"]) == (-200, 1_300, 1_300)
    gift = (await agent.data("get_voucher", code="G"))["gift"]
    assert (gift["amount"], gift["subtracted_amount"], gift["balance"]) == (1_500, 200, 1_300)


async def test_a_loyalty_card_counts_points(agent: Agent) -> None:
    await agent.ok("create_voucher_pool", name="Club", voucher={"loyalty_card": {"points": 70}}, codes=["L"])
    assert (await agent.data("update_voucher_balance", code="L", amount=30))["type"] == "loyalty_card"
    await agent.ok("update_voucher_balance", code="L", amount=-10)
    assert (await agent.data("get_voucher", code="L"))["loyalty_card"]["balance"] == 90
    lines = await agent.data("list_voucher_transactions", code="L")
    assert [line["type"] for line in lines] == ["POINTS_REMOVAL", "POINTS_ADDITION"]
    assert (
        "points"
        in (await agent.refused("insufficient_balance", "update_voucher_balance", code="L", amount=-91))[
            "error"
        ]
    )


async def test_more_than_there_is_cannot_be_taken_off(agent: Agent) -> None:
    await card(agent)
    refused = await agent.refused("insufficient_balance", "update_voucher_balance", code="G", amount=-1_001)
    assert "1001" in refused["error"]
    assert "1000" in refused["error"]
    await agent.ok("update_voucher_balance", code="G", amount=-1_000)
    assert await balance(agent) == 0


async def test_what_a_session_reserves_cannot_be_taken_off(agent: Agent) -> None:
    await card(agent)
    redeemable = {"object": "voucher", "id": "G", "gift": {"credits": 600}}
    await agent.ok(
        "validate_vouchers",
        redeemables=[redeemable],
        order={"amount": 5_000},
        session={"type": "LOCK", "key": "s"},
    )
    refused = await agent.refused("insufficient_balance", "update_voucher_balance", code="G", amount=-401)
    assert "600" in refused["error"]
    await agent.ok("update_voucher_balance", code="G", amount=-400)


@pytest.mark.parametrize("amount", [0, 1.5, "5.5", True, LARGEST + 1, -LARGEST - 1, LARGEST - 999])
async def test_an_amount_that_is_none_is_refused(agent: Agent, amount: Any) -> None:
    await card(agent)
    assert (await agent.refused("invalid_input", "update_voucher_balance", code="G", amount=amount))[
        "field"
    ] == "amount"


async def test_the_largest_amount_fits(agent: Agent) -> None:
    await card(agent)
    assert (await agent.data("update_voucher_balance", code="G", amount=LARGEST - 1_000))[
        "balance"
    ] == LARGEST


async def test_a_discount_has_no_balance(agent: Agent) -> None:
    await card(agent, "D", discount={"type": "PERCENT", "percent_off": 10})
    assert (await agent.refused("invalid_input", "update_voucher_balance", code="D", amount=1))[
        "field"
    ] == "code"
    assert await agent.data("list_voucher_transactions", code="D") == []


async def test_a_reason_is_text_of_one_kind(agent: Agent) -> None:
    await card(agent)
    refused = await agent.refused(
        "invalid_input", "update_voucher_balance", code="G", amount=1, reason="a\u0000"
    )
    assert refused["field"] == "reason"


async def test_the_same_key_adds_once(agent: Agent) -> None:
    await card(agent)
    for _ in range(3):
        await agent.ok("update_voucher_balance", code="G", amount=500, idempotency_key="k")
    assert await balance(agent) == 1_500
    await agent.refused(
        "idempotency_mismatch", "update_voucher_balance", code="G", amount=501, idempotency_key="k"
    )


async def test_a_key_is_required(agent: Agent) -> None:
    await card(agent)
    refused = await agent.refused(
        "invalid_input", "update_voucher_balance", code="G", amount=1, idempotency_key=""
    )
    assert refused["field"] == "idempotency_key"


async def test_a_line_of_the_ledger_has_the_fields_of_the_document(agent: Agent) -> None:
    card_id = await card(agent)
    await agent.ok("update_voucher_balance", code="G", amount=20, reason="more", idempotency_key="add_1")
    (line,) = await agent.data("list_voucher_transactions", code=card_id)
    assert line.pop("id").startswith("vtx_")
    assert line.pop("created_at").endswith("Z")
    assert line == {
        "source_id": "add_1",
        "voucher_id": card_id,
        "campaign_id": None,
        "source": "API",
        "reason": "more",
        "type": "CREDITS_ADDITION",
        "details": {
            "balance": {
                "amount": 20,
                "total": 1_020,
                "balance": 1_020,
                "type": "gift_voucher",
                "operation_type": "MANUAL",
                "object": "balance",
                "related_object": {"type": "voucher", "id": card_id},
            }
        },
        "related_transaction_id": None,
    }


async def test_redeeming_and_rolling_back_are_lines_of_the_ledger(agent: Agent) -> None:
    await card(agent)
    redeemables = [{"object": "voucher", "id": "G", "gift": {"credits": 300}}]
    done = await agent.data("redeem_vouchers", redeemables=redeemables, order={"amount": 500})
    redemption = done["redemptions"][0]["id"]
    back = await agent.data("rollback_redemption", redemption_id=redemption)
    refund, spent = await agent.data("list_voucher_transactions", code="G")
    assert (spent["type"], spent["details"]["redemption"]) == ("CREDITS_REDEMPTION", {"id": redemption})
    assert (spent["details"]["balance"]["amount"], spent["details"]["balance"]["balance"]) == (-300, 700)
    assert (spent["details"]["balance"]["total"], spent["source_id"], spent["source"]) == (1_000, None, None)
    assert (refund["type"], refund["details"]["redemption"]) == ("CREDITS_REFUND", {"id": redemption})
    assert refund["details"]["rollback"]["id"].startswith("rr_")
    assert back["id"] == refund["details"]["rollback"]["id"]


async def test_pages_of_the_ledger_go_on_where_the_last_ended(agent: Agent) -> None:
    await card(agent)
    for amount in range(1, 8):
        await agent.ok("update_voucher_balance", code="G", amount=amount)
    seen, cursor = [], None
    while True:
        page = await agent.ok(
            "list_voucher_transactions", code="G", limit=3, order="id", starting_after_id=cursor
        )
        seen += [line["details"]["balance"]["amount"] for line in page["data"]]
        if not page["has_more"]:
            break
        cursor = page["more_starting_after"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert "more_starting_after" not in page
    newest = await agent.data("list_voucher_transactions", code="G", limit=2)
    assert [line["details"]["balance"]["amount"] for line in newest] == [7, 6]
    after = await agent.data(
        "list_voucher_transactions", code="G", order="-id", starting_after_id=newest[1]["id"]
    )
    assert len(after) == 5


async def test_a_cursor_of_another_voucher_is_refused(agent: Agent) -> None:
    for code in ("G", "H"):
        await card(agent, code)
        await agent.ok("update_voucher_balance", code=code, amount=1)
    other = (await agent.data("list_voucher_transactions", code="H"))[0]["id"]
    for cursor in (other, "vtx_1", "nonsense"):
        refused = await agent.refused(
            "invalid_input", "list_voucher_transactions", code="G", starting_after_id=cursor
        )
        assert refused["field"] == "starting_after_id"


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("limit", 101), ("order", "created_at")])
async def test_a_page_that_cannot_be_is_refused(agent: Agent, name: str, value: Any) -> None:
    await card(agent)
    refused = await agent.refused("invalid_input", "list_voucher_transactions", code="G", **{name: value})
    assert refused["field"] == name


@settings(max_examples=15, deadline=None)
@given(amounts=st.lists(st.integers(-800, 800), max_size=12))
def test_the_balance_is_the_ledgers_sum_whatever_is_added_and_taken_off(
    databases: NewDatabase, amounts: list[int]
) -> None:
    async def run() -> None:
        with databases() as database:
            async with open_agent(database) as agent:
                await card(agent)
                kept: list[int] = []
                for amount in amounts:
                    answer = await agent.call("update_voucher_balance", code="G", amount=amount)
                    fits = amount != 0 and 1_000 + sum(kept) + amount >= 0
                    assert answer["success"] is fits, answer
                    kept += [amount] if fits else []
                lines = await agent.data("list_voucher_transactions", code="G", limit=100, order="id")
                assert [line["details"]["balance"]["amount"] for line in lines] == kept
                assert await balance(agent) == 1_000 + sum(kept)
                assert all(
                    line["details"]["balance"]["balance"] == line["details"]["balance"]["total"]
                    for line in lines
                )

    asyncio.run(run())
