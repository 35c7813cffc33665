"""What a file of codes is read as, and what is said of the lines that hold none."""

from collections.abc import Iterator, Sequence

import pytest

from tests.unit.code_file_reading import DAY, NEW_YEAR_2030, bad_lines, codes, read, refusal
from voucher_mcp.domain.files.code_rows import CodeTable
from voucher_mcp.domain.files.encoding import LONGEST_LINE, Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.vouchers.pool import NewCode

# One code a line


def test_a_file_without_a_header_has_one_code_a_line() -> None:
    assert codes("A1\nB2\nC3") == [(1, "A1"), (2, "B2"), (3, "C3")]


def test_empty_lines_are_skipped_and_still_counted() -> None:
    assert codes("\n\nA1\n   \nB2\n\n") == [(3, "A1"), (5, "B2")]
    assert codes("code,x\n\nA1,\n   \nB2,\n\n") == [(3, "A1"), (5, "B2")]


def test_spaces_around_a_code_are_no_part_of_it() -> None:
    assert codes("  A1\t\n B 2 \n") == [(1, "A1"), (2, "B 2")]


def test_quotes_around_a_code_in_a_list_are_no_part_of_it() -> None:
    assert codes('"A1"\n"B""2"\n') == [(1, "A1"), (2, 'B"2')]


def test_a_line_of_a_list_that_looks_like_several_cells_is_not_taken_for_a_code() -> None:
    assert [line for line, _ in bad_lines("A1\nB2,2030-01-01\nC3;x\nD4\n")] == [2, 3]


def test_a_code_that_begins_like_a_formula_loses_only_the_guard_of_a_spreadsheet() -> None:
    assert codes("=A1\n'=B2\n''=C3\n'D4\n") == [(1, "=A1"), (2, "=B2"), (3, "'=C3"), (4, "'D4")]


# Text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_will_do(end: str) -> None:
    assert codes(f"code{end}A1{end}B2{end}") == [(2, "A1"), (3, "B2")]
    assert codes(f"A1{end}B2") == [(1, "A1"), (2, "B2")]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert codes(b"\xef\xbb\xbfcode,region\nA1,EU\n") == [(2, "A1")]


def test_codes_and_metadata_may_be_of_any_script() -> None:
    good, _ = read("code,město\nSLEVA–ž,Žďár\n")
    assert good == [NewCode("SLEVA–ž", metadata='{"město":"Žďár"}', line=2)]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_utf_8_and_utf_16_are_read_with_and_without_a_byte_order_mark(codec: str, size: int) -> None:
    data = "code,město\nSLEVA–ž,Žďár\n".encode(codec)
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    table = CodeTable.opened(blocks, {}, Place())
    assert list(table.codes(blocks, {}, lambda *_: None)) == [
        NewCode("SLEVA–ž", metadata='{"město":"Žďár"}', line=2)
    ]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("code;city\nA1;Zürich\n".encode("cp1252"), "line 2: the byte 0xFC is not UTF-8"),
        (b"A1\n" * 5_000 + b"\x80", "line 5,001"),
        ("code\nA1\n".encode("utf-32"), "UTF-32"),
        (b"PK\x03\x04\x00\x00\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (b"A1\nB\x00\x002\n", "bytes that no text has"),
        ("code\nA1\n".encode("utf-16") + b"x", "cut off"),
        ("code\nŽ".encode()[:-1], "cut off"),
    ],
)
def test_another_encoding_is_refused_as_a_whole_with_what_to_do(file: bytes, said: str) -> None:
    assert said in refusal(file)
    assert "UTF-8" in refusal(file) or "cut off" in said


def test_a_gigantic_line_is_refused_without_being_read_to_its_end() -> None:
    taken = 0

    def blocks() -> Iterator[bytes]:
        nonlocal taken
        yield b"A1\n"
        for taken in range(100):  # noqa: B007 - looked at below
            yield b"x" * 100_000

    with pytest.raises(Unreadable) as raised:
        CodeTable.opened(blocks(), {}, Place())
    assert raised.value.line == 2
    assert taken < 2 * LONGEST_LINE / 100_000


