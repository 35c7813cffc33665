"""The rows of pools' codes: put in, found and taken away, with the counts that the store keeps of them."""

from collections.abc import Sequence
from typing import Final

from voucher_mcp.backends.local.records import removal, taken
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.backends.local.records.references import as_json, is_an_id, rows_of
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import AVAILABLE, DELETED, REDEEMED, Overtaken, Row, Transaction
from voucher_mcp.stores.projects import Project

Seen = tuple[int, int, int]
"""A voucher as it was looked at: its row, status and version."""

_VOUCHER: Final = "The voucher"

STATUS_NAMES = ("available", "assigned", "redeemed")


async def insert(
    transaction: Transaction, project: Project, pool: Pool, codes: Sequence[NewCode], moment: int
) -> dict[str, int]:
    """Add the codes that the project does not have yet; answer their rows by code."""
    rows = await store(transaction, project, pool, codes, moment)
    return {code.value: n for code, n in zip(codes, rows, strict=True) if n is not None}


async def store(
    transaction: Transaction, project: Project, pool: Pool, codes: Sequence[NewCode], moment: int
) -> Sequence[int | None]:
    """Add the codes that the project does not have yet, of those with one text the first.

    Answers the row of each, None for one that was not added.
    """
    fit = [code for code in codes if not is_an_id(project, code.value)]
    await taken.take_over(transaction, project, [code.value for code in fit])
    rows = await transaction.add_codes(project.n, pool.n, fit, _first_status(pool), moment)
    if len(fit) == len(codes):
        return rows
    of_fit = iter(rows)
    return [None if is_an_id(project, code.value) else next(of_fit) for code in codes]


def _first_status(pool: Pool) -> int:
    """Where a new code of the pool stands: a gift card that is made empty waits for its first money."""
    gift = pool.template.get("gift")
    return REDEEMED if gift is not None and gift["amount"] == 0 else AVAILABLE


async def remove(
    transaction: Transaction,
    project: Project,
    pool_n: int | None,
    seen: Sequence[Seen],
    force: bool,
    moment: int,
) -> None:
    """Delete vouchers of one pool, or of none, with their holders and reservations; their history stays.

    Raises:
        Overtaken: somebody else changed one since it was looked at.
    """
    if len(seen) == 1:
        ((n, _, version),) = seen
        await transaction.later("voucher_delete", project.n, n, force, moment, version, overtakes=_VOUCHER)
    else:
        rows, versions = as_json([n for n, _, _ in seen]), as_json([version for _, _, version in seen])
        if await transaction.run("vouchers_delete", project.n, rows, versions, force, moment) < len(seen):
            raise Overtaken(_VOUCHER)
    live = [(n, status) for n, status, _ in seen if status != DELETED]
    if pool_n is not None:
        await transaction.count_codes(project.n, pool_n, live, DELETED)
    await removal.forget(transaction, project, [n for n, _ in live])


async def find_some(
    transaction: Transaction,
    project: Project,
    pool: Pool,
    references: Sequence[str],
    deleted_too: bool = False,
) -> dict[str, Row]:
    """The rows of the pool's codes, by code or id as it was given; a code wins over an id."""
    which = (pool.n, DELETED if deleted_too else REDEEMED)
    return await rows_of(transaction, project, references, "codes_named", "codes_in_rows", *which)
