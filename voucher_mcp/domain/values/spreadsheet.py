"""Reading CSV of any size, and a guard for its cells, so that no spreadsheet takes one for a formula.

A cell that begins with `=`, `+`, `-`, `@` (in full width too, which some editions read alike), a tab or a
line end (OWASP's list for CSV injection) gets an apostrophe before it, which spreadsheets read as "this is
text". Where apostrophes stand before such a character already it gets one more, so that taking the guard off
always gives back the cell (ours).
"""

import csv
import io
import re
from collections.abc import Iterator

_FORMULA = re.compile(r"'*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")


def guarded(cell: str) -> str:
    """The cell as it may stand in a CSV file."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell without its guard; the inverse of `guarded`."""
    return cell[1:] if _GUARDED.match(cell) else cell


def rows_of(text: str) -> Iterator[list[str]]:
    """The rows of a CSV text, with cells of any length.

    Raises:
        csv.Error: it cannot be read.
    """
    # the limit is the process's; no text that is read so is shorter than one of its cells
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    yield from csv.reader(io.StringIO(text, newline=""))
