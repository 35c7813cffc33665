"""What the columns of a file of codes are taken for, and what makes the reader doubt the whole file."""

from zoneinfo import ZoneInfo

import pytest

from tests.unit.code_file_reading import DAY, NEW_YEAR_2030, bad_lines, codes, read, refusal, taken
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.code_rows import chosen_columns
from voucher_mcp.domain.vouchers.pool import NewCode

# What a heading is taken for


@pytest.mark.parametrize(
    "heading",
    ["Coupon Code", "coupon_code", "couponCode", "Gutscheincode", "Voucher-Code", "Promo code", "Codes"],
)
def test_the_codes_heading_is_known_in_many_words(heading: str) -> None:
    assert codes(f"{heading}\nA1\nB2\n") == [(2, "A1"), (3, "B2")]
    assert taken(f"region;{heading}\nEU;A1\n") == {"region": "metadata", heading: "code"}


@pytest.mark.parametrize(
    "heading", ["valid until", "Ends At", "expires_at", "ExpiryDate", "Gültig bis", "EXPIRES"]
)
def test_an_end_is_known_in_many_words(heading: str) -> None:
    good, _ = read(f"code,{heading}\nA1,2030-01-01\n")
    assert good == [NewCode("A1", None, NEW_YEAR_2030 + DAY - 1, None, 2)]


@pytest.mark.parametrize(
    ("heading", "cell", "look"),
    [
        ("Created", "x", "a date"),
        ("sold at", "", "a date"),
        ("Bought", "2026-01-31", "a date"),
        ("Bought", "31.01.2026", "a date"),
        ("Kauf", "1/31/26 12:00", "a date"),
        ("Zustand", "x", "a status"),
        ("is disabled", "x", "a status"),
        ("Stand", "aktiv", "a status"),
        ("Times used", "0", "a use"),
        ("Uses", "1", "a use"),
        ("Remaining", "5", "a use"),
        ("Eingelöst", "", "a use"),
        ("Eingelo\u0308st", "", "a use"),
        ("Used?", "No", "a use"),
        ("Rest in EUR", "20,00", "a use"),
        ("used*", "No", "a use"),
        ("Verkauft (ja/nein)", "ja", "a use"),
        ("Frist", "31. Dezember 2027", "a date"),
        ("Frist", "Dec 31 2027", "a date"),
        ("Frist", '"Dec 31, 2027"', "a date"),
    ],
)
def test_a_column_that_may_be_a_date_a_status_or_a_use_is_refused_until_it_is_named(
    heading: str, cell: str, look: str
) -> None:
    file = f"code,{heading}\nA1,{cell}\n"
    assert f"looks like {look}" in refusal(file)
    assert "--column" in refusal(file)
    assert taken(file, f"metadata={heading}") == {"code": "code", heading: "metadata"}
    assert taken(file, f"ignore={heading.upper()}") == {"code": "code", heading: "ignore"}


def test_what_a_person_says_of_a_column_beats_its_name() -> None:
    file = "code,Karte,Ablauf,status\n1,A1,2030-01-01,sold\n"
    chosen = ("code=Karte", "valid_until=ablauf", "metadata=status")
    good, bad = read(file, *chosen)
    assert bad == []
    assert good == [NewCode("A1", None, NEW_YEAR_2030 + DAY - 1, '{"code":"1","status":"sold"}', 2)]
    assert read("Meine Karten\nA1\n", "code=Meine Karten")[0] == [NewCode("A1", line=2)]


@pytest.mark.parametrize("said", ["code", "kind=x", "=x", "code=", "uses=x"])
def test_a_column_that_is_said_wrongly_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match="KIND=HEADER"):
        chosen_columns([said])


def test_a_column_that_is_not_there_is_refused() -> None:
    assert 'no column "karte"' in refusal("code,x\nA1,y\n", "ignore=Karte")


