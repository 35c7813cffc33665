"""The table of edges names tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROWS = re.findall(
    r"^\| (\d+) \| .* \| `(\S+)::(\w+)` \|$", (TESTS / "EDGES.md").read_text("utf-8"), re.MULTILINE
)


def test_every_number_has_a_test() -> None:
    assert {int(number) for number, _, _ in ROWS} == set(range(27))


@pytest.mark.parametrize("path", sorted({path for _, path, _ in ROWS}))
def test_each_test_that_is_named_exists(path: str) -> None:
    text = (TESTS / path).read_text(encoding="utf-8")
    named = {name for _, of, name in ROWS if of == path}
    assert {name for name in named if f"def {name}(" not in text} == set()