def test_an_empty_file_has_no_codes() -> None:
    assert codes("") == codes("\n \n") == codes("code\n") == codes("code,x\n,\n , \n") == []


# The header


@pytest.mark.parametrize("header", ["code", "CODE", " Code ", '"code"', "region,Code", "CODE,region"])
def test_a_line_with_a_cell_named_code_in_any_case_is_a_header(header: str) -> None:
    assert codes(f"\n{header}\nA1,A1\n" if "," in header else f"\n{header}\nA1\n") == [(3, "A1")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_shows_what_parts_the_cells(delimiter: str) -> None:
    good, bad = read("region;code;valid_until\nEU;A1;2030-01-01\n".replace(";", delimiter))
    assert bad == []
    assert good == [NewCode("A1", None, NEW_YEAR_2030 + DAY - 1, '{"region":"EU"}', 2)]


def test_several_columns_without_one_named_code_are_refused() -> None:
    assert "none of them is `code`" in refusal("voucher,valid_until\nA1,2030-01-01\n")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("code,Code", '"code" and "Code" both look like code'),
        ("code,region,region", '"region" twice'),
        ("code,,region", "column 2"),
        ("code,Valid_From,valid_from", "both look like valid_from"),
        ("Coupon Code,Promo code,x", "both look like code"),
        ("code,expires,Ends At", "both look like valid_until"),
        ("code," + "x" * 101, "keys of 1 to 100 characters"),
        ('code,"region', "the header has a quote"),
    ],
)
def test_a_header_that_means_nothing_is_refused(header: str, said: str) -> None:
    assert said in refusal(f"{header}\nA1,a,b\n")


def test_columns_without_a_name_at_the_end_are_ignored_as_long_as_they_are_empty() -> None:
    good, bad = read("code,region,,\nA1,EU,,\nB2,EU\nC3,EU,,x\n")
    assert [code.value for code in good] == ["A1", "B2"]
    assert [line for line, _, _ in bad] == [4]


# Rows


def test_the_other_columns_are_metadata_and_empty_cells_are_left_out() -> None:
    good, _ = read('code,region,note\nA1,EU,"says ""hi"", twice"\nB2,,\nC3, x ,\n')
    assert [code.metadata for code in good] == [
        '{"region":"EU","note":"says \\"hi\\", twice"}',
        None,
        '{"region":"x"}',
    ]


def test_times_are_iso_8601_and_belong_to_the_code() -> None:
    good, _ = read("code,Valid_From,VALID_UNTIL\nA1,2030-01-01,2030-01-02T02:00:00+02:00\nB2,,\n")
    assert [code[1:4] for code in good] == [(NEW_YEAR_2030, NEW_YEAR_2030 + DAY, None), (None, None, None)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A1,soon,", "`valid_from` must be a date"),
        ("A1,,2030-13-01", "`valid_until` must be a date"),
        ("A1,2030-01-02,2030-01-01", "must come after"),
        (",2030-01-01,", "must not be empty"),
        ("x" * 129, "129 characters"),
        ("A\u200b1,,", "cannot be printed"),
        ("A1,,,,more", "has 5 cells, the header names 3"),
    ],
)
def test_a_bad_row_is_reported_by_its_line_and_the_others_are_kept(row: str, said: str) -> None:
    good, bad = read(f"code,valid_from,valid_until\nG1,,\n{row}\nG2,,\n")
    assert [code.value for code in good] == ["G1", "G2"]
    assert [line for line, _, _ in bad] == [3]
    assert said in bad[0][2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('A"1",,"', "a quote is opened and never closed"),
        ('"A1" B,,', "has to be doubled"),
        ("x" * 200_000, "has over"),
    ],
)
def test_a_quote_that_is_not_closed_refuses_the_file_with_its_line(row: str, said: str) -> None:
    problem = refusal(f"code,a,b\nG1,,\n{row}\nG2,,\n")
    assert "line 3: a " in problem
    assert said in problem


def test_a_cell_may_have_several_lines_and_the_record_is_where_it_begins() -> None:
    good, bad = read('code,note\nA1,"one\r\ntwo"\nB2,\n,"three\n\nfour"\nC3,\n')
    assert [(code.line, code.value, code.metadata) for code in good] == [
        (2, "A1", '{"note":"one\\ntwo"}'),
        (4, "B2", None),
        (8, "C3", None),
    ]
    assert [line for line, _, _ in bad] == [5]