def test_remarks_and_excels_separator_line_stand_above_a_header() -> None:
    assert codes("# exported yesterday\n#2 codes\ncode\nA1\n") == [(4, "A1")]
    assert codes("sep=|\ncode|region\nA1|\n") == [(3, "A1")]
    assert codes('"// all of them",,\nregion,code,\n,A1,\n') == [(3, "A1")]


@pytest.mark.parametrize(
    "first",
    [
        "Voucher",
        "Voucher number",
        "My codes",
        "code:region",
        "Liste der Gutscheine",
        "#spring",
        "Kundenkarten",
        "PIN",
    ],
)
def test_a_first_line_that_may_be_a_heading_is_refused(first: str) -> None:
    assert "looks like a heading" in refusal(f"{first}\nA1\nB2\n")
    assert codes(f"code\n{first}\nA1\n") == [(2, first), (3, "A1")]


@pytest.mark.parametrize(
    "file",
    [
        "A1\nB2\n",
        "CODE-1\n",
        "code-1\ncode-2\n",
        "SALE\nA1\n",
        "#A1\n#B2\n",
        "hello\nworld\n",
        "Ab 1\nAb 2\n",
    ],
)
def test_a_first_line_like_the_others_is_a_code(file: str) -> None:
    assert [code for _, code in codes(file)] == file.split("\n")[:-1]


@pytest.mark.parametrize("other", [";", "|", "\t", ","])
def test_rows_that_something_else_parts_than_the_header_are_refused(other: str) -> None:
    header = "code;region" if other != ";" else "code,region"
    assert "parted by" in refusal(f"{header}\nA1{other}EU\n")


def test_in_a_list_a_line_of_several_cells_needs_quotes() -> None:
    good, bad = read('A1\nB2;x\nC|3\n"D,4"\n')
    assert [code.value for code in good] == ["A1", "D,4"]
    assert [line for line, _, _ in bad] == [2, 3]


def test_a_column_of_dates_and_some_words_may_be_a_date() -> None:
    assert "looks like a date" in refusal("code,Frist\nA1,2027-12-31\nB2,open\nC3,\n")
    assert taken("code,Frist\nA1,2027-12-31\nB2,open\nC3,soon\n")["Frist"] == "metadata"


def test_of_a_column_that_tells_of_uses_it_is_said_what_becomes_of_its_rows() -> None:
    said = refusal("code,Redeemed\nA1,TRUE\n")
    assert "take out those that were used" in said
    assert "valid_until" not in said


@pytest.mark.parametrize("title", ["Spring 2027,,", "Tabelle 1", "Tabelle 1;;", "GUTHABEN"])
@pytest.mark.parametrize("header", ["Code,Ablaufdatum,x", "Code;Ablaufdatum;x", "Gutscheincode"])
def test_a_title_above_the_header_is_not_a_code(title: str, header: str) -> None:
    said = refusal(f"{title}\n\n{header}\nA1\nB2\n")
    assert "line 1" in said
    assert "looks like the header" in said
    assert "Take out what stands above" in said


def test_a_title_above_rows_without_a_header_is_not_a_code() -> None:
    said = refusal("Tabelle 1\nA1;x\nB2;\n")
    assert "If it is a title, take it out" in said


@pytest.mark.parametrize("delimiter", [" ", ":", "~"])
def test_cells_that_something_else_parts_are_not_codes(delimiter: str) -> None:
    said = refusal(f'"A1"{delimiter}"Wien"\n"B2"{delimiter}"Graz"\n')
    assert "seems to be several cells" in said
    assert "Save it as CSV" in said


def test_a_quote_within_a_quoted_code_is_doubled() -> None:
    assert codes('"A""1"\n"B2"\n') == [(1, 'A"1'), (2, "B2")]


