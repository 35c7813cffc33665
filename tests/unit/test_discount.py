from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from voucher_mcp.domain.errors import InsufficientBalance, InvalidInput
from voucher_mcp.domain.redeeming.discount import apply_discount, apply_gift, resolve_discount
from voucher_mcp.domain.redeeming.order import Order, parse_order
from voucher_mcp.domain.values.fields import MAX_NUMBER
from voucher_mcp.domain.vouchers.discount_terms import read_discount
from voucher_mcp.domain.vouchers.formula import Context

# The three lines of the documents' own comparison of effects: $20, $45 and $60.
THREE_LINES = [(2, 1000), (3, 1500), (3, 2000)]


def order_of(lines: Sequence[tuple[int, int]], **more: object) -> Order:
    """An order of (quantity, price) lines of the products p0, p1, …"""
    items = [
        {"product_id": f"p{at}", "quantity": quantity, "price": price}
        for at, (quantity, price) in enumerate(lines)
    ]
    return parse_order({"items": items, **more})


def discount(kind: str, effect: str = "APPLY_TO_ORDER", **values: object) -> Mapping[str, Any]:
    return read_discount({"type": kind, "effect": effect, **values}, "discount")


def amount_off(amount: int, effect: str = "APPLY_TO_ORDER", **values: object) -> Mapping[str, Any]:
    return discount("AMOUNT", effect, amount_off=amount, **values)


def percent_off(percent: float, effect: str = "APPLY_TO_ORDER", **values: object) -> Mapping[str, Any]:
    return discount("PERCENT", effect, percent_off=percent, **values)


def units(number: int, product: str, effect: str) -> Mapping[str, Any]:
    return discount("UNIT", effect, unit_off=number, unit_type=product)


def off_lines(order: Order) -> list[int]:
    return [item["discount_amount"] for item in order.to_json()["items"]]


# Discounts on the whole order


@pytest.mark.parametrize(
    ("terms", "amount", "off"),
    [
        (percent_off(10), 20050, 2005),
        (percent_off(10), 46500, 4650),
        (percent_off(10), 15, 2),  # 1.5 cents
        (percent_off(10), 14, 1),
        (percent_off(33.33), 10000, 3333),
        (percent_off(100), 999, 999),
        (percent_off(0), 999, 0),
        (percent_off(50, amount_limit=600), 5000, 600),
        (percent_off(50, amount_limit=600), 1000, 500),
        (percent_off(50, aggregated_amount_limit=7), 1000, 7),
        (amount_off(1000), 46500, 1000),
        (amount_off(1000), 700, 700),
        (discount("FIXED", fixed_amount=1000), 4500, 3500),
        (discount("FIXED", fixed_amount=1000), 900, 0),
        (percent_off(10), 0, 0),
    ],
)
def test_a_discount_on_the_order_takes_off_what_the_documents_say(
    terms: Mapping[str, Any], amount: int, off: int
) -> None:
    answer = apply_discount(terms, parse_order({"amount": amount})).to_json()
    assert answer["discount_amount"] == answer["applied_discount_amount"] == off
    assert answer["total_amount"] == amount - off


def test_a_percentage_is_of_what_earlier_vouchers_left() -> None:
    order = apply_discount(amount_off(100), parse_order({"amount": 200000}))
    assert apply_discount(percent_off(20), order).to_json()["applied_discount_amount"] == 39980


def test_stacked_vouchers_come_to_the_numbers_of_the_documents() -> None:
    order = order_of([(1, 2000), (1, 700)])
    order = apply_discount(amount_off(1000, "APPLY_TO_ITEMS"), order)
    assert off_lines(order) == [1000, 700]
    assert order.to_json()["items_applied_discount_amount"] == 1700

    untouched = order.nothing_applied().to_json()
    assert (untouched["total_amount"], untouched["total_applied_discount_amount"]) == (1000, 0)

    paid, used = apply_gift(100, 5000, order)
    assert paid is not None
    assert (used, paid.to_json()["total_amount"]) == (100, 900)

    order = apply_discount(percent_off(40), paid)
    answer = order.to_json()
    assert (answer["applied_discount_amount"], answer["discount_amount"]) == (360, 460)
    assert answer["items_applied_discount_amount"] == 0

    answer = apply_discount(amount_off(30), order).all_applied().to_json()
    assert answer["discount_amount"] == answer["applied_discount_amount"] == 490
    assert answer["items_discount_amount"] == answer["items_applied_discount_amount"] == 1700
    assert answer["total_discount_amount"] == answer["total_applied_discount_amount"] == 2190
    assert answer["total_amount"] == 510
    assert [item["applied_discount_amount"] for item in answer["items"]] == [1000, 700]


