"""Moving what is on one card to another of its kind."""

from typing import Any

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("move_voucher_balance", "create_voucher")


@pytest.fixture
async def cards(agent: Agent) -> Agent:
    """An agent of a project with the gift cards LEFT, which holds 10.00, and RIGHT, which holds 2.00."""
    await agent.ok("create_voucher", code="LEFT", gift={"amount": 1_000})
    await agent.ok("create_voucher", code="RIGHT", gift={"amount": 200})
    return agent


async def balances(agent: Agent) -> tuple[int, int]:
    """What LEFT and RIGHT hold."""
    held = [(await agent.data("get_voucher", code=code))["gift"]["balance"] for code in ("LEFT", "RIGHT")]
    return held[0], held[1]


async def test_an_amount_moves_from_card_to_card(cards: Agent) -> None:
    moved = await cards.data("move_voucher_balance", from_code="LEFT", to_code="RIGHT", amount=300)
    assert moved == {
        "amount": 300,
        "from": {"code": "LEFT", "balance": 700},
        "to": {"code": "RIGHT", "balance": 500},
    }
    assert await balances(cards) == (700, 500)


async def test_all_moves_where_no_amount_is_given(cards: Agent) -> None:
    moved = await cards.data("move_voucher_balance", from_code="LEFT", to_code="RIGHT")
    assert moved["amount"] == 1_000
    assert await balances(cards) == (0, 1_200)
    again = await cards.refused(
        "insufficient_balance", "move_voucher_balance", from_code="LEFT", to_code="RIGHT"
    )
    assert again["field"] == "from_code"


async def test_each_ledger_has_its_line_with_the_reason(cards: Agent) -> None:
    await cards.ok("move_voucher_balance", from_code="LEFT", to_code="RIGHT", amount=300, reason="Card lost")
    for code, amount in (("LEFT", -300), ("RIGHT", 300)):
        line = (await cards.data("list_voucher_transactions", code=code))[0]
        assert (line["reason"], line["details"]["balance"]["amount"]) == ("Card lost", amount)


async def test_a_retry_moves_nothing_again(cards: Agent) -> None:
    call: dict[str, Any] = {"from_code": "LEFT", "to_code": "RIGHT", "amount": 300, "idempotency_key": "k"}
    first = await cards.ok("move_voucher_balance", **call)
    assert await cards.ok("move_voucher_balance", **call) == {**first, "replayed": True}
    assert await balances(cards) == (700, 500)


async def test_a_dry_run_shows_the_balances_and_moves_nothing(cards: Agent) -> None:
    tried = await cards.ok(
        "move_voucher_balance", from_code="LEFT", to_code="RIGHT", amount=300, dry_run=True
    )
    assert tried["data"]["to"] == {"code": "RIGHT", "balance": 500}
    assert await balances(cards) == (1_000, 200)


async def test_more_than_there_is_does_not_move(cards: Agent) -> None:
    await cards.refused(
        "insufficient_balance", "move_voucher_balance", from_code="LEFT", to_code="RIGHT", amount=1_001
    )
    assert await balances(cards) == (1_000, 200)


async def test_only_two_usable_cards_of_one_kind_are_taken(cards: Agent) -> None:
    await cards.ok("create_voucher", code="OFF", gift={"amount": 1}, active=False)
    await cards.ok("create_voucher", code="OLD", gift={"amount": 1}, expiration_date="2020-01-01T00:00:00Z")
    await cards.ok("create_voucher", code="SOON", gift={"amount": 1}, start_date="2099-01-01T00:00:00Z")
    await cards.ok("create_voucher", code="FIVE", discount={"type": "AMOUNT", "amount_off": 500})
    for target, error_code in (
        ("OFF", "voucher_disabled"),
        ("OLD", "voucher_expired"),
        ("SOON", "voucher_not_active"),
        ("FIVE", "invalid_input"),
        ("LEFT", "invalid_input"),
        ("NOBODY", "not_found"),
    ):
        answer = await cards.refused(error_code, "move_voucher_balance", from_code="LEFT", to_code=target)
        assert answer["field"] == "to_code"
    await cards.refused("not_found", "move_voucher_balance", from_code="NOBODY", to_code="LEFT")
    assert await balances(cards) == (1_000, 200)


async def test_a_card_that_is_disabled_can_give(cards: Agent) -> None:
    await cards.ok("disable_voucher", code="LEFT")
    await cards.ok("move_voucher_balance", from_code="LEFT", to_code="RIGHT")
    assert await balances(cards) == (0, 1_200)