@pytest.mark.parametrize(
    "row",
    [
        "Summe;;37,50 €",
        "Total;;2",
        "TOTAL:;;",
        ";2;Gesamt",
        "2;;Grand total",
        "Anzahl: 2;;",
        "Sum;;$1,000.00",
    ],
)
def test_a_total_below_the_rows_is_not_a_code(row: str) -> None:
    said = refusal(f"code;x;y\nA1;;\nB2;;\n{row}\n;;\n")
    assert "line 4" in said
    assert "Take the row out" in said


def test_a_total_below_a_list_is_not_a_code_and_a_word_alone_is() -> None:
    assert "looks like a total" in refusal("A1\nB2\nTotal: 2\n")
    assert codes("A1\nTOTAL\n") == [(1, "A1"), (2, "TOTAL")]
    assert codes("code,status\nA1,new\nTOTAL,new\n") == [(2, "A1"), (3, "TOTAL")]


@pytest.mark.parametrize("remark", ["# batch 2", "// batch 2"])
def test_a_remark_among_codes_is_not_said_to_be_damaged(remark: str) -> None:
    for file in (f"A1\n{remark}\nB2\n", f"code;x\nA1;\n{remark};\nB2;\n"):
        said = refusal(file)
        assert "looks like a remark" in said
        assert "damaged" not in said


@pytest.mark.parametrize("code", ["\u201cA1\u201d", "\u201eA1\u201c", "\xabA1\xbb"])
def test_quotes_of_a_text_program_are_no_part_of_a_code(code: str) -> None:
    for file in (f"B2\n{code}\n", f"\u201ccode\u201d;x\nB2;\n{code};\n"):
        said = refusal(file)
        assert "in quotes that would be a part of the code" in said
        assert "damaged" not in said


# Cells that a spreadsheet has damaged


@pytest.mark.parametrize(
    "cell",
    [
        "1.23457E+12",
        "1,23457E+12",
        "1E+15",
        "#N/A",
        "#NV",
        "#WERT!",
        "########",
        '="00123"',
        "1-Mar",
        "Mar-30",
        "03.01.2026",
        "2026-01-03",
        "12345678.0",
    ],
)
def test_a_damaged_code_refuses_the_file(cell: str) -> None:
    written = '"' + cell.replace('"', '""') + '"'
    for file in (f"A1\nB2\n{written}\n", f"code;x\nA1;\nB2;\n{written};\n"):
        said = refusal(file)
        assert "damaged" in said
        assert "line " in said


def test_a_damaged_cell_beside_the_code_refuses_the_file_too() -> None:
    assert "damaged 2 cells" in refusal("code,valid_until\nA1,########\nB2,#REF!\n")


def test_long_numbers_that_were_rounded_refuse_the_file() -> None:
    rounded = "".join(f"{n}34567890123450000\n" for n in (1, 2, 3))
    assert "rounds long numbers" in refusal(f"code\n{rounded}")
    assert len(codes(f"code\n{rounded}1234567890123456789\n")) == 4


@pytest.mark.parametrize(
    "code", ["=C3", "1E9", "A#1", "#SALE", "MAR-30", "12-345", "10.00", "123456789012345678"]
)
def test_a_code_that_only_looks_odd_is_not_damaged(code: str) -> None:
    assert codes(f"code\nA1\n{code}\n") == [(2, "A1"), (3, code)]


# Dates


def test_a_date_is_a_whole_day_of_the_projects_time_zone() -> None:
    good, _ = read("code,valid_from,valid_until\nA1,2030-07-01,2030-07-01\n", zone=ZoneInfo("Europe/Berlin"))
    starts, ends = good[0].valid_from, good[0].valid_until
    assert starts is not None
    assert ends is not None
    assert ends - starts == DAY - 1
    assert starts % DAY == 22 * 3_600_000


@pytest.mark.parametrize("cell", ["46387", "2027", "1893456000", "1893456000000", "0", "-1", "31.12.2030"])
def test_a_bare_number_is_not_a_date_in_a_file(cell: str) -> None:
    assert bad_lines(f"code,valid_until\nA1,{cell}\n")[0][0] == 2
