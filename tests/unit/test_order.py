import pytest

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.redeeming.discount import apply_discount
from voucher_mcp.domain.redeeming.order import MAX_LINES, parse_order
from voucher_mcp.domain.values.fields import MAX_NUMBER


def refused_field(value: object) -> str | None:
    with pytest.raises(InvalidInput) as caught:
        parse_order(value)
    assert caught.value.field is not None
    assert f"`{caught.value.field}`" in caught.value.message or "no field" in caught.value.message
    return caught.value.field


def test_amounts_that_are_not_given_follow_from_prices_and_quantities() -> None:
    order = parse_order({"items": [{"source_id": "a", "quantity": 2, "price": 20000}, {"price": 15000}]})
    answer = order.to_json()
    assert answer["amount"] == answer["total_amount"] == 55000
    assert [item["amount"] for item in answer["items"]] == [40000, 15000]
    assert answer["items"][0]["source_id"] == "a"


def test_given_amounts_stand_even_if_they_differ_as_in_the_documents() -> None:
    order = parse_order(
        {
            "amount": 6000,
            "items": [
                {"product_id": "p0", "quantity": 1, "price": 3000, "amount": 3300},
                {"product_id": "p1", "quantity": 2, "price": 3000, "amount": 3400},
            ],
        }
    )
    assert order.to_json()["amount"] == 6000
    shared = apply_discount(
        {"type": "AMOUNT", "amount_off": 300, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"}, order
    ).to_json()
    assert [item["discount_amount"] for item in shared["items"]] == [148, 152]
    assert [item["subtotal_amount"] for item in shared["items"]] == [3152, 3248]
    assert (shared["items_discount_amount"], shared["total_amount"]) == (300, 5700)


def test_every_total_is_answered_and_what_is_unknown_is_left_out() -> None:
    order = parse_order({"amount": 900, "items": [{"sku_id": "s"}], "metadata": {"a": 1}, "source_id": "o-1"})
    assert order.to_json() == {
        "object": "order",
        "source_id": "o-1",
        "metadata": {"a": 1},
        "amount": 900,
        "initial_amount": 900,
        "discount_amount": 0,
        "items_discount_amount": 0,
        "total_discount_amount": 0,
        "total_amount": 900,
        "applied_discount_amount": 0,
        "items_applied_discount_amount": 0,
        "total_applied_discount_amount": 0,
        "items": [
            {
                "object": "order_item",
                "sku_id": "s",
                "quantity": 1,
                "amount": 0,
                "discount_amount": 0,
                "applied_discount_amount": 0,
                "subtotal_amount": 0,
            }
        ],
    }


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("100", "order"),
        ({}, "order.amount"),
        ({"metadata": {}}, "order.amount"),
        ({"items": [{"quantity": 1}]}, "order.amount"),
        ({"amount": -1}, "order.amount"),
        ({"amount": 10.5}, "order.amount"),
        ({"amount": True}, "order.amount"),
        ({"amount": MAX_NUMBER + 1}, "order.amount"),
        ({"items": {}}, "order.items"),
        ({"items": [{"price": 1}] * (MAX_LINES + 1)}, "order.items"),
        ({"items": [5]}, "order.items.0"),
        ({"items": [{"price": 1}, {"price": "1"}]}, "order.items.1.price"),
        ({"items": [{"price": 1, "quantity": 0}]}, "order.items.0.quantity"),
        ({"items": [{"price": MAX_NUMBER, "quantity": 2}]}, "order.items.0.amount"),
        ({"items": [{"price": MAX_NUMBER}, {"price": 1}]}, "order.amount"),
        ({"items": [{"price": 1, "related_object": "shop"}]}, "order.items.0.related_object"),
        ({"amount": 1, "itens": []}, "order.itens"),
    ],
)
def test_an_order_that_is_wrong_is_refused_with_the_path_of_the_fault(value: object, field: str) -> None:
    assert refused_field(value) == field


def test_an_answered_order_can_be_sent_back_and_gives_the_same_again() -> None:
    terms = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"}
    order = parse_order({"items": [{"sku_id": "s1", "quantity": 2, "price": 1000}, {"price": 705}]})
    first = apply_discount(terms, order)
    again = apply_discount(terms, parse_order(first.to_json()))
    assert again.to_json() == first.to_json()


def test_an_answered_order_with_added_units_is_refused_so_that_they_are_not_added_twice() -> None:
    terms = {"type": "UNIT", "unit_off": 1, "unit_type": "p0", "effect": "ADD_NEW_ITEMS"}
    grown = apply_discount(terms, parse_order({"items": [{"product_id": "p0", "price": 2900}]}))
    assert refused_field(grown.to_json()) in (
        "order.items.0.discount_quantity",
        "order.items.0.initial_quantity",
    )
