"""Who has a code already, and how a code of a pool that was deleted by force is taken over.

A pool of any size is deleted by force at once: its codes keep their texts until somebody wants one of them.
"""

from collections.abc import Sequence
from typing import Any

from voucher_mcp.backends.local.records.references import as_json, is_an_id
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.vouchers.pool import Taken
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

_FREEING = "deleting that with force=true frees it"


async def reasons(
    transaction: Transaction,
    project: Project,
    codes: Sequence[str],
    pool_n: int | None = None,
    since: int | None = None,
    again: Taken = Taken.IN_CALL,
) -> dict[str, str]:
    """Why codes could not be added, each as the end of `it is …`; all are looked up at once.

    Args:
        pool_n: the row of the pool that was to have them.
        since: the row from which on vouchers are this write's own, of which `again` is the reason.
    """
    owners = await transaction.all("code_owners", project.n, as_json(codes)) if codes else []
    found = {code: _why(owner, pool_n, since, again) for code, *owner in owners}
    return {code: Taken.IS_AN_ID if is_an_id(project, code) else found[code] for code in codes}


def _why(owner: Sequence[Any], pool_n: int | None, since: int | None, again: Taken) -> str:
    n, owner_n, deleted, pool_name, pool_deleted = owner
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
        await transaction.later("codes_take_over", project.n, as_json(codes))