# Discounts on items


@pytest.mark.parametrize(
    ("terms", "off"),
    [
        (percent_off(10, "APPLY_TO_ITEMS"), [200, 450, 600]),
        (percent_off(10, "APPLY_TO_ITEMS", amount_limit=500), [200, 450, 500]),
        (amount_off(1000, "APPLY_TO_ITEMS"), [1000, 1000, 1000]),
        (amount_off(5000, "APPLY_TO_ITEMS"), [2000, 4500, 5000]),
        (amount_off(1000, "APPLY_TO_ITEMS_BY_QUANTITY"), [2000, 3000, 3000]),
        (amount_off(1000, "APPLY_TO_ITEMS_PROPORTIONALLY"), [160, 360, 480]),
        (amount_off(1000, "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"), [250, 375, 375]),
        (discount("FIXED", "APPLY_TO_ITEMS", fixed_amount=1000), [0, 1500, 3000]),
        (amount_off(1000, "APPLY_TO_ITEMS", aggregated_amount_limit=100), [34, 33, 33]),
        (percent_off(10, "APPLY_TO_ITEMS", aggregated_amount_limit=125), [20, 45, 60]),
        (amount_off(99999, "APPLY_TO_ITEMS_PROPORTIONALLY"), [2000, 4500, 6000]),
        (amount_off(11000, "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"), [2000, 4500, 4500]),
    ],
)
def test_a_discount_on_items_takes_off_each_line_what_the_documents_say(
    terms: Mapping[str, Any], off: list[int]
) -> None:
    order = apply_discount(terms, order_of(THREE_LINES))
    assert off_lines(order) == off
    assert order.to_json()["total_amount"] == 12500 - sum(off)


def test_a_fixed_price_for_every_item_comes_to_the_numbers_of_the_documents() -> None:
    order = order_of([(1, price) for price in (2900, 3100, 2900, 1700, 1500, 60000)])
    answer = apply_discount(discount("FIXED", "APPLY_TO_ITEMS", fixed_amount=800), order).to_json()
    assert [item["discount_amount"] for item in answer["items"]] == [2100, 2300, 2100, 900, 700, 59200]
    assert (answer["items_discount_amount"], answer["total_amount"]) == (67300, 4800)


def test_a_discount_on_items_never_takes_more_than_is_left_of_the_order() -> None:
    order = apply_discount(amount_off(12400), order_of(THREE_LINES))
    answer = apply_discount(percent_off(50, "APPLY_TO_ITEMS"), order).to_json()
    assert answer["items_applied_discount_amount"] == 100
    assert answer["total_amount"] == 0


def test_an_effect_on_items_asks_for_items() -> None:
    order = parse_order({"amount": 100})
    with pytest.raises(InvalidInput) as by_discount:
        apply_discount(percent_off(10, "APPLY_TO_ITEMS"), order)
    with pytest.raises(InvalidInput) as by_gift:
        apply_gift(1, 10, order, effect="APPLY_TO_ITEMS")
    assert by_discount.value.field == by_gift.value.field == "order.items"


# Free units


def test_new_items_join_the_line_of_their_product() -> None:
    answer = apply_discount(units(1, "p0", "ADD_NEW_ITEMS"), order_of([(1, 2900), (1, 100)])).to_json()
    item = answer["items"][0]
    assert (item["quantity"], item["amount"], item["discount_amount"]) == (2, 5800, 2900)
    assert (item["discount_quantity"], item["initial_quantity"], item["initial_amount"]) == (1, 1, 2900)
    assert (answer["amount"], answer["initial_amount"], answer["total_amount"]) == (5900, 3000, 3000)


def test_missing_items_are_added_and_those_that_were_there_are_free_too() -> None:
    order = order_of([(1, 1700), (1, 70400)])
    answer = apply_discount(units(23, "p0", "ADD_MISSING_ITEMS"), order).to_json()
    item = answer["items"][0]
    assert (item["quantity"], item["amount"], item["discount_amount"]) == (23, 39100, 39100)
    assert (item["discount_quantity"], item["initial_quantity"]) == (23, 1)
    assert (answer["amount"], answer["initial_amount"], answer["total_amount"]) == (109500, 72100, 70400)


