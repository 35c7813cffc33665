"""Moving balance at a vendor that has no such operation: two bookings, of which each can fail or be lost."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn, faults

CALL: dict[str, Any] = {"from_code": "LEFT", "to_code": "RIGHT", "amount": 300, "idempotency_key": "move"}


@pytest.fixture
async def cards(agent: Agent) -> Agent:
    """An agent of a project with LEFT, which holds 10.00, and RIGHT, which holds 2.00."""
    await agent.ok("create_voucher", code="LEFT", gift={"amount": 1_000})
    await agent.ok("create_voucher", code="RIGHT", gift={"amount": 200})
    return agent


async def balances(agent: Agent) -> tuple[int, int]:
    """What LEFT and RIGHT hold."""
    held = [(await agent.data("get_voucher", code=code))["gift"]["balance"] for code in ("LEFT", "RIGHT")]
    return held[0], held[1]


@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("lost", ["LEFT", "RIGHT"])
async def test_a_retry_books_only_what_is_missing(
    cards: Agent, shop: StandIn, lost: str, after_effect: bool
) -> None:
    shop.fail(faults.drop(), method="POST", path=f"{lost}/balance", after_effect=after_effect)
    first = await cards.call("move_voucher_balance", **CALL)
    assert (first["error_code"], first["applied"]) == ("outcome_unknown", "unknown")
    again = await cards.ok("move_voucher_balance", **CALL)
    assert again["data"] == {
        "amount": 300,
        "from": {"code": "LEFT", "balance": 700},
        "to": {"code": "RIGHT", "balance": 500},
    }
    assert await balances(cards) == (700, 500)
    assert (await cards.ok("move_voucher_balance", **CALL))["replayed"] is True
    assert await balances(cards) == (700, 500)


async def test_what_was_taken_off_is_put_back_where_the_other_card_refuses_it(
    cards: Agent, shop: StandIn
) -> None:
    shop.fail(faults.status(400, "invalid_add_balance_params"), method="POST", path="RIGHT/balance")
    refused = await cards.refused("invalid_input", "move_voucher_balance", **CALL)
    assert "Nothing was changed" in refused["error"]
    assert await balances(cards) == (1_000, 200)
    assert (await cards.ok("move_voucher_balance", **CALL))["data"]["amount"] == 300
    assert await balances(cards) == (700, 500)


async def test_a_lost_half_is_found_though_an_earlier_try_was_put_back(cards: Agent, shop: StandIn) -> None:
    shop.fail(faults.status(400, "invalid_add_balance_params"), method="POST", path="RIGHT/balance")
    await cards.refused("invalid_input", "move_voucher_balance", **CALL)
    shop.fail(faults.drop(), method="POST", path="LEFT/balance", after_effect=False)
    await cards.call("move_voucher_balance", **CALL)
    await cards.ok("move_voucher_balance", **CALL)
    assert await balances(cards) == (700, 500)


async def test_a_half_that_cannot_be_put_back_is_completed_by_the_retry(cards: Agent, shop: StandIn) -> None:
    shop.fail(faults.status(400, "invalid_add_balance_params"), method="POST", path="RIGHT/balance")
    # the first request on LEFT takes off, and passes; the second would put back
    shop.fail(faults.decorated(lambda body: body), method="POST", path="LEFT/balance")
    shop.fail(faults.status(400, "invalid_add_balance_params"), method="POST", path="LEFT/balance")
    first = await cards.call("move_voucher_balance", **CALL)
    assert (first["error_code"], first["applied"]) == ("outcome_unknown", "unknown")
    assert await balances(cards) == (700, 200)
    await cards.ok("move_voucher_balance", **CALL)
    assert await balances(cards) == (700, 500)
