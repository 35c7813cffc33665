"""Who has a code already, and how a code of a pool that was deleted by force is taken over.

A pool of any size is deleted by force at once: its codes keep their texts until somebody wants one of them.
"""

import json
from collections.abc import Sequence

from voucher_mcp.backends.local.records.references import is_an_id
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.vouchers.pool import Taken
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

_FREEING = "deleting that with force=true frees it"


async def why(
    transaction: Transaction,
    project: Project,
    code: str,
    pool_n: int | None = None,
    since: int | None = None,
    again: Taken = Taken.IN_CALL,
) -> str:
    """Why the code could not be added, as the end of `it is …`.

    Args:
        pool_n: the row of the pool that was to have it.
        since: the row from which on vouchers are this write's own, of which `again` is the reason.
    """
    if is_an_id(project, code):
        return Taken.IS_AN_ID
    row = await transaction.one("code_owner", project.n, code)
    assert row is not None  # somebody has the code, or it would have been added
    n, owner_n, deleted, pool_name, pool_deleted = row
    if pool_deleted:
        return f"still taken by a code of the deleted pool {quoted(pool_name)}; {_FREEING}"
    if deleted:
        where = "" if pool_name is None else f" of the pool {quoted(pool_name)}"
        return f"{Taken.DELETED}{where}; {_FREEING}"
    if since is not None and n >= since:
        return again
    if owner_n is None:
        return "already in the project, as a voucher without a pool"
    return Taken.IN_POOL if owner_n == pool_n else f"already in the project, in the pool {quoted(pool_name)}"


async def take_over(transaction: Transaction, project: Project, codes: Sequence[str]) -> None:
    """Free those of the codes that are of pools deleted by force, just before they are added."""
    if await transaction.one("codes_to_take_over", project.n):
        await transaction.run("codes_take_over", project.n, json.dumps(codes, ensure_ascii=False))
