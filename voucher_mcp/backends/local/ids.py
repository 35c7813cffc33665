"""Identifiers on the embedded engine.

A voucher's id is its row number behind the tag of its project: it needs no column and no index, and an id of
one project means nothing in another.
"""

import secrets
from typing import NamedTuple

_PREFIX = "v_"
_DIGITS = 10
_ROWS = 2**63


class Project(NamedTuple):
    """A project's row: its number in this database, and the tag of its ids."""

    n: int
    tag: str


def new_tag() -> str:
    """Eight random hexadecimal digits."""
    return secrets.token_hex(4)


def new_pool_id() -> str:
    """A pool is a campaign, so its id looks like one."""
    return "camp_" + secrets.token_hex(10)


def voucher_id(project: Project, n: int) -> str:
    """The id of the voucher in row `n`."""
    return f"{_PREFIX}{project.tag}{n:0{_DIGITS}x}"


def voucher_row(project: Project, text: str) -> int | None:
    """The row that an id names, None where it is no voucher id of this project in its one spelling."""
    try:
        n = int(text.removeprefix(_PREFIX + project.tag), 16)
    except ValueError:
        return None
    return n if n < _ROWS and voucher_id(project, n) == text else None
