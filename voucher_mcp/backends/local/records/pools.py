"""Pools on the embedded engine: a pool is a campaign, and its codes are vouchers made from its template."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from voucher_mcp.backends.local.records.ids import new_pool_id
from voucher_mcp.backends.local.records.vouchers import kept_terms
from voucher_mcp.domain.errors import AlreadyExists, InvalidInput, NotFound, quoted
from voucher_mcp.domain.values.texts import looked_up
from voucher_mcp.domain.values.times import to_unix
from voucher_mcp.domain.vouchers.pool import VoucherPool, VoucherPoolSummary, check_name, template_as_meant
from voucher_mcp.domain.vouchers.voucher import VoucherTerms, check_together, parse_terms, public_terms
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool's row; times are milliseconds UTC."""

    n: int
    id: str
    name: str
    template: VoucherTerms
    active: bool
    start_date: int | None
    expiration_date: int | None
    available: int
    assigned: int
    redeemed: int
    created_at: int
    project: int
    """The row of its project."""

    @classmethod
    def of(cls, row: Row) -> Self:
        n, pool_id, name, template, active, *rest = row
        return cls(n, pool_id, name, cast(VoucherTerms, kept_terms(template)), bool(active), *rest)

    @property
    def total(self) -> int:
        return self.available + self.assigned + self.redeemed


def summary(pool: Pool) -> VoucherPoolSummary:
    """A row of the listing."""
    return {
        "id": pool.id,
        "name": pool.name,
        "total": pool.total,
        "available": pool.available,
        "assigned": pool.assigned,
        "redeemed": pool.redeemed,
        "active": pool.active,
        "expiration_date": to_unix(pool.expiration_date),
    }


def public(pool: Pool, project_id: str) -> VoucherPool:
    """The pool as get_voucher_pool shows it; nothing here draws from a pool."""
    return {
        **summary(pool),
        "company_id": project_id,
        "used_by": [],
        "start_date": to_unix(pool.start_date),
        "template": public_terms(pool.template),
    }


def foresee(transaction: Transaction, project: Project, reference: str) -> None:
    """Say that `find` is going to be asked."""
    transaction.ahead("pool_by_id_or_name", project.n, reference)


async def find(
    transaction: Transaction, project: Project | None, reference: str, field: str = "pool_id"
) -> Pool:
    """The pool of that id or exact name; `field` is the argument that names it.

    Raises:
        NotFound: there is none.
    """
    row = None
    if project is not None:
        row = await transaction.one("pool_by_id_or_name", project.n, reference)
        row = row or await transaction.one("pool_by_id_or_name", project.n, looked_up(reference))
    if row is None:
        raise NotFound(
            f"There is no pool {quoted(reference)} in this project. list_voucher_pools shows the pools "
            "with their ids and names.",
            field=field,
        )
    return Pool.of(row)


async def find_ever(transaction: Transaction, project: Project | None, reference: str) -> Pool:
    """The same, and where there is none now the last one deleted: for reading its history.

    Raises:
        NotFound: there never was one.
    """
    try:
        return await find(transaction, project, reference)
    except NotFound:
        rows = await transaction.all("pools_deleted", project.n, reference, 1) if project else []
        if not rows:
            raise
        return Pool.of(rows[0])


async def find_to_delete(transaction: Transaction, project: Project, reference: str, force: bool) -> Pool:
    """The pool, with force also one that was deleted without it, whose codes are still taken.

    Raises:
        NotFound: there is none.
        InvalidInput: several deleted pools had that name.
    """
    try:
        return await find(transaction, project, reference)
    except NotFound:
        rows = await transaction.all("pools_deleted", project.n, reference, 0) if force else []
        if not rows:
            raise
    if len(rows) > 1:
        ids = ", ".join(row[1] for row in rows[:5])
        raise InvalidInput(
            f"{len(rows)} deleted pools had the name {quoted(reference)}: {ids}. Give the id of the one "
            "that is meant.",
            field="pool_id",
        )
    return Pool.of(rows[0])


async def create(
    transaction: Transaction, project: Project, name: str, voucher: Mapping[str, Any] | None, moment: int
) -> Pool:
    """A new pool without codes; dates and `active` of the template become the pool's own.

    Raises:
        InvalidInput: the name or the template is wrong.
        AlreadyExists: another pool has that name.
    """
    check_name(name)
    template = parse_terms(template_as_meant(voucher), path="voucher")
    active = template.pop("active", True)
    start_date, expiration_date = template.pop("start_date", None), template.pop("expiration_date", None)
    pool_id = new_pool_id()
    await _refuse_taken(transaction, project, name, pool_id)
    text = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    await transaction.later(
        "pool_insert",
        project.n,
        pool_id,
        name,
        text,
        active is not False,
        start_date,
        expiration_date,
        moment,
    )
    return await find(transaction, project, pool_id)


async def update(
    transaction: Transaction,
    project: Project,
    pool: Pool,
    moment: int,
    *,
    name: str | None,
    active: bool | None,
    start_date: int | None,
    expiration_date: int | None,
    clear: Collection[str],
) -> Pool:
    """The pool with what is given changed, and the dates in `clear` emptied.

    Raises:
        InvalidInput: nothing is given, the name is wrong, or the dates would not go together, with each other
            or with what else limits the use of the codes.
        AlreadyExists: another pool has that name.
    """
    if (name, active, start_date, expiration_date) == (None, None, None, None) and not clear:
        raise InvalidInput("Nothing to change: give name, active, start_date or expiration_date.")
    if name is not None:
        await _refuse_taken(transaction, project, check_name(name), pool.id)
    given = {"start_date": start_date, "expiration_date": expiration_date}
    changes = dict.fromkeys(clear) | {field: date for field, date in given.items() if date is not None}
    dates = _dates_of(pool) | changes
    check_together({**pool.template, **dates}, "", changes)
    own = (name or pool.name, pool.active if active is None else active, *dates.values())
    seen = (pool.name, pool.active, pool.start_date, pool.expiration_date)
    await transaction.later("pool_update", project.n, pool.n, *own, moment, *seen, overtakes="The pool")
    return await find(transaction, project, pool.id)


async def count_reached(transaction: Transaction, pool: Pool, changed: Collection[str]) -> dict[str, int]:
    """How far these dates of the pool carry: a code's own date stands in place of the pool's."""
    if not changed:
        return {}
    row = await transaction.one(
        "pool_own_dates", pool.project, pool.n, "start_date" in changed, "expiration_date" in changed
    )
    kept = int(row[0]) if row else 0
    return {"codes_reached": pool.total - kept, "codes_not_reached": kept}


def _dates_of(pool: Pool) -> dict[str, int | None]:
    return {"start_date": pool.start_date, "expiration_date": pool.expiration_date}


async def _refuse_taken(transaction: Transaction, project: Project, name: str, pool_id: str) -> None:
    if await transaction.one("pool_name_taken", project.n, name, pool_id):
        raise AlreadyExists(
            f"A pool named {quoted(name)} exists already. Choose another name, or work with that pool by "
            "its name.",
            field="name",
        )
