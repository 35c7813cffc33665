"""The guard that keeps spreadsheets from taking a cell for a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.domain.values.spreadsheet import guarded, unguarded


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", *"\uff1d\uff0b\uff0d\uff20"]
)
def test_a_cell_that_could_start_a_formula_is_guarded(cell: str) -> None:
    assert guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "A1", "1-1", "'quoted'", "it's", "a=b"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == unguarded(cell) == cell


@given(st.text(alphabet="'=+-@\uff1d\uff20\t\rA", max_size=6) | st.text())
def test_taking_the_guard_off_gives_back_every_cell(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell)[:1] not in ("=", "+", "-", "@", "\uff1d", "\uff20", "\t", "\r")
