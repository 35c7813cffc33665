"""A guard for cells of a CSV file, so that no spreadsheet takes one for a formula.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end (OWASP's list for CSV injection) gets an
apostrophe before it, which spreadsheets read as "this is text". Where apostrophes stand before such a
character already it gets one more, so that taking the guard off always gives back the cell (ours).
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def guarded(cell: str) -> str:
    """The cell as it may stand in a CSV file."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell without its guard; the inverse of `guarded`."""
    return cell[1:] if _GUARDED.match(cell) else cell