def test_no_items_are_missing_where_there_are_enough() -> None:
    answer = apply_discount(units(2, "p0", "ADD_MISSING_ITEMS"), order_of([(5, 100)])).to_json()
    assert (answer["amount"], answer["items"][0]["quantity"]) == (500, 5)
    assert (answer["items"][0]["discount_amount"], answer["items"][0]["discount_quantity"]) == (200, 2)
    assert "initial_quantity" not in answer["items"][0]


def test_a_product_that_is_not_in_the_order_is_added_without_a_price() -> None:
    order = apply_discount(units(1, "prod_5h1pp1ng", "ADD_MISSING_ITEMS"), order_of([(1, 1200), (1, 3100)]))
    answer = order.to_json()
    assert (answer["amount"], answer["total_amount"]) == (4300, 4300)
    item = answer["items"][2]
    assert item["product_id"] == "prod_5h1pp1ng"
    assert (item["quantity"], item["discount_quantity"], item["initial_quantity"]) == (1, 1, 0)
    assert "price" not in item
    sku = apply_discount(units(3, "sku_1", "ADD_NEW_ITEMS"), parse_order({"amount": 10})).to_json()["items"][
        0
    ]
    assert (sku["sku_id"], sku["quantity"], sku["amount"]) == ("sku_1", 3, 0)


def test_the_same_items_are_added_only_to_an_order_that_holds_them() -> None:
    order = order_of([(1, 2900)])
    assert apply_discount(units(2, "p0", "ADD_SAME_ITEMS"), order).to_json()["items"][0]["quantity"] == 3
    assert apply_discount(units(2, "other", "ADD_SAME_ITEMS"), order).to_json() == order.to_json()


def test_many_products_come_each_with_its_own_effect() -> None:
    terms = discount(
        "UNIT",
        "ADD_MANY_ITEMS",
        units=[
            {"unit_off": 11, "unit_type": "p0", "effect": "ADD_MISSING_ITEMS"},
            {"unit_off": 22, "unit_type": "p1", "effect": "ADD_NEW_ITEMS"},
        ],
    )
    answer = apply_discount(terms, order_of([(1, 210000), (1, 1700)])).to_json()
    assert off_lines(apply_discount(terms, order_of([(1, 210000), (1, 1700)]))) == [2310000, 37400]
    assert (answer["amount"], answer["total_amount"]) == (2310000 + 39100, 1700)


def test_units_are_free_of_what_is_left_of_their_line_and_counted_once() -> None:
    order = apply_discount(amount_off(150, "APPLY_TO_ITEMS"), order_of([(2, 100), (1, 1000)]))
    order = apply_discount(units(2, "p0", "ADD_MISSING_ITEMS"), order)
    assert off_lines(order) == [200, 150]
    again = apply_discount(units(2, "p0", "ADD_MISSING_ITEMS"), order).to_json()
    assert again["total_applied_discount_amount"] == 0
    assert again["items"][0]["discount_quantity"] == 2


def test_the_price_of_a_unit_follows_from_the_amount_of_its_line() -> None:
    order = parse_order(
        {
            "items": [
                {"sku_id": "even", "quantity": 2, "amount": 5000},
                {"sku_id": "odd", "quantity": 3, "amount": 500},
            ]
        }
    )
    assert order.to_json()["items"][0]["price"] == 2500
    assert "price" not in order.to_json()["items"][1]
    assert off_lines(apply_discount(units(1, "even", "ADD_NEW_ITEMS"), order)) == [2500, 0]
    assert off_lines(apply_discount(units(1, "odd", "ADD_NEW_ITEMS"), order)) == [0, 167]


def test_units_that_no_amount_could_hold_are_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        apply_discount(units(MAX_NUMBER, "p0", "ADD_NEW_ITEMS"), order_of([(1, 2)]))
    assert caught.value.field == "order.items"


# Formulas


def test_a_formula_speaks_of_major_units_and_its_result_becomes_cents() -> None:
    terms = amount_off(200, amount_off_formula="IF(ORDER_AMOUNT > 100;25;5)")
    assert apply_discount(terms, parse_order({"amount": 10001})).to_json()["discount_amount"] == 2500
    assert apply_discount(terms, parse_order({"amount": 10000})).to_json()["discount_amount"] == 500


