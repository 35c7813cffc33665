"""What holds for every discount on every order."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.domain.redeeming.discount import apply_discount, apply_gift, share
from voucher_mcp.domain.redeeming.order import Order, parse_order
from voucher_mcp.domain.values.fields import MAX_NUMBER

AMOUNTS = st.integers(0, 100_000) | st.integers(0, MAX_NUMBER // 1000)
ITEMS = st.fixed_dictionaries(
    {"product_id": st.sampled_from(["p0", "p1", "p2"]), "quantity": st.integers(1, 9), "price": AMOUNTS},
    optional={"amount": AMOUNTS},
)
ORDERS = st.fixed_dictionaries(
    {"items": st.lists(ITEMS, min_size=1, max_size=8)}, optional={"amount": AMOUNTS}
).map(parse_order)
LIMITS: Mapping[str, st.SearchStrategy[int]] = {"aggregated_amount_limit": AMOUNTS}
PARTS = ["APPLY_TO_ITEMS_PROPORTIONALLY", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"]
WHERE = st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"])
TERMS = st.one_of(
    st.fixed_dictionaries({"amount_off": AMOUNTS, "effect": WHERE}, optional=LIMITS).map(
        lambda terms: {"type": "AMOUNT", **terms}
    ),
    st.fixed_dictionaries(
        {"amount_off": AMOUNTS, "effect": st.sampled_from([*PARTS, "APPLY_TO_ITEMS_BY_QUANTITY"])}
    ).map(lambda terms: {"type": "AMOUNT", **terms}),
    st.fixed_dictionaries(
        {"percent_off": st.integers(0, 100) | st.sampled_from([0.01, 12.5, 33.33, 99.99]), "effect": WHERE},
        optional={**LIMITS, "amount_limit": AMOUNTS},
    ).map(lambda terms: {"type": "PERCENT", **terms}),
    st.fixed_dictionaries({"fixed_amount": AMOUNTS, "effect": WHERE}).map(
        lambda terms: {"type": "FIXED", **terms}
    ),
    st.fixed_dictionaries(
        {
            "unit_off": st.integers(0, 20),
            "unit_type": st.sampled_from(["p0", "p1", "new"]),
            "effect": st.sampled_from(["ADD_NEW_ITEMS", "ADD_MISSING_ITEMS", "ADD_SAME_ITEMS"]),
        }
    ).map(lambda terms: {"type": "UNIT", **terms}),
)
GIFTS = st.tuples(st.none() | st.integers(1, 10_000), st.integers(10_000, 10**9), WHERE)


def assert_it_adds_up(before: Order, after: Order) -> None:
    earlier, answer = before.to_json(), after.to_json()
    for item in answer["items"]:
        assert 0 <= item["applied_discount_amount"] <= item["discount_amount"] <= item["amount"]
        assert item["subtotal_amount"] == item["amount"] - item["discount_amount"]
        assert item["quantity"] >= item.get("discount_quantity", 0)
    numbers = [value for part in (answer, *answer["items"]) for key, value in part.items() if "amount" in key]
    assert all(type(number) is int for number in numbers)
    assert answer["items_discount_amount"] == sum(item["discount_amount"] for item in answer["items"])
    assert answer["total_discount_amount"] == answer["discount_amount"] + answer["items_discount_amount"]
    assert answer["total_amount"] == answer["amount"] - answer["total_discount_amount"] >= 0
    applied = answer["total_applied_discount_amount"]
    assert applied == answer["total_discount_amount"] - earlier["total_discount_amount"] >= 0
    assert answer["initial_amount"] == earlier["initial_amount"] <= answer["amount"]


@given(ORDERS, st.lists(TERMS | GIFTS, min_size=1, max_size=4))
def test_stacked_vouchers_add_up_and_never_take_more_than_there_is(
    order: Order, vouchers: list[Mapping[str, Any] | tuple[int | None, int, str]]
) -> None:
    for voucher in vouchers:
        before = order
        if isinstance(voucher, tuple):
            credits, balance, effect = voucher
            paid, used = apply_gift(credits, balance, order, effect=effect)
            assert paid is not None
            order = paid
            assert used == order.to_json()["total_applied_discount_amount"] <= balance
        else:
            order = apply_discount(voucher, order)
        assert_it_adds_up(before, order)
    whole = order.all_applied().to_json()
    assert whole["total_applied_discount_amount"] == whole["total_discount_amount"]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5000)), min_size=1, max_size=9), AMOUNTS)
@pytest.mark.parametrize("effect", PARTS)
def test_an_amount_that_is_shared_out_adds_up_to_the_whole(
    effect: str, lines: list[tuple[int, int]], amount: int
) -> None:
    order = parse_order({"items": [{"quantity": quantity, "price": price} for quantity, price in lines]})
    terms = {"type": "AMOUNT", "amount_off": amount, "effect": effect}
    assert apply_discount(terms, order).items_discount_amount == min(amount, order.amount)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_each_share_is_less_than_a_cent_from_its_proportion(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    parts = share(total, weights, [total] * len(weights))
    assert sum(parts) == (total if whole else 0)
    assert all(
        abs(part - Fraction(total * weight, whole or 1)) < 1
        for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize(
    ("total", "weights", "rooms", "parts"),
    [
        (3, [1, 1], [1, 9], [1, 2]),
        (10, [1, 1, 1], [1, 2, 9], [1, 2, 7]),
        (10, [1, 1], [2, 3], [2, 3]),
        (10, [1, 0], [4, 9], [4, 0]),
        (1, [1, 1], [1, 1], [1, 0]),
        (0, [1, 1], [1, 1], [0, 0]),
    ],
)
def test_what_finds_no_room_in_one_part_goes_to_the_others(
    total: int, weights: list[int], rooms: list[int], parts: list[int]
) -> None:
    assert share(total, weights, rooms) == parts


@given(AMOUNTS, st.integers(0, 10_000))
def test_a_percentage_is_rounded_half_up(amount: int, hundredths: int) -> None:
    order = apply_discount(
        {"type": "PERCENT", "percent_off": hundredths / 100}, parse_order({"amount": amount})
    )
    exact = Fraction(amount * hundredths, 10_000)
    assert -Fraction(1, 2) < order.to_json()["discount_amount"] - exact <= Fraction(1, 2)
