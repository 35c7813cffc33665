"""How nested queries are spelt, and which filters are sent at all."""

from typing import Any

import pytest

from voucher_mcp.backends.voucherify.mapping.filters import redeemable_filters, voucher_filters
from voucher_mcp.backends.voucherify.mapping.query import encode, window
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.queries import Window


def test_lists_are_numbered_and_objects_are_in_brackets() -> None:
    filters = {"junction": "and", "voucher_type": {"conditions": {"$in": ["A", "B"]}}}
    assert encode({"limit": 5, "ids": ["x"], "filters": filters}) == [
        ("limit", "5"),
        ("ids[0]", "x"),
        ("filters[junction]", "and"),
        ("filters[voucher_type][conditions][$in][0]", "A"),
        ("filters[voucher_type][conditions][$in][1]", "B"),
    ]


def test_what_was_not_given_is_not_sent_and_booleans_are_words() -> None:
    assert encode({"page": None, "force": True, "created_at": {"after": None}}) == [("force", "true")]


def test_a_window_is_sent_in_iso_8601() -> None:
    assert encode({"created_at": window(Window(after=1_704_067_200_000))}) == [
        ("created_at[after]", "2024-01-01T00:00:00.000Z")
    ]
    assert window(Window()) is None


def test_operators_without_a_value_are_sent_with_an_empty_one() -> None:
    asked = {"holder_id": {"conditions": {"$is_unknown": True}}}
    assert encode({"filters": voucher_filters(asked)}) == [
        ("filters[holder_id][conditions][$is_unknown]", "")
    ]


def test_dates_in_filters_are_taken_as_seconds_too() -> None:
    asked = {"created_at": {"conditions": {"$after": 1_704_067_200}}}
    assert encode({"filters": redeemable_filters(asked)}) == [
        ("filters[created_at][conditions][$after]", "2024-01-01T00:00:00.000Z")
    ]


@pytest.mark.parametrize(
    "filters",
    [
        {"voucher_typo": {"conditions": {"$in": ["A"]}}},
        {"voucher_type": {"conditions": {"$inn": ["GIFT_VOUCHER"]}}},
        {"voucher_type": {"$in": ["GIFT_VOUCHER"]}},
        {"junction": "xor"},
    ],
)
def test_filters_of_redeemables_that_no_document_has_are_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        redeemable_filters(filters)
    assert caught.value.field is not None
    assert caught.value.field.startswith("filters.")
