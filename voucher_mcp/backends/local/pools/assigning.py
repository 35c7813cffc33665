"""Handing out a pool's next free code."""

from voucher_mcp.backends.local.records import holders
from voucher_mcp.backends.local.records.codes import STATUS_NAMES
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.domain.errors import PoolExhausted, VoucherDisabled, VoucherExpired, quoted
from voucher_mcp.domain.values.times import to_iso, to_unix
from voucher_mcp.domain.vouchers.pool import AssignedCode
from voucher_mcp.stores.base import ASSIGNED, Transaction
from voucher_mcp.stores.projects import Project


async def assign(
    transaction: Transaction, project: Project, pool: Pool, customer_id: str, moment: int
) -> AssignedCode:
    """Give the first available code to a customer.

    Codes that are disabled, past their own end or reserved by a live session of somebody else are left out.

    Raises:
        PoolExhausted: no code is available.
        VoucherDisabled, VoucherExpired: the pool as a whole is paused or over.
    """
    if not pool.active:
        raise VoucherDisabled(
            f"The pool {quoted(pool.name)} is paused, so no code was assigned. update_voucher_pool with "
            "active=true "
            "resumes it."
        )
    if pool.expiration_date is not None and pool.expiration_date < moment:
        raise VoucherExpired(
            f"The pool {quoted(pool.name)} ended at {to_iso(pool.expiration_date)}, so no code was assigned. "
            "update_voucher_pool with a later expiration_date extends it."
        )
    claimed = await transaction.claim_code(project.n, pool.n, customer_id, moment)
    if claimed is None:
        kept = ", but disabled, expired or reserved by sessions" if pool.available else ""
        raise PoolExhausted(
            f"The pool {quoted(pool.name)} has no code left to assign ({pool.available:,} available{kept}; "
            f"{pool.total:,} in all). add_voucher_codes puts more into it."
        )
    n, code = claimed
    await holders.hold(transaction, project, customer_id, n, pool.n, moment)
    identity = voucher_id(project, n)
    return {
        "code": code,
        "id": identity,
        "pool_id": pool.id,
        "customer_id": customer_id,
        "status": STATUS_NAMES[ASSIGNED],
        "assigned_time": to_unix(moment),
        "redeemable_id": identity,
    }
