"""Walks over lists that change: what was read is what there is, or the list is not answered."""

from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucher_mcp.backends.walking import ListMoved, Once, Seen
from voucher_mcp.domain.errors import Unavailable

ROWS = st.lists(st.integers(), unique=True, min_size=2, max_size=12)


def read(seen: Seen, rows: Sequence[Hashable], size: int) -> None:
    """Read the next page of so many rows, the first of which was read before."""
    start = max(seen.start, seen.end - 1)
    seen.add(start, rows[start : start + size])


@settings(max_examples=100)
@given(rows=ROWS, size=st.integers(2, 5), start=st.integers(0, 3))
def test_a_list_that_stands_still_is_read_row_by_row(rows: list[int], size: int, start: int) -> None:
    seen = Seen(start)
    while seen.end < len(rows):
        read(seen, rows, size)
    assert seen.names == rows[start:]


@settings(max_examples=100)
@given(rows=ROWS, data=st.data())
def test_a_row_that_goes_or_comes_before_the_seam_is_noticed(rows: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(rows) - 1))
    seen = Seen(0)
    seen.add(0, rows[:first])
    at = data.draw(st.integers(0, first - 1))
    changed: list[Hashable] = [*rows]
    if data.draw(st.booleans()):
        del changed[at]
    else:
        changed.insert(at, "new")
    with pytest.raises(ListMoved):
        read(seen, changed, 5)


def test_a_row_that_comes_again_on_a_later_page_is_noticed() -> None:
    seen = Seen(0)
    seen.add(0, ["A", "B"])
    with pytest.raises(ListMoved):
        seen.add(1, ["B", "A"])


def test_a_list_is_started_over_once_and_no_row_is_given_again() -> None:
    once, fault = Once[str](str), Unavailable("It moved.")
    assert once.fresh(["A", "B"]) == ["A", "B"]
    once.start_over(fault)
    assert once.fresh(["B", "C", "C"]) == ["C"]
    with pytest.raises(Unavailable, match="moved"):
        once.start_over(fault)
