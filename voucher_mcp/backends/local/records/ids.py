"""Identifiers on the embedded engine.

An id is a row number behind the tag of its project: it needs no column and no index, and an id of
one project means nothing in another.
"""

import secrets
from collections.abc import Callable

from voucher_mcp.stores.projects import Project

VOUCHER = "v_"
TRANSACTION = "vtx_"
REDEMPTION = "r_"
ROLLBACK = "rr_"
HOLDER = "rh_"
POOL = "camp_"

_ROWS = 2**63


def new_pool_id() -> str:
    """A pool is a campaign, so its id looks like one."""
    return POOL + secrets.token_hex(10)


def row_id(prefix: str, project: Project, n: int) -> str:
    """The id of row `n` of the table that the prefix stands for."""
    return f"{prefix}{project.tag}{n:010x}"


def row_of(prefix: str, project: Project, text: str) -> int | None:
    """The row that an id names, None where it is not an id of that prefix, in its one spelling, here."""
    try:
        n = int(text.removeprefix(prefix + project.tag), 16)
    except ValueError:
        return None
    return n if n < _ROWS and row_id(prefix, project, n) == text else None


def voucher_id(project: Project, n: int) -> str:
    """The id of the voucher in row `n`."""
    return row_id(VOUCHER, project, n)


def voucher_ids(project: Project) -> Callable[[int], str]:
    """Makes the id of the voucher in each row that it is given: a page has a thousand."""
    return f"{VOUCHER}{project.tag}%010x".__mod__  # a tag is hexadecimal


def voucher_row(project: Project, text: str) -> int | None:
    """The row that an id names, None where it is not a voucher id of this project."""
    return row_of(VOUCHER, project, text)
