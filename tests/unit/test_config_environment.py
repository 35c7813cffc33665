"""What desktop clients ask a person, and say by variables."""

from pathlib import Path

from tests.unit.test_config import LOCAL, LOOMI, MEWS, VOUCHERIFY, home, load, only, problems
from voucher_mcp.config import load_settings

__all__ = ["home"]


def test_currency_time_zone_and_folder_are_of_the_projects_that_variables_make(home: Path) -> None:
    told = {
        "VOUCHER_MCP_CURRENCY": "JPY",
        "VOUCHER_MCP_TIMEZONE": "Asia/Tokyo",
        "VOUCHER_MCP_FOLDER": "~/files",
    }
    local = only(load_settings(None, told))
    assert (local.currency, local.timezone) == ("JPY", "Asia/Tokyo")
    assert local.import_dir == local.export_dir == home / "files"
    vendors = load_settings(None, told | VOUCHERIFY | MEWS | LOOMI).projects.values()
    assert {(each.currency, each.timezone, each.export_dir) for each in vendors} == {
        ("JPY", "Asia/Tokyo", home / "files")
    }
    assert only(load(LOCAL, **told)).currency == "EUR"  # the file is the whole truth
    said = problems(None, **VOUCHERIFY, **MEWS, VOUCHER_MCP_CURRENCY="EURO")
    assert said.count("VOUCHER_MCP_CURRENCY: unknown currency 'EURO'") == 1


def test_a_question_that_a_desktop_client_left_open_counts_as_not_set() -> None:
    """Its placeholder comes as it stands in the manifest."""
    names = (*VOUCHERIFY, *MEWS, "VOUCHER_MCP_ACCESS", "VOUCHER_MCP_CURRENCY", "VOUCHER_MCP_FOLDER")
    left = {name: f"${{user_config.{name.lower()}}}" for name in names}
    assert load_settings(None, left) == load_settings(None, {})
    assert "'${access}'" in problems(None, VOUCHER_MCP_ACCESS="${access}")
