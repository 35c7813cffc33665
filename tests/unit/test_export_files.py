"""Where an export's file lies, whatever a vendor calls the export."""

from pathlib import Path

import pytest

from voucher_mcp.tools.resources.export_files import first_rows, path_of, write

FOLDER = Path("/exports")


def test_a_plain_id_is_in_the_name_beside_its_project() -> None:
    assert path_of(FOLDER, "voucher-export://shop/export_1") == FOLDER / "shop-export_1.csv"


@pytest.mark.parametrize("export", ["../../etc/passwd", "..", "a/b", "a%2Fb", "", "x" * 300, "a.b", "é"])
def test_no_other_id_leads_out_of_the_folder(export: str) -> None:
    path = path_of(FOLDER, f"voucher-export://shop/{export}")
    assert path.parent == FOLDER
    assert path.name.startswith("shop-")
    assert len(path.name) < 60


def test_rows_have_the_names_of_the_header_and_empty_lines_are_no_rows() -> None:
    text = 'a,b\r\n1,"x\r\ny"\r\n\r\n2,\r\n'
    rows = [{"a": "1", "b": "x\r\ny"}, {"a": "2", "b": ""}]
    assert first_rows(text, 5) == (rows, 2)
    assert first_rows(text, 1) == (rows[:1], 2)
    assert first_rows("", 5) == ([], 0)


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(OSError, match=r"taken\.csv"):
        write(tmp_path / "taken.csv", "a")
    assert [each.name for each in tmp_path.iterdir()] == ["taken.csv"]
