"""What cards hold: adding to it, taking off, and the ledger of it."""

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("create_voucher", "update_voucher_balance", "list_voucher_transactions")


@pytest.fixture
async def card(agent: Agent) -> str:
    """The id of a gift card of the code CARD that holds 1,000."""
    return str((await agent.data("create_voucher", code="CARD", gift={"amount": 1_000}))["id"])


async def balance(agent: Agent) -> int:
    return int((await agent.data("get_voucher", code="CARD"))["gift"]["balance"])


async def test_adding_and_taking_off_answer_the_balance(agent: Agent, card: str) -> None:
    added = await agent.data("update_voucher_balance", code="CARD", amount=500, reason="sorry")
    assert (added["amount"], added["balance"], added["object"]) == (500, 1_500, "balance")
    assert added["related_object"] == {"type": "voucher", "id": card}
    taken = await agent.data("update_voucher_balance", code=card, amount=-200)
    assert (taken["amount"], taken["balance"]) == (-200, 1_300)
    assert await balance(agent) == 1_300


async def test_more_than_there_is_cannot_be_taken_off(agent: Agent, card: str) -> None:
    await agent.refused("insufficient_balance", "update_voucher_balance", code="CARD", amount=-1_001)
    assert await balance(agent) == 1_000
    assert (await agent.data("update_voucher_balance", code="CARD", amount=-1_000))["balance"] == 0


async def test_an_amount_that_is_none_is_refused(agent: Agent, card: str) -> None:
    for amount in (1.5, "five", True, 2**53):
        answer = await agent.refused("invalid_input", "update_voucher_balance", code="CARD", amount=amount)
        assert answer["field"] == "amount"
    assert await balance(agent) == 1_000


async def test_a_discount_has_no_balance(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TEN", discount={"type": "PERCENT", "percent_off": 10})
    await agent.refused("invalid_input", "update_voucher_balance", code="TEN", amount=1)


async def test_a_loyalty_card_counts_points(agent: Agent) -> None:
    template = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 70}}
    await agent.new_pool("Club", voucher=template, codes=["L"])
    assert (await agent.data("update_voucher_balance", code="L", amount=30))["balance"] == 100
    assert (await agent.data("get_voucher", code="L"))["loyalty_card"]["balance"] == 100
    newest, *_ = await agent.data("list_voucher_transactions", code="L")
    assert newest["type"] == "POINTS_ADDITION"


async def test_the_ledger_shows_each_change_the_newest_first_in_pages(agent: Agent, card: str) -> None:
    for amount in (1, 2, -3):
        await agent.ok("update_voucher_balance", code="CARD", amount=amount)
    answer = await agent.ok("list_voucher_transactions", code="CARD", limit=2)
    types = [line["type"] for line in answer["data"]]
    assert (types, answer["has_more"]) == (["CREDITS_REMOVAL", "CREDITS_ADDITION"], True)
    rest = await agent.ok(
        "list_voucher_transactions", code="CARD", starting_after_id=answer["more_starting_after"]
    )
    assert rest["has_more"] is False
    lines = answer["data"] + rest["data"]
    assert [abs(line["details"]["balance"]["amount"]) for line in lines[:3]] == [3, 2, 1]
    assert len({line["id"] for line in lines}) == len(lines) <= 4  # what it was made with may be a line too
    assert lines[0]["details"]["balance"]["balance"] == 1_000
    oldest = await agent.data("list_voucher_transactions", code="CARD", order="id")
    assert [line["id"] for line in oldest] == [line["id"] for line in lines][::-1]


async def test_the_same_key_adds_once(agent: Agent, card: str) -> None:
    call = {"code": "CARD", "amount": 500, "idempotency_key": "k"}
    first = await agent.ok("update_voucher_balance", **call)
    for _ in range(2):
        assert await agent.ok("update_voucher_balance", **call) == {**first, "replayed": True}
    assert await balance(agent) == 1_500
    await agent.refused("idempotency_mismatch", "update_voucher_balance", **{**call, "amount": 501})
