"""Finding a code by what somebody typed, and saying what else may have been meant.

A code is found in each spelling of its letters, composed or not. Another case is another code (as at
Voucherify); that there is exactly one such is said, and never how it is written: a code that was only guessed
would be given away.
"""

from typing import Any

from voucher_mcp.backends.local.records.ids import voucher_row
from voucher_mcp.domain.values.texts import caseless, looked_up, spellings
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

IS_AN_ID = "it reads like the id of a voucher in this project, and would hide that voucher"


async def by_code(transaction: Transaction, query: str, *values: Any, code: str) -> Row | None:
    """What the query answers for a code, its last value, in the first spelling that is stored."""
    for spelling in spellings(looked_up(code)):
        if (row := await transaction.one(query, *values, spelling)) is not None:
            return row
    return None


async def hint(transaction: Transaction, project: Project, code: str, pool: int | None = None) -> str:
    """A sentence on another case of a code that is not there, for the end of a message; mostly empty."""
    folded = caseless(looked_up(code))
    row = await transaction.one("codes_of_any_case", project.n, folded, folded.upper(), pool)
    if row is None or row[0] != 1:
        return ""
    where = "in it " if pool else ""
    return f" There is exactly one code {where}that differs from it only by capital and small letters."


def is_an_id(project: Project, code: str) -> bool:
    """Whether a new code reads like an id of the project, of a voucher that there is or will be."""
    return code.startswith("v_") and voucher_row(project, code) is not None