@pytest.mark.parametrize(
    ("customer", "resolved"),
    [
        ({"age": 25}, {"percent_off": 25, "is_dynamic": True}),
        ({"age": 250}, {"percent_off": 100, "is_dynamic": True}),
        ({"age": -3}, {"percent_off": 0, "is_dynamic": True}),
        ({}, {"percent_off": 45, "is_dynamic": False}),
    ],
)
def test_a_formula_without_a_value_falls_back_to_the_plain_field(
    customer: dict[str, object], resolved: dict[str, object]
) -> None:
    terms = percent_off(45, percent_off_formula='CUSTOMER_METADATA("age")')
    context = Context(metadata={"CUSTOMER": customer})
    answer = resolve_discount(terms, parse_order({"amount": 100}), context=context)
    assert answer == {"type": "PERCENT", "effect": "APPLY_TO_ORDER", **resolved}


def test_a_formula_sees_the_order_as_it_stands() -> None:
    order = apply_discount(amount_off(500), order_of([(3, 1000)], metadata={"extra": 2}))
    formula = 'ORDER_TOTAL_AMOUNT - ORDER_AMOUNT + ORDER_UNITS_QUANTITY * 10 + ORDER_METADATA("extra")'
    assert resolve_discount(amount_off(0, amount_off_formula=formula), order)["amount_off"] == 2700


def test_a_formula_of_units_gives_whole_units() -> None:
    unit = {"unit_off_formula": 'CUSTOMER_METADATA("age") / 10', "unit_type": "p0", "effect": "ADD_NEW_ITEMS"}
    context = Context(metadata={"CUSTOMER": {"age": 25}})
    order = order_of([(1, 100)])
    answer = apply_discount(
        discount("UNIT", "ADD_MANY_ITEMS", units=[unit]), order, context=context
    ).to_json()
    assert answer["items"][0]["discount_quantity"] == 2
    assert resolve_discount(discount("UNIT", "ADD_MANY_ITEMS", units=[unit]), order, context=context)[
        "is_dynamic"
    ]
    assert apply_discount(discount("UNIT", **unit), order).to_json() == order.to_json()


def test_without_an_order_a_formula_that_needs_one_falls_back() -> None:
    terms = percent_off(5, percent_off_formula="IF(ORDER_AMOUNT > 300;15;5)")
    assert resolve_discount(terms, None)["is_dynamic"] is False


# Gift cards


@pytest.mark.parametrize(
    ("credits", "balance", "used"),
    [(2000, 10000, 2000), (None, 10000, 6000), (None, 500, 500), (9000, 10000, 6000), (500, 500, 500)],
)
def test_a_gift_card_pays_what_is_asked_what_it_holds_and_what_is_needed(
    credits: int | None, balance: int, used: int
) -> None:
    order, taken = apply_gift(credits, balance, parse_order({"amount": 6000}))
    assert order is not None
    assert taken == used == order.to_json()["applied_discount_amount"]
    assert order.to_json()["total_amount"] == 6000 - used


def test_a_gift_card_for_items_is_spread_over_the_lines() -> None:
    order, used = apply_gift(1000, 5000, order_of(THREE_LINES), effect="APPLY_TO_ITEMS")
    assert order is not None
    assert (used, off_lines(order)) == (1000, [160, 360, 480])
    assert order.to_json()["discount_amount"] == 0

    shipping_too, used = apply_gift(None, 50000, order_of(THREE_LINES, amount=13000), effect="APPLY_TO_ITEMS")
    assert shipping_too is not None
    assert (used, shipping_too.to_json()["total_amount"]) == (12500, 500)


@pytest.mark.parametrize(("credits", "balance"), [(501, 500), (None, 0)])
def test_a_gift_card_with_too_little_on_it_is_refused_with_the_numbers(
    credits: int | None, balance: int
) -> None:
    with pytest.raises(InsufficientBalance) as caught:
        apply_gift(credits, balance, parse_order({"amount": 6000}))
    assert str(balance) in caught.value.message
    assert credits is None or str(credits) in caught.value.message


def test_a_gift_card_without_an_order_needs_to_know_the_credits() -> None:
    assert apply_gift(300, 500, None) == (None, 300)
    with pytest.raises(InvalidInput) as caught:
        apply_gift(None, 500, None)
    assert caught.value.field == "order"
