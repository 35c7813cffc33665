"""The pages that are made from the code are what the code says now."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import capability_table, configuration_page, tool_page
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.server import all_tools

CODES = {kind.code for kind in VoucherError.__subclasses__()} | {VoucherError.code}


@pytest.mark.parametrize(
    ("file", "made", "command"),
    [
        (capability_table.FILE, capability_table.table, "capability_table"),
        (configuration_page.FILE, configuration_page.page, "configuration_page"),
        (tool_page.FILE, tool_page.page, "tool_page"),
    ],
    ids=["capabilities", "configuration", "tools"],
)
def test_the_page_is_what_its_script_makes(file: Path, made: Callable[[], str], command: str) -> None:
    assert file.read_text(encoding="utf-8") == made(), f"renew it: python -m scripts.{command}"


@pytest.mark.parametrize("made", [configuration_page.page, tool_page.page], ids=["configuration", "tools"])
def test_nothing_on_a_page_is_left_unexplained(made: Callable[[], str]) -> None:
    rows = re.findall(r"^\| `.*\|$", made(), re.MULTILINE)
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_tool_says_which_errors_it_answers() -> None:
    answered = {code for tool in all_tools().values() for code in tool_page.errors_of(tool)}
    answered |= {*tool_page.ANY, *tool_page.OF_A_PROJECT, *tool_page.OF_A_VENDOR}
    assert answered == CODES