def test_metadata_that_is_too_large_is_reported() -> None:
    assert bad_lines(f"code,a,b\nA1,{'x' * 2_600},{'ž' * 1_300}\n")[0][0] == 2
    assert bad_lines(f"code,a,b\nA1,{'x' * 2_300},{'ž' * 1_300}\n") == []


def test_the_guard_of_a_spreadsheet_is_taken_off_a_code() -> None:
    assert codes("code\n'=A1\n''=A1\n'A1\n=B1\n") == [(2, "=A1"), (3, "'=A1"), (4, "'A1"), (5, "=B1")]


# A file of `codes export`

EXPORTED = "code,status,assigned_time,redeemed_time,customer_id,valid_from,valid_until,metadata\n"


def exported(*rows: str) -> Sequence[NewCode]:
    return read(EXPORTED + "\n".join(rows))[0]


def test_an_exported_code_comes_back_with_its_times_and_metadata() -> None:
    row = 'A1,available,,,,2030-01-01T00:00:00.000Z,,"{""region"":""EU"",""n"":[1,2]}"'
    assert exported(row) == [NewCode("A1", NEW_YEAR_2030, None, '{"region":"EU","n":[1,2]}', 2)]


def test_an_exported_code_that_was_given_away_or_used_is_not_made_available_again() -> None:
    file = EXPORTED + "A1,assigned,2030-01-01,,alice,,,\nB2,redeemed,,2030-01-01,,,,\nC3,available,,,,,,\n"
    good, bad = read(file)
    assert [code.value for code in good] == ["C3"]
    assert [(line, code) for line, code, _ in bad] == [(2, "A1"), (3, "B2")]


@pytest.mark.parametrize(
    "file",
    [
        "code,status\nA1,assigned\n",
        "STATUS;Code\nredeemed;A1\n",
        "code,Status\nA1,\n",
        "code,status\nA1,active\n",
        "customer_id,code\nalice,A1\n",
        "code,Redeemed_Time\nA1,2030-01-01\n",
        "code,ASSIGNED_TIME\nA1,2030-01-01\n",
        "code,Active\nA1,FALSE\n",
        "code,active\nA1,maybe\n",
        "code,redeemed_quantity\nA1,1\n",
        "code,Redeemed Amount\nA1,5.50\n",
        "code,balance\nA1,12.50\n",
        "code,balance\nA1,1.000\n",
    ],
)
def test_whatever_tells_that_a_code_is_not_new_keeps_it_out(file: str) -> None:
    good, bad = read(file, balance=5_000)
    assert good == []
    assert [code for _, code, _ in bad] == ["A1"]


def test_a_code_that_is_new_as_far_as_the_file_tells_comes_in() -> None:
    header = "Status,active,redeemed_quantity,Redeemed Amount,balance,customer id,code"
    good, bad = read(f"{header}\nAvailable,true,0,0.00,50.00,,A1\nunused,,,,50,,B2\n", balance=5_000)
    assert bad == []
    assert [(code.value, code.metadata) for code in good] == [("A1", None), ("B2", None)]


def test_an_expired_code_comes_in_only_with_an_end_of_its_own() -> None:
    good, bad = read("code,status,valid_until\nA1,expired,2020-01-01\nB2,expired,\n")
    assert [code.value for code in good] == ["A1"]
    assert [code for _, code, _ in bad] == ["B2"]


def test_a_balance_without_a_card_is_not_taken_over() -> None:
    assert bad_lines("code,balance\nA1,50.00\n")[0][0] == 2


def test_metadata_as_json_and_columns_of_ones_own_go_together() -> None:
    good, bad = read('code,metadata,shop\nA1,"{""a"":1}",Lyon\nB2,plain,\nC3,{broken,\n')
    assert [code.metadata for code in good] == ['{"a":1,"shop":"Lyon"}', '{"metadata":"plain"}']
    assert [line for line, _, _ in bad] == [4]
