"""What each kind of voucher does to an order when it is redeemed, calculated by hand."""

from typing import Any

import pytest

from tests.engine.conftest import Agent

Fields = dict[str, Any]

ORDER: Fields = {
    "items": [
        {"product_id": "p0", "quantity": 2, "price": 1000},
        {"product_id": "p1", "quantity": 3, "price": 1500},
        {"product_id": "p2", "quantity": 3, "price": 2000},
    ]
}
"""Lines of 20.00, 45.00 and 60.00: 125.00 in all, for 8 units."""

AMOUNT: Fields = {"type": "AMOUNT", "amount_off": 1000}
PERCENT: Fields = {"type": "PERCENT", "percent_off": 10}
FIXED: Fields = {"type": "FIXED", "fixed_amount": 1200}
TWO_FREE: Fields = {"type": "UNIT", "unit_off": 2, "unit_type": "p1"}
GIFT: Fields = {"amount": 5000}


async def redeemed(agent: Agent, **voucher: Any) -> Fields:
    """The order after redeeming a new voucher, which validating foretold."""
    await agent.ok("create_voucher", code="V", **voucher)
    asked: Fields = {"redeemables": [{"object": "voucher", "id": "V"}], "order": ORDER}
    foretold = await agent.data("validate_vouchers", **asked)
    order: Fields = (await agent.data("redeem_vouchers", **asked))["order"]
    assert foretold["order"]["total_amount"] == order["total_amount"]
    return order


def off_lines(order: Fields) -> list[int]:
    return [item.get("discount_amount", 0) for item in order["items"]]


@pytest.mark.parametrize(
    ("discount", "effect", "off", "lines"),
    [
        pytest.param(AMOUNT, "APPLY_TO_ORDER", 1000, [0, 0, 0], id="AMOUNT-APPLY_TO_ORDER"),
        pytest.param(AMOUNT, "APPLY_TO_ITEMS", 3000, [1000, 1000, 1000], id="AMOUNT-APPLY_TO_ITEMS"),
        pytest.param(
            AMOUNT,
            "APPLY_TO_ITEMS_PROPORTIONALLY",
            1000,
            [160, 360, 480],
            id="AMOUNT-APPLY_TO_ITEMS_PROPORTIONALLY",
        ),
        pytest.param(
            AMOUNT,
            "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
            1000,
            [250, 375, 375],
            id="AMOUNT-APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
        ),
        pytest.param(
            AMOUNT,
            "APPLY_TO_ITEMS_BY_QUANTITY",
            8000,
            [2000, 3000, 3000],
            id="AMOUNT-APPLY_TO_ITEMS_BY_QUANTITY",
        ),
        pytest.param(PERCENT, "APPLY_TO_ORDER", 1250, [0, 0, 0], id="PERCENT-APPLY_TO_ORDER"),
        pytest.param(PERCENT, "APPLY_TO_ITEMS", 1250, [200, 450, 600], id="PERCENT-APPLY_TO_ITEMS"),
        pytest.param(FIXED, "APPLY_TO_ORDER", 11300, [0, 0, 0], id="FIXED-APPLY_TO_ORDER"),
        pytest.param(FIXED, "APPLY_TO_ITEMS", 3300, [0, 900, 2400], id="FIXED-APPLY_TO_ITEMS"),
    ],
)
async def test_a_discount_takes_off_what_its_effect_says(
    agent: Agent, discount: Fields, effect: str, off: int, lines: list[int]
) -> None:
    order = await redeemed(agent, discount={**discount, "effect": effect})
    assert (order["amount"], order["total_discount_amount"]) == (12500, off)
    assert order["total_amount"] == 12500 - off
    assert off_lines(order) == lines


