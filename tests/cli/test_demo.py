"""`voucher-mcp demo`: a story in plain sentences, in any window, and the picture of it."""

import io
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import pytest
from rich.console import Console

from scripts import demo_picture
from voucher_mcp.cli.demo import show
from voucher_mcp.cli.demo.screen import Screen

WIDTHS: Final = (60, 80, 120)

TOLD: Final = (
    'The pool "Autumn gifts" has 10 codes. Each holds 25.00 EUR.',
    "Nobody else gets it.",
    "The card holds 12.50 EUR now.",
    "with the same key",
    "The card still holds 12.50 EUR.",
    "That was refused. This shop allows 500.00 EUR at once. Only the operator can raise the limit.",
    'Delete the pool "Newsletter welcome" with its 1,000 codes in the project "Demo shop"?',
    "Nothing was changed.",
    "The card holds 25.00 EUR again.",
    'The pool "Summer sale" is paused.',
    "a redemption was rolled back",
    'The codes of "Summer sale" work again.',
)
CALLED: Final = (
    *("create_voucher_pool", "assign_voucher_code", "redeem_vouchers", "redeem_vouchers", "create_voucher"),
    *("delete_voucher_pool", "rollback_redemption", "update_voucher_pool", "list_changes", "undo_change"),
)


@pytest.fixture(scope="module")
def shown() -> Mapping[int | str, str]:
    """One run, as it looks in a window of each width, and as a picture."""
    windows = {width: Console(file=io.StringIO(), width=width, highlight=False) for width in WIDTHS}
    canvas = demo_picture.canvas()
    show(Screen(*windows.values(), canvas))
    shown: dict[int | str, str] = {"picture": demo_picture.picture(canvas)}
    for width, window in windows.items():
        assert isinstance(window.file, io.StringIO)
        shown[width] = window.file.getvalue()
    return shown


@pytest.mark.parametrize("width", WIDTHS)
def test_the_story_is_told_whole_in_every_window(shown: Mapping[int | str, str], width: int) -> None:
    text = shown[width]
    lines = text.splitlines()
    assert max(map(cells, lines)) <= width
    sentences = " ".join(text.split())
    for said in TOLD if width > WIDTHS[0] else TOLD[:-2]:  # a cell of a table has a few lines there
        assert said in sentences
    assert re.findall(r"calls (\w+)", text) == list(CALLED)
    assert [int(n) for n in re.findall(r"^(\d+)\. ", text, re.MULTILINE)] == list(range(1, 10))


def test_no_cell_and_no_sentence_is_for_a_program(shown: Mapping[int | str, str]) -> None:
    assert not re.search(r'[{}]|"\w+":|_id\b|\b\d{3,}_|camp_|minor unit|success', shown[80])


def test_the_picture_in_the_readme_is_what_the_demo_shows(shown: Mapping[int | str, str]) -> None:
    assert demo_picture.FILE.read_text(encoding="utf-8") == shown["picture"], (
        "renew it: python -m scripts.demo_picture"
    )
    assert "http" not in re.sub(r'xmlns="[^"]*"|<!--.*?-->', "", shown["picture"])
    readme = demo_picture.FILE.parents[1] / "README.md"
    assert "(docs/demo.svg)" in readme.read_text(encoding="utf-8")


def cells(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
