"""What a call is worth: never less than what a backend would make of it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.backends.local.jobs.job_input import json_rows
from voucher_mcp.backends.local.jobs.voucher_csv import CsvInput
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherColumns
from voucher_mcp.domain.vouchers.voucher import parse_import_row, parse_terms
from voucher_mcp.domain.write import Arguments, Worth
from voucher_mcp.policy import worth
from voucher_mcp.policy.worth import Measure

MOST = 2**53
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}


class Known:
    """A voucher system of one pool `P` with a template, and of vouchers by code with their types."""

    def __init__(self, template: Mapping[str, Any] | None = None, **kinds: str) -> None:
        self._template = template or {}
        self._kinds = kinds

    async def template(self, pool_id: str) -> Mapping[str, Any]:
        return self._template if pool_id == "P" else {}

    async def kind(self, code: str) -> str | None:
        return self._kinds.get(code)

    async def size(self, pool_id: str) -> int:
        return 7 if pool_id == "P" else 0

    digits = 2

    def csv(self, arguments: Arguments) -> Iterable[bytes] | None:
        return [(arguments.get("csv") or "").encode()]


async def of(measure: Measure, values: Known | None = None, **arguments: Any) -> Worth:
    return await measure(arguments, values or Known())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Worth(codes=1)),
        ({"gift": {"amount": 500}}, Worth(500, 0, 1)),
        ({"gift": {"amount": 500, "balance": 900}}, Worth(900, 0, 1)),
        ({"loyalty_card": {"points": 30}}, Worth(0, 30, 1)),
        ({"loyalty_card": {"points": 30, "balance": 50}}, Worth(0, 50, 1)),
        ({"discount": {"type": "AMOUNT", "amount_off": 500}}, Worth(codes=1)),
        ({"campaign": "P"}, Worth(500, 0, 1)),
        ({"campaign_id": "P"}, Worth(500, 0, 1)),
        ({"campaign": "P", "gift": {"amount": 0}}, Worth(500, 0, 1)),
        ({"campaign": "P", "gift": {"amount": 3}}, Worth(3, 0, 1)),
    ],
)
async def test_a_voucher_is_worth_what_it_holds(body: dict[str, Any], expected: Worth) -> None:
    assert await of(worth.of_voucher, Known(GIFT), **body) == expected


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, 0),
        ({"codes": []}, 0),
        ({"codes": ["A", {"value": "B"}, None]}, 3),
        ({"generate": {"count": 1_000}}, 1_000),
        ({"generate": {"count": 5.0}}, 5),
        ({"generate": {"count": "7"}}, 7),
        ({"generate": {}}, 0),
        ({"generate": {"count": -5}}, 0),
        ({"generate": {"count": [3]}}, 0),
        pytest.param({"generate": {"count": 10**5_000}}, MOST, id="huge"),
    ],
)
async def test_codes_are_worth_their_template_each(more: dict[str, Any], codes: int) -> None:
    expected = Worth(min(500 * codes, MOST), 0, codes)
    assert await of(worth.of_new_codes, Known(GIFT), pool_id="P", **more) == expected
    assert await of(worth.of_new_pool, name="N", voucher=GIFT, **more) == expected


async def test_codes_of_a_pool_without_value_are_worth_none() -> None:
    for values in (Known(), Known({"type": "DISCOUNT_VOUCHER", "discount": {"percent_off": 10}})):
        assert await of(worth.of_new_codes, values, pool_id="P", codes=["A"]) == Worth(codes=1)


@pytest.mark.parametrize(
    ("code", "amount", "expected"),
    [
        ("GIFT", 100, Worth(100, 0, 1)),
        ("LOYAL", 100, Worth(0, 100, 1)),
        ("OTHER", 100, Worth(100, 0, 1)),
        ("GIFT", 0, Worth(codes=1)),
        ("GIFT", -100, Worth(codes=1)),
        ("LOYAL", -100, Worth(codes=1)),
    ],
)
async def test_only_balance_that_is_added_mints(code: str, amount: int, expected: Worth) -> None:
    values = Known(GIFT="GIFT_VOUCHER", LOYAL="LOYALTY_CARD", OTHER="")
    assert await of(worth.of_balance, values, code=code, amount=amount) == expected


async def test_a_tool_on_codes_counts_them() -> None:
    codes = ["A", "B", "A"]
    assert await of(worth.of_code_ids, code_ids=codes) == Worth(codes=3)
    assert await of(worth.of_codes, codes=codes) == Worth(codes=3)
    assert await of(worth.of_redeemables, redeemables=codes) == Worth(codes=3)
    assert await of(worth.of_list_of_codes, vouchers=codes) == Worth(codes=3)
    assert await of(worth.of_one) == Worth(codes=1)
    assert await of(worth.of_nothing) == Worth()
    assert await of(worth.of_pool, pool_id="P") == Worth(codes=7)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "abc",
            "NaN",
            "sNaN",
            "-sNaN123",
            "Infinity",
            "-Infinity",
            "-1",
            "-1e999999",
            "0x10",
            "1,5",
        ),
        *(None, [], {}, math.nan, -math.inf, -7, -1.5, pytest.param(-(10**5_000), id="huge")),
    ],
)
async def test_what_is_no_value_counts_for_nothing(value: object) -> None:
    assert await of(worth.of_voucher, gift={"amount": value}) == Worth(codes=1)
    assert await of(worth.of_list, vouchers=[{"gift": {"amount": value}}, value]) == Worth(codes=2)


@pytest.mark.parametrize(
    "value",
    [
        *("9" * 30, "1e30", "1e999999", "1e1000000", "9e99999999", 1e300, 2**53),
        pytest.param("9" * 100_000, id="long"),
        pytest.param(10**5_000, id="huge"),
    ],
)
async def test_what_is_too_large_counts_as_more_than_any_limit(value: object) -> None:
    assert await of(worth.of_voucher, gift={"amount": value}) == Worth(MOST, 0, 1)
    assert await of(worth.of_list, vouchers=[{"loyalty_card": {"points": value}}] * 3) == Worth(0, MOST, 3)


@pytest.mark.parametrize("text", ["0.004", "1e-5", "1e-999999", "0.0000000000000000000000000000000001"])
async def test_a_part_of_a_unit_counts_as_a_whole_one(text: str) -> None:
    assert await of(worth.of_voucher, gift={"amount": text}) == Worth(1, 0, 1)


@given(st.integers(0, 10**14))
async def test_a_csv_is_worth_what_its_cards_will_hold(amount: int) -> None:
    row = f"X;GIFT_VOUCHER;{amount // 100},{amount % 100:02}"
    found = await of(worth.of_csv, csv=f"Code;Voucher Type;Value\n{row}\nY;GIFT_VOUCHER;1.000\n")
    assert found == Worth(amount, 0, 2)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
amounts = st.integers(0, 2**53 - 1) | st.floats() | anything
bodies = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["GIFT_VOUCHER", "LOYALTY_CARD", "DISCOUNT_VOUCHER"]) | anything,
        "gift": st.fixed_dictionaries({"amount": amounts}, optional={"balance": amounts}) | anything,
        "loyalty_card": st.fixed_dictionaries({"points": amounts}, optional={"balance": amounts}) | anything,
        "discount": anything,
    },
)


def held(terms: Mapping[str, Any]) -> tuple[int, int]:
    """What a voucher with such terms would hold."""
    return terms.get("gift", {}).get("amount", 0), terms.get("loyalty_card", {}).get("points", 0)


@given(bodies)
async def test_no_body_is_worth_less_than_the_engine_makes_of_it(body: dict[str, Any]) -> None:
    measured = await of(worth.of_voucher, **body)
    assert await of(worth.of_new_pool, name="N", voucher=body, codes=["A"]) == measured
    try:
        amount, points = held(parse_terms(body))
    except InvalidInput:
        return
    assert (measured.amount, measured.points) == (amount, points)


@given(st.lists(bodies | anything, max_size=4))
async def test_no_import_is_worth_less_than_the_engine_makes_of_it(rows: list[Any]) -> None:
    made = 0
    for row in rows:
        try:
            terms, _ = parse_import_row(row, "")
        except InvalidInput:
            continue
        made += held(terms)[0]
    measured = await of(worth.of_list, vouchers=rows)
    assert measured.codes == len(rows)
    assert measured.amount >= min(made, MOST)


cells = st.sampled_from(
    [
        *("GIFT_VOUCHER", "gift voucher", " Gift_Voucher ", "LOYALTY_CARD", "DISCOUNT_VOUCHER", "AMOUNT", ""),
        *(
            "10",
            " 10.50 ",
            "1e3",
            "1_000",
            "0",
            "-5",
            '"10"',
            '"1',
            "\u0661\u0662",
            "9" * 15,
            "9" * 16,
            "10,5",
        ),
    ]
)
headers = st.lists(
    st.sampled_from(
        ["Code", "Voucher Type", "voucher_type", "VALUE", " Value", "Discount Type", "colour", ""]
    ),
    min_size=1,
    max_size=6,
)
sheets = st.tuples(
    st.lists(st.sampled_from(["", ",,", " ", '""']), max_size=2),
    st.just(["Code", "Voucher Type", "Value"]) | headers,
    st.lists(st.lists(cells, min_size=1, max_size=6), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@given(sheets)
async def test_no_csv_is_worth_less_than_the_engine_makes_of_it(sheet: Any) -> None:
    empty, header, rows, end = sheet
    text = end.join([*empty, ",".join(header), *(",".join(row) for row in rows)])
    made = engine_makes(text)
    try:
        measured = await of(worth.of_csv, csv=text)
    except InvalidInput:
        return  # what cannot be measured is refused
    assert measured.amount >= made


def engine_makes(text: str) -> int:
    """What the gift cards of a CSV would hold in all, by the engine's own reading."""
    source = CsvInput([text.encode()], "csv", Place())
    made = 0
    try:
        for chunk in source.chunks():
            columns = VoucherColumns(source.header, Place())
            for _, (_, row) in json_rows(chunk):
                if columns.code < len(row):
                    row.pop(columns.code)
                try:
                    terms, _ = parse_import_row(columns.body(row, set()), "")
                except (ValueError, InvalidInput):
                    continue
                made += held(terms)[0]
    except InvalidInput:
        return 0
    return made


async def test_a_csv_that_cannot_be_read_cannot_pass_a_limit() -> None:
    for text in ("", ",,\n", "Code,Voucher Type,Value\n1.2E+12,GIFT_VOUCHER,1\n"):
        with pytest.raises(InvalidInput, match="limits"):
            await of(worth.of_csv, csv=text)


async def test_an_empty_csv_is_worth_nothing() -> None:
    assert await of(worth.of_csv, csv="Code,Voucher Type,Value\n") == Worth()
