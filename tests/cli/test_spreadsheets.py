"""Files of codes as spreadsheet programs write them, after somebody edited them by hand."""

import csv
import io
from collections.abc import Mapping

import pytest

from tests.cli.conftest import Command
from tests.cli.test_codes_truth import rows_of

ENDS = "2030-06-30T23:59:59.999Z"

EXCEL = """\ufeffCoupon Code,Ends At,Region,
SUN-001,2030-06-30,EU,
SUN-002,,,
,,,
"SUN-003",,"US, west",
"""
GOOGLE = """code,valid until,Region
SUN-001,2030-06-30,EU
SUN-002,,
,,
SUN-003,,"US, west\""""
EXCEL_DE = """sep=;
Gutscheincode;Gültig bis;Region
SUN-001;2030-06-30;EU
SUN-002;;
;;
SUN-003;;US, west
"""
NUMBERS = """Code\tValid_Until\tRegion
SUN-001\t2030-06-30\tEU
SUN-002\t\t
\t\t
SUN-003\t\tUS, west
"""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(EXCEL.replace("\n", "\r\n").encode(), id="Excel"),
        pytest.param(GOOGLE.encode(), id="Google Sheets"),
        pytest.param(EXCEL_DE.replace("\n", "\r\n").encode("utf-8-sig"), id="German Excel"),
        pytest.param(NUMBERS.encode("utf-16"), id="Numbers"),
        pytest.param(NUMBERS.encode("utf-16-le"), id="without a byte order mark"),
    ],
)
def test_a_sheet_comes_in_as_it_was_meant(cli: Command, content: bytes) -> None:
    (cli.folder / "sheet.csv").write_bytes(content)
    said = cli.import_codes("sheet.csv", "--create", "--percent", "10")
    assert "Added 3 codes" in said.out
    assert "Not added" not in said.out
    assert _told(cli) == {
        "SUN-001": (ENDS, '{"Region":"EU"}'),
        "SUN-002": ("", ""),
        "SUN-003": ("", '{"Region":"US, west"}'),
    }


def _told(cli: Command) -> Mapping[str, tuple[str, str]]:
    rows = rows_of(cli.export_codes().out)
    return {row["code"]: (row["valid_until"], row["metadata"]) for row in rows}


def test_a_sheet_with_pipes_whose_blanks_and_guards_are_no_part_of_the_codes(cli: Command) -> None:
    file = cli.write(
        "sheet.csv", "Nr|code|expires_at\n1| SUN-001 |2030-06-30\n2|'=SUN-002|\n\n|\u00a0SUN-003\u00a0|\n"
    )
    cli.import_codes(file, "--create", "--percent", "10")
    assert {code: ends for code, (ends, _) in _told(cli).items()} == {
        "SUN-001": ENDS,
        "'=SUN-002": "",
        "SUN-003": "",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (EXCEL_DE.encode("cp1252"), "save it as CSV in UTF-8"),
        (b"code,note\n1.23457E+12,\n", "damaged"),
        (b'code,n\n#N/A,1\n########,2\n="00123",3\n', "damaged 3 cells"),
        (b"code;Kaufdatum\nA1;2026-01-01\n", '"Kaufdatum" looks like a date'),
        (b"code,Zustand\nA1,neu\n", '"Zustand" looks like a status'),
        (b"code,Uses left\nA1,1\n", '"Uses left" looks like a use'),
        (b"code:region\nA1:EU\n", "looks like a heading"),
        (b"code,region\nA1;EU\nB2;US\n", "parted by semicolons"),
        (b"Unsere Gutscheine\nA1\nB2\n", "looks like a heading"),
    ],
)
def test_a_sheet_that_is_not_understood_is_refused_before_anything_is_written(
    cli: Command, content: bytes, said: str
) -> None:
    good = b"".join(b"G%d,\n" % n for n in range(1_000))
    lines = content.split(b"\n", 1)
    table = b"," in lines[0] and b";" not in content
    (cli.folder / "sheet.csv").write_bytes(lines[0] + b"\n" + good + lines[1] if table else content)
    assert said in cli.import_codes("sheet.csv", "--create", "--percent", "10", status=1).err
    assert "no pool" in cli.export_codes(status=1).err


def test_an_export_that_a_spreadsheet_saved_again_comes_back_the_same(cli: Command) -> None:
    file = cli.write("codes.csv", 'code,valid_until,note\nA1,2030-06-30,"x; y"\nB2,,\n=C3,,\n')
    cli.import_codes(file, "--create", "--gift", "35")
    first = cli.export_codes().out
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL).writerows(csv.reader(io.StringIO(first)))
    (cli.folder / "again.csv").write_bytes(text.getvalue().encode("utf-16"))
    other = {"VOUCHER_MCP_DATABASE_URL": f"sqlite:///{cli.folder / 'other.db'}"}
    target = ("--project", "default", "--pool", "Summer")
    cli.run("codes", "import", "again.csv", *target, "--create", "--gift", "35", variables=other)
    assert cli.run("codes", "export", *target, variables=other).out == first
