"""Finding a code by what somebody typed, and saying what else may have been meant.

A code is found in each spelling of its letters, composed or not. Another case is another code (as at
Voucherify); that there is exactly one such is said, and never how it is written: a code that was only guessed
would be given away.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

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


def foresee(transaction: Transaction, query: str, *values: Any, code: str) -> str:
    """Say that `by_code` is going to be asked; answers the first spelling."""
    (spelling, *_) = spellings(looked_up(code))
    transaction.ahead(query, *values, spelling)
    return spelling


async def rows_of(
    transaction: Transaction,
    project: Project,
    references: Iterable[str],
    named: str,
    in_rows: str,
    *values: Any,
) -> dict[str, Row]:
    """What the queries answer for codes or ids, by what was asked for; a code wins over an id.

    However many they are, they are read at once.

    Args:
        named: the query for codes; in_rows: the one for rows. Both take the project, a JSON list and the
            values, and begin with the row and its code.
    """
    wanted = {one: spellings(looked_up(one)) for one in references}
    codes = as_json([code for several in wanted.values() for code in several])
    by_code = {row[1]: row for row in await transaction.all(named, project.n, codes, *values)}
    found: dict[str, Row] = {}
    ids: dict[str, int] = {}
    for one, several in wanted.items():
        row = next((by_code[code] for code in several if code in by_code), None)
        if row is not None:
            found[one] = row
        elif (n := voucher_row(project, one)) is not None:
            ids[one] = n
    if ids:
        rows = as_json(list(ids.values()))
        by_n = {row[0]: row for row in await transaction.all(in_rows, project.n, rows, *values)}
        found |= {one: by_n[n] for one, n in ids.items() if n in by_n}
    return {one: found[one] for one in wanted if one in found}


def as_json(values: Sequence[str] | Sequence[int]) -> str:
    """A list as a query takes it."""
    return to_json(values).decode()


async def hint(transaction: Transaction, project: Project, code: str, pool: int | None = None) -> str:
    """A sentence on another case of a code that is not there, for the end of a message; mostly empty."""
    return (await hints(transaction, project, [code], pool))[code]


async def hints(
    transaction: Transaction, project: Project, codes: Sequence[str], pool: int | None = None
) -> dict[str, str]:
    """The same for each of several codes, all looked up at once."""
    folded = {code: caseless(looked_up(code)) for code in codes}
    wanted = as_json(list(set(folded.values())))
    alike: dict[str, int] = dict(await transaction.all("codes_of_any_case", project.n, wanted, pool))
    where = "in it " if pool else ""
    said = f" There is exactly one code {where}that differs from it only by capital and small letters."
    return {code: said if alike[form] == 1 else "" for code, form in folded.items()}


def is_an_id(project: Project, code: str) -> bool:
    """Whether a new code reads like an id of the project, of a voucher that there is or will be."""
    return code.startswith("v_") and voucher_row(project, code) is not None
