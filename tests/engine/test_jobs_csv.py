"""CSV as the import takes it: headers, dates, amounts, and files that cannot be read."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.conftest import Agent
from tests.engine.job_support import HEADER, finished, imported, reason_of, voucher_of
from voucher_mcp.backends.local.jobs.job_input import json_rows
from voucher_mcp.backends.local.jobs.voucher_csv import CsvInput
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherColumns

SEED = (
    "Code,Voucher Type,Value,Discount Type,Category,Start Date,Expiration Date,Redemption Limit,"
    "Redeemed Quantity,Redeemed Amount,Active,Additional Info,Custom Metadata Property Name"
)


async def test_every_column_of_the_document_is_read(agent: Agent) -> None:
    row = "A,DISCOUNT_VOUCHER,10.50,AMOUNT,new,2026-01-01,2027-01-01,3,0,,FALSE,call us,blue"
    voucher = await voucher_of(agent, SEED, row)
    assert voucher["discount"] == {"type": "AMOUNT", "amount_off": 1050, "effect": "APPLY_TO_ORDER"}
    assert (voucher["category"], voucher["additional_info"]) == ("new", "call us")
    assert voucher["start_date"] == "2026-01-01T00:00:00.000Z"
    assert voucher["redemption"] == {"quantity": 3, "redeemed_quantity": 0}
    assert voucher["active"] is False
    assert voucher["metadata"] == {"Custom Metadata Property Name": "blue"}


@pytest.mark.parametrize(
    "header", [SEED.upper(), SEED.lower(), SEED.replace(" ", "_"), SEED.replace(",", " , ")]
)
async def test_headers_come_in_any_case(agent: Agent, header: str) -> None:
    voucher = await voucher_of(agent, header, "A,gift voucher,7,,c,,,,,,yes,info,m")
    assert voucher["gift"]["amount"] == 700
    assert list(voucher["metadata"].values()) == ["m"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-03-11", "2020-03-11T00:00:00.000Z"),
        ("2020-03-11T09", "2020-03-11T09:00:00.000Z"),
        ("2020-03-11T09:30", "2020-03-11T09:30:00.000Z"),
        ("2020-03-11T09:30:15", "2020-03-11T09:30:15.000Z"),
        ("2020-03-11T09:30:15Z", "2020-03-11T09:30:15.000Z"),
        ("2020-03-11T09:30:15+02:00", "2020-03-11T07:30:15.000Z"),
        ("2020-03-11T09:30:15.250Z", "2020-03-11T09:30:15.250Z"),
    ],
)
async def test_every_form_of_date_of_the_document_is_read(agent: Agent, text: str, moment: str) -> None:
    voucher = await voucher_of(agent, HEADER, f"A,GIFT_VOUCHER,1,,{text},,,")
    assert voucher["start_date"] == moment


@pytest.mark.parametrize(
    ("kind", "value", "worth"),
    [
        ("AMOUNT", "10", ("amount_off", 1000)),
        ("AMOUNT", "10.5", ("amount_off", 1050)),
        ("AMOUNT", "0.29", ("amount_off", 29)),
        ("AMOUNT", "90071992547409.91", ("amount_off", 2**53 - 1)),
        ("FIXED", "19.99", ("fixed_amount", 1999)),
        ("PERCENT", "12.5", ("percent_off", 12.5)),
        ("PERCENT", "10", ("percent_off", 10)),
    ],
)
async def test_amounts_are_major_units_and_percentages_are_as_they_are(
    agent: Agent, kind: str, value: str, worth: tuple[str, float]
) -> None:
    voucher = await voucher_of(agent, HEADER, f"A,DISCOUNT_VOUCHER,{value},{kind},,,,")
    assert voucher["discount"][worth[0]] == worth[1]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("A,DISCOUNT_VOUCHER,10.505,AMOUNT,,,,", "two decimals"),
        ("A,DISCOUNT_VOUCHER,-1,AMOUNT,,,,", "Value"),
        ("A,DISCOUNT_VOUCHER,1e3,AMOUNT,,,,", "Value"),
        ("A,DISCOUNT_VOUCHER,$10,AMOUNT,,,,", "Value"),
        ("A,DISCOUNT_VOUCHER,,AMOUNT,,,,", "Value"),
        ("A,DISCOUNT_VOUCHER,101,PERCENT,,,,", "percent_off"),
        ("A,DISCOUNT_VOUCHER,10,SOMETHING,,,,", "Discount Type"),
        ("A,DISCOUNT_VOUCHER,10,UNIT,,,,", "import_vouchers"),
        ("A,LOYALTY_CARD,10,,,,,", "Voucher Type"),
        ("A,,10,,,,,", "Voucher Type"),
        ("A,GIFT_VOUCHER,1,,11/03/2020,,,", "start_date"),
        ("A,GIFT_VOUCHER,1,,2027-01-01,2026-01-01,,", "expiration_date"),
        ("A,GIFT_VOUCHER,1,,,,0,", "redemption.quantity"),
        ("A,GIFT_VOUCHER,1,,,,1.5,", "Redemption Limit"),
        ("A,GIFT_VOUCHER,1,,,,,maybe", "Active"),
        ("A,GIFT_VOUCHER,1,,,,,,x", "more cells"),
        (",GIFT_VOUCHER,1,,,,,", "code"),
        ('"A\nB",GIFT_VOUCHER,1,,,,,', "code"),
    ],
)
async def test_a_wrong_cell_fails_its_row_and_is_named(agent: Agent, row: str, named: str) -> None:
    assert named in await reason_of(agent, HEADER, row)


async def test_failures_are_told_by_the_line_of_the_file(agent: Agent) -> None:
    good = 'A,GIFT_VOUCHER,1,,,,,\n"B",GIFT_VOUCHER,"1",,,"",,\n'
    text = f'{HEADER}\n\n{good}C,"\n\n",1\n,,,,\n\nD,x,1\nE,GIFT_VOUCHER,1\n'
    result = await imported(agent, text)
    assert (result["done_count"], result["failed_count"]) == (3, 2)
    assert [(failure["code"], failure["row"]) for failure in result["failed"]] == [("C", 5), ("D", 10)]


@pytest.mark.parametrize(("quantity", "amount"), [("2", ""), ("", "5.50"), ("0", "0.01"), ("1", "0")])
async def test_what_was_redeemed_elsewhere_fails_its_row(agent: Agent, quantity: str, amount: str) -> None:
    row = f"A,GIFT_VOUCHER,10,,,,,,{quantity},{amount},,,"
    result = await imported(agent, f"{SEED}\n{row}\nB,GIFT_VOUCHER,10,,,,,,0,0.00,,,\n")
    assert result["done_count"] == 1
    assert [(one["code"], one["row"]) for one in result["failed"]] == [("A", 2)]
    assert "used" in result["failed"][0]["reason"]


@pytest.mark.parametrize(
    "part",
    [
        {"redemption": {"quantity": 2, "redeemed_quantity": 1}},
        {"gift": {"amount": 1000, "balance": 0}},
        {"gift": {"amount": 1000, "balance": 400}},
    ],
)
async def test_a_used_voucher_of_a_list_does_not_come_in_as_new(agent: Agent, part: dict[str, Any]) -> None:
    row = {"code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 1000}, **part}
    fresh = {"code": "B", "gift": {"amount": 1000, "balance": 1000}, "redemption": {"redeemed_quantity": 0}}
    result = (await finished(agent, "import_vouchers", vouchers=[row, fresh]))["result"]
    assert [one["code"] for one in result["failed"]] == ["A"]
    assert "used" in result["failed"][0]["reason"]
    assert result["done_count"] == 1


@pytest.mark.parametrize(
    "row",
    [
        "A,GIFT_VOUCHER,1,000.00,,,,",
        "A,GIFT_VOUCHER,1,000,,,,",
        'A,GIFT_VOUCHER,"1,000.00",,,,,',
        'A,GIFT_VOUCHER,"1,000",,,,,',
        "A,GIFT_VOUCHER,1.000,,,,,",
        "A,GIFT_VOUCHER,1 000,,,,,",
    ],
)
async def test_a_thousand_never_becomes_one(agent: Agent, row: str) -> None:
    reason = await reason_of(agent, HEADER, row)
    assert "Value" in reason or "Discount Type" in reason


async def test_a_category_beside_the_value_is_not_half_of_it(agent: Agent) -> None:
    assert "parts" in await reason_of(agent, "Code,Voucher Type,Value,Category", "A,GIFT_VOUCHER,1,500")
    voucher = await voucher_of(agent, "Code,Voucher Type,Value,Redemption Limit", "A,GIFT_VOUCHER,50,100")
    assert (voucher["gift"]["amount"], voucher["redemption"]["quantity"]) == (5_000, 100)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
async def test_any_usual_delimiter_and_a_comma_as_the_decimal_point_are_read(
    agent: Agent, delimiter: str
) -> None:
    header = "Code,Voucher Type,Value,Expires At,Shop".replace(",", delimiter)
    row = "'=A;GIFT_VOUCHER;10,50;2030-06-30;'+43".replace(";", delimiter)
    result = await imported(agent, f"{header}\n{delimiter * 4}\n{row}\n")
    assert result["failed"] == []
    voucher = await agent.data("get_voucher", code="=A")
    assert voucher["gift"]["amount"] == 1_050
    assert voucher["expiration_date"] == "2030-06-30T23:59:59.999Z"
    assert voucher["metadata"] == {"Shop": "+43"}


async def test_a_dry_run_of_a_list_shows_its_rows_too(agent: Agent) -> None:
    rows = [
        {"code": "A", "gift": {"amount": 1_050}, "expiration_date": "2030-06-30T12:00:00Z"},
        {"code": "B"},
    ]
    result = (await agent.data("import_vouchers", vouchers=rows, dry_run=True))["result"]
    first, second = result["rows"]
    assert (first["code"], first["type"], first["value"]) == ("A", "GIFT_VOUCHER", "10.50 EUR")
    assert first["expiration_date"] == "2030-06-30T12:00:00.000Z"
    assert "type" in second["problem"]


@pytest.mark.parametrize("cell", ["46387", "2027", "1893456000", "0"])
async def test_a_bare_number_is_not_a_date(agent: Agent, cell: str) -> None:
    assert "expiration_date" in await reason_of(agent, HEADER, f"A,GIFT_VOUCHER,1,,,{cell},,")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("Status", "redeemed", "Status"),
        ("customer_id", "alice", "customer_id"),
        ("Balance", "3.00", "Balance"),
    ],
)
async def test_what_tells_that_a_voucher_is_not_new_fails_its_row(
    agent: Agent, column: str, cell: str, reason: str
) -> None:
    header = f"Code,Voucher Type,Value,{column}"
    assert reason in await reason_of(agent, header, f"A,GIFT_VOUCHER,10,{cell}")


async def test_a_dry_run_shows_the_first_rows_as_they_were_read(agent: Agent) -> None:
    rows = "".join(f"C{n};GIFT_VOUCHER;{n},50;2030-06-30\n" for n in range(1, 31))
    text = f"Coupon Code;Voucher Type;Value;Ends At\nX;GIFT_VOUCHER;1.000;\n{rows}"
    result = (await agent.data("import_vouchers_using_csv", csv=text, dry_run=True))["result"]
    assert (result["done_count"], result["failed_count"]) == (30, 1)
    assert result["columns"] == {"Coupon Code": "code", "Ends At": "expiration date"}
    assert len(result["rows"]) == 20
    assert result["rows"][0]["code"] == "X"
    assert "Value" in result["rows"][0]["problem"]
    first = result["rows"][1]
    assert (first["row"], first["code"], first["type"], first["value"]) == (
        3,
        "C1",
        "GIFT_VOUCHER",
        "1.50 EUR",
    )
    assert first["expiration_date"] == "2030-06-30T23:59:59.999Z"
    assert await agent.data("list_vouchers") == []


async def test_a_byte_order_mark_and_any_line_end_are_taken(agent: Agent) -> None:
    rows = [HEADER, "A,GIFT_VOUCHER,1,,,,,", "B,GIFT_VOUCHER,1,,,,,"]
    result = await imported(agent, "\ufeff" + "\r\n".join(rows))
    assert (result["done_count"], result["failed_count"]) == (2, 0)
    result = await imported(agent, "\r".join(rows).replace("A,", "C,").replace("B,", "D,"))
    assert (result["done_count"], result["failed_count"]) == (2, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column Code"),
        (HEADER.encode(), "no vouchers"),
        (HEADER.encode() + b"\n,,,\n", "no vouchers"),
        (b"Name,Value\nA,1\n", "none of them is `code`"),
        (b"Code:Voucher Type:Value\nA:GIFT_VOUCHER:1\n", "looks like a heading"),
        (b"Code,Value\nA,1\n", "line 1: the header has no column Voucher Type"),
        (b"Code,Value,Voucher Type,value\nA,1,GIFT_VOUCHER,2\n", '"value" twice'),
        (HEADER.encode() + b",Ends At\nA,GIFT_VOUCHER,1\n", '"Ends At" twice'),
        (HEADER.encode() + b",Created\nA,GIFT_VOUCHER,1\n", '"Created" looks like a date'),
        (HEADER.encode() + b",Uses left\nA,GIFT_VOUCHER,1\n", '"Uses left" looks like a use'),
        (HEADER.encode() + b",X\nA,GIFT_VOUCHER,1,,,,,,2026-01-31\n", '"X" looks like a date'),
        (HEADER.encode() + b"\n1.23457E+12,GIFT_VOUCHER,1\n", "damaged"),
        (HEADER.encode() + b"\nA,GIFT_VOUCHER,1,,########,,,\n", "damaged"),
        (b"Code,,Value,Voucher Type\nA,1,GIFT_VOUCHER,2\n", "column 2 of the header has no name"),
        (HEADER.encode() + b'\nA,GIFT_VOUCHER,1\nB,"GIFT,1\nC,2\n', "line 3: a quote is opened"),
        (HEADER.encode() + b'\n\nA,"G"x,1\n', "line 3: a quote within quotes"),
        (HEADER.encode() + b'\nA,"' + b"x" * 200_000 + b"\n", "line 2: a cell has over 131,072"),
        (HEADER.encode() + b"\nA," + b"x," * 600_000, "line 2: it is longer than"),
        (
            HEADER.encode() + "\nA,GIFT_VOUCHER,1\nÉ".encode("latin-1") + b",x\n",
            "line 3: the byte 0xC9 is not UTF-8",
        ),
        (b"PK\x03\x04", "workbook"),
        (HEADER.encode() + "\nÉ".encode()[:-1], "within a character"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_line(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        list(
            CsvInput(
                iter([content[at : at + 1_000] for at in range(0, len(content), 1_000)]), "csv", Place()
            ).chunks()
        )
    assert said in error.value.message
    assert error.value.field == "csv"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_utf_16_is_read_too(codec: str) -> None:
    source = CsvInput([f"{HEADER}\nŽ,GIFT_VOUCHER,1\n".encode(codec)], "csv", Place())
    [chunk] = source.chunks()
    assert list(json_rows(chunk)) == [(1, [2, ["Ž", "GIFT_VOUCHER", "1"]])]


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)


@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=30),
    step=st.integers(1, 50),
)
def test_rows_written_as_csv_come_back_whatever_the_blocks_that_they_arrive_in(
    rows: list[list[str]], step: int
) -> None:
    rows = [[f"C{at}", *row] for at, row in enumerate(rows)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["Code", "Voucher Type", "Value", "Note"], *rows])
    content = text.getvalue().encode()
    source = CsvInput((content[at : at + step] for at in range(0, len(content), step)), "csv", Place())
    found = [cells for chunk in source.chunks() for _, (_, cells) in json_rows(chunk)]
    assert found == rows
    assert source.total == len(rows)


@given(amount=st.integers(0, 2**53 - 1))
def test_an_amount_in_major_units_is_exact(amount: int) -> None:
    columns = VoucherColumns(["Code", "Voucher Type", "Value"], Place())
    body = columns.body(["GIFT_VOUCHER", f"{Decimal(amount).scaleb(-2):.2f}"], set())
    assert body["gift"]["amount"] == amount