@pytest.mark.parametrize(
    ("discount", "amount", "quantities", "lines"),
    [
        pytest.param(
            {**TWO_FREE, "effect": "ADD_NEW_ITEMS"},
            12500 + 2 * 1500,
            [2, 5, 3],
            [0, 3000, 0],
            id="UNIT-ADD_NEW_ITEMS",
        ),
        pytest.param(  # three of four are there and become free, too
            {**TWO_FREE, "unit_off": 4, "effect": "ADD_MISSING_ITEMS"},
            12500 + 1500,
            [2, 4, 3],
            [0, 6000, 0],
            id="UNIT-ADD_MISSING_ITEMS",
        ),
        pytest.param(
            {**TWO_FREE, "effect": "ADD_SAME_ITEMS"},
            12500 + 2 * 1500,
            [2, 5, 3],
            [0, 3000, 0],
            id="UNIT-ADD_SAME_ITEMS",
        ),
        pytest.param(  # none of it is in the order, so there are no same items
            {**TWO_FREE, "unit_type": "p9", "effect": "ADD_SAME_ITEMS"},
            12500,
            [2, 3, 3],
            [0, 0, 0],
            id="UNIT-ADD_SAME_ITEMS-none",
        ),
        pytest.param(
            {
                "type": "UNIT",
                "effect": "ADD_MANY_ITEMS",
                "units": [
                    {"unit_off": 4, "unit_type": "p0", "effect": "ADD_MISSING_ITEMS"},
                    {"unit_off": 1, "unit_type": "p2", "effect": "ADD_NEW_ITEMS"},
                ],
            },
            12500 + 2 * 1000 + 2000,
            [4, 3, 4],
            [4000, 0, 2000],
            id="UNIT-ADD_MANY_ITEMS",
        ),
    ],
)
async def test_free_units_join_the_order(
    agent: Agent, discount: Fields, amount: int, quantities: list[int], lines: list[int]
) -> None:
    order = await redeemed(agent, discount=discount)
    assert [item["quantity"] for item in order["items"]] == quantities
    assert off_lines(order) == lines
    assert (order["initial_amount"], order["amount"]) == (12500, amount)
    assert order["total_amount"] == amount - sum(lines)


@pytest.mark.parametrize(
    ("discount", "off", "lines"),
    [
        pytest.param(  # 10.00, 22.50 and 30.00 without it; the limit is each line's
            {"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS", "amount_limit": 1100},
            3200,
            [1000, 1100, 1100],
            id="PERCENT-amount_limit",
        ),
        pytest.param(
            {"type": "PERCENT", "percent_off": 50, "amount_limit": 600},
            600,
            [0, 0, 0],
            id="PERCENT-amount_limit-order",
        ),
        pytest.param(  # a tenth of the 12.50 without it
            {**PERCENT, "effect": "APPLY_TO_ITEMS", "aggregated_amount_limit": 125},
            125,
            [20, 45, 60],
            id="PERCENT-aggregated_amount_limit",
        ),
        pytest.param(
            {**AMOUNT, "effect": "APPLY_TO_ITEMS", "aggregated_amount_limit": 100},
            100,
            [34, 33, 33],
            id="AMOUNT-aggregated_amount_limit",
        ),
    ],
)
async def test_a_limit_cuts_what_is_taken_off(
    agent: Agent, discount: Fields, off: int, lines: list[int]
) -> None:
    order = await redeemed(agent, discount=discount)
    assert (order["total_discount_amount"], order["total_amount"]) == (off, 12500 - off)
    assert off_lines(order) == lines


@pytest.mark.parametrize(
    ("discount", "total", "lines"),
    [
        pytest.param(  # formulas speak of major units: 12.50
            {**AMOUNT, "amount_off_formula": "ORDER_AMOUNT / 10"},
            11250,
            [0, 0, 0],
            id="AMOUNT-amount_off_formula",
        ),
        pytest.param(
            {**PERCENT, "percent_off_formula": "IF(ORDER_AMOUNT > 100;20;5)"},
            10000,
            [0, 0, 0],
            id="PERCENT-percent_off_formula",
        ),
        pytest.param(
            {**FIXED, "fixed_amount_formula": "ORDER_AMOUNT - 35"},
            9000,
            [0, 0, 0],
            id="FIXED-fixed_amount_formula",
        ),
        pytest.param(  # a quarter of the 8 units of the order
            {
                "type": "UNIT",
                "unit_off_formula": "ORDER_UNITS_QUANTITY / 4",
                "unit_type": "p1",
                "effect": "ADD_NEW_ITEMS",
            },
            12500,
            [0, 3000, 0],
            id="UNIT-unit_off_formula",
        ),
    ],
)
async def test_a_formula_says_how_much(agent: Agent, discount: Fields, total: int, lines: list[int]) -> None:
    order = await redeemed(agent, discount=discount)
    assert order["total_amount"] == total
    assert off_lines(order) == lines


@pytest.mark.parametrize(
    ("effect", "lines"),
    [
        pytest.param("APPLY_TO_ORDER", [0, 0, 0], id="GIFT-APPLY_TO_ORDER"),
        pytest.param("APPLY_TO_ITEMS", [800, 1800, 2400], id="GIFT-APPLY_TO_ITEMS"),
    ],
)
async def test_a_gift_card_pays_with_all_it_holds(agent: Agent, effect: str, lines: list[int]) -> None:
    order = await redeemed(agent, gift={**GIFT, "effect": effect})
    assert order["total_amount"] == 7500
    assert off_lines(order) == lines
    assert (await agent.data("get_voucher", code="V"))["gift"]["balance"] == 0
