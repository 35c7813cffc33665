import json
import math
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.support import TEN_PERCENT
from voucher_mcp.domain.errors import InvalidInput, Unsupported
from voucher_mcp.domain.values.fields import MAX_NUMBER
from voucher_mcp.domain.vouchers.voucher import (
    VoucherTerms,
    apply_update,
    merge_metadata,
    parse_import_row,
    parse_terms,
    parse_update,
    public_terms,
    redeemed_before,
)

PERCENT = {"type": "PERCENT", "percent_off": 30}
ROW = {"type": "DISCOUNT_VOUCHER", "start_date": "2020-12-10T23:00:00Z", "redemption": {"quantity": 1}}
CREATED = {
    "category": "New Customers",
    "type": "DISCOUNT_VOUCHER",
    "discount": {"percent_off": 10, "type": "PERCENT", "effect": "APPLY_TO_ORDER"},
    "start_date": "2022-01-01T00:00:00Z",
    "expiration_date": "2022-12-31T23:59:59Z",
    "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    "validity_day_of_week": [1, 2, 3, 4, 5],
    "active": False,
    "additional_info": "inactive at first",
    "redemption": {"quantity": 10},
    "metadata": {"test": True, "locale": "de-en"},
}
UPDATE = {
    "category": "Second",
    "type": "DISCOUNT_VOUCHER",
    "discount": {
        "type": "PERCENT",
        "percent_off": 45,
        "percent_off_formula": 'IF(ORDER_AMOUNT > 100;CUSTOMER_METADATA("age");CUSTOMER_METADATA("age") / 2)',
        "amount_limit": 1800,
        "effect": "APPLY_TO_ORDER",
    },
    "start_date": "2020-02-01T00:00:00Z",
    "expiration_date": "2023-12-31T23:59:59Z",
    "validity_timeframe": {"duration": "PT2H", "interval": "P3D"},
    "validity_day_of_week": [0, 1, 2],
    "active": False,
    "metadata": {"Season": "Winter"},
}
UNITS = [
    {"unit_off": 1, "unit_type": "prod_1", "effect": "ADD_MISSING_ITEMS"},
    {"unit_off": 1, "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"},
]
# The discounts of the import that the vendor's documents print.
IMPORTED: list[dict[str, object]] = [
    {"amount_off": 3000, "type": "AMOUNT"},
    {"percent_off": 30, "type": "PERCENT"},
    {"percent_off": 30, "type": "PERCENT", "effect": "APPLY_TO_ITEMS"},
    {"amount_off": 30, "type": "AMOUNT", "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
    {"fixed_amount": 30, "type": "FIXED", "effect": "APPLY_TO_ORDER"},
    {"unit_off": 1, "unit_type": "prod_1", "type": "UNIT", "effect": "ADD_MISSING_ITEMS"},
    {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": UNITS},
    {"type": "UNIT", "unit_off": 1, "unit_type": "prod_5h1pp1ng", "effect": "ADD_MISSING_ITEMS"},
]


def refusal(body: object, **options: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_terms(body, **options)
    return caught.value


def refusal_of_discount(**discount: object) -> InvalidInput:
    return refusal({"discount": discount})


def refused_update(body: object, current: VoucherTerms | None = None) -> InvalidInput:
    current = current or parse_terms(TEN_PERCENT)
    with pytest.raises(InvalidInput) as caught:
        apply_update(current, parse_update(body, current))
    return caught.value


def gift_card() -> VoucherTerms:
    return {"type": "GIFT_VOUCHER", "gift": {"amount": 500, "effect": "APPLY_TO_ORDER"}}


def test_a_body_as_the_documents_print_it_is_accepted_and_shown_again() -> None:
    shown = public_terms(parse_terms(CREATED))
    dates = {"start_date": "2022-01-01T00:00:00.000Z", "expiration_date": "2022-12-31T23:59:59.000Z"}
    assert shown == {**CREATED, **dates}


def test_dates_are_kept_as_milliseconds() -> None:
    assert parse_terms({"discount": PERCENT, "start_date": 1e9 + 1.5})["start_date"] == 1_000_000_001_500


@pytest.mark.parametrize("discount", IMPORTED)
def test_every_discount_of_an_import_is_accepted(discount: dict[str, object]) -> None:
    terms, skipped = parse_import_row({**ROW, "discount": discount}, "vouchers.0")
    assert terms["discount"] == {"effect": "APPLY_TO_ORDER", **discount}
    assert skipped == []


def test_a_discount_of_many_units_needs_no_effect() -> None:
    terms = parse_terms({"discount": {"type": "UNIT", "units": UNITS}})
    assert terms["discount"] == {"type": "UNIT", "units": UNITS, "effect": "ADD_MANY_ITEMS"}


def test_an_import_passes_over_what_the_documents_skip_and_names_it() -> None:
    extras = {
        "validation_rules": ["val_1"],
        "discont": 1,
        "redemption": {"quantity": 2, "redeemed_quantity": 1},
    }
    body = {"discount": PERCENT, **extras}
    terms, skipped = parse_import_row(body, "vouchers.3")
    assert redeemed_before(body, terms) == 1  # which is taken over
    assert terms["redemption"] == {"quantity": 2}
    assert skipped == ["vouchers.3.validation_rules", "vouchers.3.discont"]


def test_a_wrong_value_fails_an_import_row() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_import_row({**ROW, "discount": {**PERCENT, "percent_off": 101}}, "vouchers.3")
    assert caught.value.field == "vouchers.3.discount.percent_off"


def test_a_loyalty_card_cannot_be_imported() -> None:
    with pytest.raises(InvalidInput, match="belongs to a pool") as caught:
        parse_import_row({"loyalty_card": {"points": 5}}, "vouchers.0")
    assert caught.value.field == "vouchers.0.type"


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ({"discount": PERCENT}, "DISCOUNT_VOUCHER"),
        ({"gift": {"amount": 5}}, "GIFT_VOUCHER"),
        ({"loyalty_card": {"points": 5}}, "LOYALTY_CARD"),
    ],
)
def test_the_type_is_found_from_the_value(value: dict[str, object], type_: str) -> None:
    assert parse_terms(value)["type"] == type_


def test_a_body_that_leaves_the_type_open_is_refused() -> None:
    assert refusal({}).field == "type"
    assert refusal({"gift": {"amount": 5}, "discount": PERCENT}, path="voucher").field == "voucher.type"


def test_a_voucher_of_a_pool_may_leave_type_and_value_to_it() -> None:
    assert parse_terms({"category": "x", "gift": None}, require_type=False) == {"category": "x"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "DISCOUNT_VOUCHER", "gift": {"amount": 1}}, "gift"),
        ({"type": "GIFT_VOUCHER", "gift": {"amount": 1}, "discount": PERCENT}, "discount"),
        ({"type": "LOYALTY_CARD"}, "loyalty_card"),
        ({"type": "COUPON", "discount": PERCENT}, "type"),
        ({"gift": {"amount": -1}}, "gift.amount"),
        ({"gift": {"amount": 1, "balance": 2}}, "gift.balance"),
        ({"gift": {"amount": 1, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"}}, "gift.effect"),
        ({"gift": {}}, "gift.amount"),
        ({"loyalty_card": {"points": True}}, "loyalty_card.points"),
        ({"discount": PERCENT, "redemption": {"quantity": 0}}, "redemption.quantity"),
        ({"discount": PERCENT, "redemption": {"redeemed_quantity": 1}}, "redemption.redeemed_quantity"),
        ({"discount": PERCENT, "redemption": 5}, "redemption"),
        ({"discount": PERCENT, "active": 1}, "active"),
        ({"discount": PERCENT, "category": "x" * 256}, "category"),
        ({"discount": PERCENT, "category": "a\nb"}, "category"),
        ({"discount": PERCENT, "additional_info": "a\x00b"}, "additional_info"),
        ({"discount": PERCENT, "start_date": "soon"}, "start_date"),
        ({"discount": PERCENT, "start_date": 2e9, "expiration_date": 2e9}, "expiration_date"),
        ({"discount": PERCENT, "metadata": []}, "metadata"),
        ({"discount": PERCENT, "metadata": {"x" * 101: 1}}, "metadata"),
        ({"discount": PERCENT, "metadata": {"": 1}}, "metadata"),
        ({"discount": PERCENT, "metadata": dict.fromkeys(map(str, range(101)))}, "metadata"),
        ({"discount": PERCENT, "metadata": {"a": "é" * 2_500}}, "metadata"),
        ({"discount": PERCENT, "metadata": {"a": math.nan}}, "metadata"),
        ({"discount": PERCENT, "metadata": {"a": ["x\x00"]}}, "metadata"),
        ({"discount": PERCENT, "metadata": {"a": "\ud800"}}, "metadata"),
        ({"discount": "10 %"}, "discount"),
    ],
)
def test_a_wrong_field_is_refused_by_its_path(body: dict[str, object], field: str) -> None:
    assert refusal(body).field == field
    assert refusal(body, path="voucher").field == f"voucher.{field}"


@pytest.mark.parametrize(
    ("discount", "part"),
    [
        ({}, "type"),
        ({"type": ["AMOUNT"]}, "type"),
        ({"type": "AMOUNT"}, "amount_off"),
        ({"type": "AMOUNT", "amount_off": 10.5}, "amount_off"),
        ({"type": "AMOUNT", "amount_off": MAX_NUMBER + 1}, "amount_off"),
        ({"type": "AMOUNT", "amount_off": "10"}, "amount_off"),
        ({"type": "AMOUNT", "amount_off": 1, "aggregated_amount_limit": -1}, "aggregated_amount_limit"),
        ({"type": "AMOUNT", "amount_off": 1, "percent_off": 1}, "percent_off"),
        ({"type": "AMOUNT", "amount_off": 1, "amount_off_formula": "IF("}, "amount_off_formula"),
        ({"type": "AMOUNT", "amount_off": 1, "amount_off_formula": 5}, "amount_off_formula"),
        ({"type": "PERCENT", "percent_off": 12.345}, "percent_off"),
        ({"type": "PERCENT", "percent_off": math.nan}, "percent_off"),
        ({"type": "PERCENT", "percent_off": True}, "percent_off"),
        ({"type": "PERCENT", "percent_off": 1, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"}, "effect"),
        ({"type": "FIXED", "fixed_amount": 1, "amount_limit": 1}, "amount_limit"),
        ({"type": "UNIT", "unit_off": 1, "unit_type": "prod_1"}, "effect"),
        ({"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS"}, "unit_type"),
        ({"type": "UNIT", "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"}, "unit_off"),
        ({"type": "UNIT", "units": UNITS, "effect": "ADD_NEW_ITEMS"}, "units"),
        ({"type": "UNIT", "effect": "ADD_MANY_ITEMS"}, "units"),
        ({"type": "UNIT", "units": UNITS, "unit_off": 1}, "unit_off"),
        ({"type": "UNIT", "units": []}, "units"),
        ({"type": "UNIT", "units": [UNITS[0], {**UNITS[1], "effect": "ADD_SAME_ITEMS"}]}, "units.1.effect"),
        ({"type": "UNIT", "units": [{"unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"}]}, "units.0.unit_off"),
    ],
)
def test_a_wrong_part_of_a_discount_is_refused_by_its_path(discount: dict[str, object], part: str) -> None:
    assert refusal_of_discount(**discount).field == f"discount.{part}"


def test_an_unknown_field_names_the_nearest_one() -> None:
    assert "Did you mean `expiration_date`?" in str(refusal({"expiration": 5}))
    assert "Did you mean `percent_off`?" in str(refusal_of_discount(**PERCENT, percent_of=1))


def test_a_strange_key_reads_as_data_in_the_message() -> None:
    error = refusal({"discount": PERCENT, 'a"\n' + "x" * 500: 1})
    assert error.field is not None
    assert error.field.isprintable()
    assert len(str(error)) < 500


def test_validation_rules_are_unsupported_unless_there_are_none() -> None:
    with pytest.raises(Unsupported) as caught:
        parse_terms({"discount": PERCENT, "validation_rules": ["val_1"]}, path="voucher")
    assert caught.value.field == "voucher.validation_rules"
    assert "validation_rules" not in parse_terms({"discount": PERCENT, "validation_rules": []})


def test_whole_numbers_may_come_as_floats() -> None:
    terms = parse_terms(
        {"discount": {"type": "AMOUNT", "amount_off": 1000.0}, "redemption": {"quantity": 3.0}}
    )
    assert json.dumps([terms["discount"]["amount_off"], terms["redemption"]["quantity"]]) == "[1000, 3]"


@pytest.mark.parametrize("percent", [0, 33.33, 12.5, 100, 0.01, 19.99])
def test_a_percentage_may_have_two_decimals(percent: float) -> None:
    assert (
        parse_terms({"discount": {"type": "PERCENT", "percent_off": percent}})["discount"]["percent_off"]
        == percent
    )


def test_no_quantity_is_without_a_limit() -> None:
    assert parse_terms({"discount": PERCENT, "redemption": {"quantity": None}})["redemption"] == {
        "quantity": None
    }


def test_what_an_answer_says_besides_may_be_sent_back() -> None:
    assert parse_terms({"gift": {"amount": 500, "balance": 500}})["gift"] == gift_card()["gift"]
    assert "is_dynamic" not in parse_terms({"discount": {**PERCENT, "is_dynamic": False}})["discount"]


def test_a_backslash_in_metadata_is_no_nul_character() -> None:
    assert parse_terms({"discount": PERCENT, "metadata": {"a": r"\u0000"}})["metadata"] == {"a": r"\u0000"}


def test_line_breaks_and_emoji_belong_in_additional_info() -> None:
    text = "Müller\r\n\t👨‍👩‍👧\u00a0x"
    assert parse_terms({"discount": PERCENT, "additional_info": text})["additional_info"] == text


def test_the_default_is_a_single_use_discount_that_a_caller_may_change() -> None:
    parse_terms(TEN_PERCENT)["discount"]["percent_off"] = 99
    assert parse_terms(parse_terms(TEN_PERCENT)) == parse_terms(TEN_PERCENT)


def test_an_update_as_the_documents_print_it_is_applied() -> None:
    current = parse_terms(CREATED)
    updated = apply_update(current, parse_update(UPDATE, current))
    assert updated == parse_terms(
        {**UPDATE, "additional_info": "inactive at first", "redemption": {"quantity": 10}}
        | {"metadata": {"test": True, "locale": "de-en", "Season": "Winter"}}
    )
    assert current == parse_terms(CREATED)


def test_an_update_holds_only_the_changes_and_null_clears() -> None:
    changes = parse_update(
        {"start_date": None, "category": "", "active": True, "gift": None}, parse_terms(TEN_PERCENT)
    )
    assert changes == {"start_date": None, "active": True}
    assert "start_date" not in apply_update({**parse_terms(TEN_PERCENT), "start_date": 5}, changes)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gift": {"amount": 1}}, "gift"),
        ({"loyalty_card": {"points": 1}}, "loyalty_card"),
        ({"redemption": {"quantity": 5}}, "redemption"),
        ({"code": "X"}, "code"),
        ({"campaign": "X"}, "campaign"),
        ({"type": "GIFT_VOUCHER"}, "type"),
        ({"discount": {"type": "AMOUNT", "amount_off": 5}}, "discount.type"),
        ({"discount": {"percent_off": 5}}, "discount.type"),
        ({"discount": None}, "discount"),
        ({"active": None}, "active"),
        ({"holder_id": "cust_1"}, "holder_id"),
        ({"start_date": 2e9}, "start_date"),
        ({"start_date": 2e9, "expiration_date": 1.9e9}, "expiration_date"),
        ({"validity_timeframe": {"duration": "PT1H", "interval": "P1D"}}, "start_date"),
    ],
)
def test_what_an_update_cannot_change_is_refused_by_its_path(body: dict[str, object], field: str) -> None:
    assert refused_update(body, {**parse_terms(TEN_PERCENT), "expiration_date": 50_000}).field == field


def test_a_gift_card_has_no_discount_to_update() -> None:
    assert refused_update({"discount": PERCENT}, gift_card()).field == "discount"


def test_a_start_that_a_time_frame_counts_from_cannot_be_cleared() -> None:
    assert refused_update({"start_date": None}, parse_terms(CREATED)).field == "start_date"


def test_metadata_is_merged_and_null_removes_a_key() -> None:
    current: VoucherTerms = {**parse_terms(TEN_PERCENT), "metadata": {"a": 1, "b": {"deep": 1}, "c": 3}}
    updated = apply_update(current, parse_update({"metadata": {"a": None, "b": {"other": 2}}}, current))
    assert updated["metadata"] == {"b": {"other": 2}, "c": 3}
    assert "metadata" not in apply_update(current, parse_update({"metadata": None}, current))


def test_metadata_cannot_grow_too_large_by_merging() -> None:
    with pytest.raises(InvalidInput, match="5000 are allowed"):
        merge_metadata({"a": "x" * 3_000}, {"b": "x" * 3_000})


noise = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
days = st.lists(st.sampled_from(range(7)), min_size=1, unique=True)
hours = [{"start_time": f"{at:02}:00", "expiration_time": f"{at + 1:02}:30"} for at in range(8, 16)]
bodies = st.fixed_dictionaries(
    {"discount": st.sampled_from(IMPORTED)},
    optional={
        "redemption": st.fixed_dictionaries({"quantity": st.none() | st.integers(1, 3)}),
        "start_date": st.datetimes().map(lambda moment: moment.isoformat()) | st.integers(0, 10**9),
        "expiration_date": st.integers(10**9 + 1, 10**10),
        "validity_timeframe": st.just({"duration": "PT1H30M", "interval": "P1M2W"}),
        "validity_day_of_week": days,
        "validity_hours": st.lists(st.sampled_from(hours), max_size=2).map(lambda daily: {"daily": daily}),
        "active": st.booleans(),
        "category": st.text(max_size=300),
        "metadata": st.dictionaries(st.text(max_size=3), noise, max_size=3),
    },
)
fields = st.sampled_from([*CREATED, "gift", "validity_hours", "validation_rules", "other"])
requests = st.builds(
    lambda body, noisy: {**body, **noisy}, bodies, st.dictionaries(fields, noise, max_size=1)
)


@given(requests)
def test_any_body_is_refused_by_a_path_or_can_be_stored_and_read_again(body: object) -> None:
    try:
        terms, _ = parse_import_row(body, "vouchers.0")
    except InvalidInput as error:
        event(f"refused: {error.field}")
        return
    stored = json.loads(json.dumps(terms, allow_nan=False))
    assert stored == terms
    assert parse_terms(public_terms(stored)) == terms


@given(requests, st.sampled_from([parse_terms(TEN_PERCENT), gift_card(), parse_terms(CREATED)]))
def test_any_update_is_refused_or_applied_for_good(body: object, current: VoucherTerms) -> None:
    try:
        changes = parse_update(body, current)
        updated = apply_update(current, changes)
    except (InvalidInput, Unsupported) as error:
        event(f"refused: {error.field}")
        return
    assert parse_terms(public_terms(updated)) == updated
    assert apply_update(updated, changes) == updated
