"""Putting codes into pools, handing them out and taking them away.

Every function keeps the counters of pool and block equal to the rows, in the same transaction.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from voucher_mcp.backends.local.ids import Project, voucher_id, voucher_row
from voucher_mcp.backends.local.pools.pools import Pool
from voucher_mcp.backends.local.redeemables import holders
from voucher_mcp.backends.local.references import IS_AN_ID, by_code, hint, is_an_id
from voucher_mcp.backends.local.stores.base import Row, Transaction
from voucher_mcp.backends.local.vouchers import removal
from voucher_mcp.domain.errors import (
    Conflict,
    InvalidInput,
    PoolExhausted,
    VoucherDisabled,
    VoucherExpired,
    quoted,
)
from voucher_mcp.domain.pool import AssignedCode, BadCode, CodeFate, Generation, NewCode
from voucher_mcp.domain.texts import folded
from voucher_mcp.domain.times import to_iso, to_unix

AVAILABLE, ASSIGNED, REDEEMED, DELETED = range(4)
STATUS_NAMES = ("available", "assigned", "redeemed")

BLOCK_SIZE = 8192
_SPARE_TRIES = 2_000
"""Random codes that may turn out taken before their form counts as used up; 20 more for each one asked."""


async def add(
    transaction: Transaction, project: Project, pool: Pool, codes: Sequence[NewCode | BadCode], moment: int
) -> list[CodeFate]:
    """Add codes and answer the fate of each, in their order; what cannot be added leaves the others alone."""
    good: dict[str, NewCode] = {}
    for code in codes:
        if isinstance(code, NewCode):
            good.setdefault(code.value, code)
    added = await insert(transaction, project, pool, good.values(), moment)
    return [_fate(project, code, added) for code in codes]


def _fate(project: Project, code: NewCode | BadCode, added: dict[str, int]) -> CodeFate:
    if isinstance(code, BadCode):
        return {"code": code.value, "id": None, "result": "invalid", "error": code.reason}
    if is_an_id(project, code.value):
        return {"code": code.value, "id": None, "result": "invalid", "error": IS_AN_ID}
    n = added.pop(code.value, None)  # taken out, so that a second one of the same text is a duplicate
    if n is None:
        return {"code": code.value, "id": None, "result": "duplicate", "error": "this code exists already"}
    return added_fate(project, code.value, n)


def added_fate(project: Project, code: str, n: int) -> CodeFate:
    """The fate of a code that went into row `n`."""
    return {"code": code, "id": voucher_id(project, n), "result": "added", "error": None}


async def generate(
    transaction: Transaction, project: Project, pool: Pool, generation: Generation, moment: int
) -> dict[str, int]:
    """Add exactly so many random codes that are new in the project; answer their rows by code.

    Raises:
        InvalidInput: the form has too few codes left for the number asked.
    """
    added: dict[str, int] = {}
    spare = _SPARE_TRIES + 20 * generation.count
    while spare >= 0:
        missing = generation.count - len(added)
        fresh = await insert(
            transaction, project, pool, map(NewCode, generation.config.generate(missing)), moment
        )
        added |= fresh
        spare -= missing - len(fresh)
        if len(added) == generation.count:
            return added
    raise InvalidInput(
        f"Nearly all codes of this form are taken: only {len(added):,} of {generation.count:,} could be "
        "made, and none was kept. Ask for a longer length or another pattern, prefix or postfix.",
        field="generate",
    )


async def insert(
    transaction: Transaction, project: Project, pool: Pool, codes: Iterable[NewCode], moment: int
) -> dict[str, int]:
    """Add the codes that the project does not have yet; answer their rows by code."""
    wanted = [code for code in codes if not is_an_id(project, code.value)]
    last, count = await store(transaction, project, pool, wanted, moment)
    if count == len(wanted):
        return {code.value: n for n, code in enumerate(wanted, start=last + 1)}
    return await rows_after(transaction, last)


async def store(
    transaction: Transaction, project: Project, pool: Pool, codes: Sequence[NewCode], moment: int
) -> tuple[int, int]:
    """Add the codes that the project does not have yet, the first of those with one text.

    Answers the last row before them, and how many were added: they are in the rows that follow it. None of
    the codes `is_an_id`.
    """
    last = await last_row(transaction)
    values = ""
    if all(code[1:4] == (None, None, None) for code in codes):  # nothing but their texts
        values = json.dumps([code.value for code in codes], ensure_ascii=False)
    if values and values.isascii():
        count = await transaction.run("codes_insert", project.n, pool.n, moment, values)  # quicker at once
    else:
        rows = [
            (project.n, pool.n, c.value, moment, c.valid_from, c.valid_until, c.metadata, folded(c.value))
            for c in codes
        ]
        count = await transaction.many("code_insert", rows)
    await _count_new(transaction, pool, last + 1, count)
    return last, count


async def rows_after(transaction: Transaction, last: int) -> dict[str, int]:
    """The rows behind that one, by code."""
    return {code: n for n, code in await transaction.all("codes_after", last)}


async def last_row(transaction: Transaction) -> int:
    """The highest row that there is, 0 in an empty database."""
    row = await transaction.one("voucher_last")
    return int(row[0]) if row else 0


async def _count_new(transaction: Transaction, pool: Pool, first: int, count: int) -> None:
    """Count rows `first` to `first + count - 1` as available: in the pool's last block, then in new ones."""
    await transaction.run("pool_count", pool.n, count, 0, 0)
    last_block = await transaction.one("block_last", pool.n)
    if last_block is not None and count:
        first_n, size = last_block
        room = min(count, BLOCK_SIZE - size)
        if room > 0:
            await transaction.run("block_extend", pool.n, first_n, room)
            first, count = first + room, count - room
    starts = range(first, first + count, BLOCK_SIZE)
    await transaction.many("block_insert", ((pool.n, n, min(BLOCK_SIZE, first + count - n)) for n in starts))


async def assign(
    transaction: Transaction, project: Project, pool: Pool, customer_id: str, moment: int
) -> AssignedCode:
    """Give the first available code to a customer; codes that are disabled or past their own end are skipped.

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
    row = await transaction.one("code_next_available", pool.n, moment)
    if row is None:
        raise PoolExhausted(
            f"The pool {quoted(pool.name)} has no code left to assign ({pool.available:,} available, "
            f"{pool.total:,} in "
            "all); nothing was changed. add_voucher_codes puts more into it."
        )
    n, code = row
    if not await transaction.run("code_assign", n, customer_id, moment):
        raise Conflict("The code was taken by someone else; nothing was changed. Try again.", retryable=True)
    await holders.hold(transaction, project, customer_id, n, holders.OWNER, moment)
    await move(transaction, pool.n, n, AVAILABLE, ASSIGNED)
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


async def move(transaction: Transaction, pool: int, n: int, old: int, new: int) -> None:
    """Count the code in row `n` of the pool in row `pool` under its new status; a deleted one nowhere."""
    change = [(status == new) - (status == old) for status in (AVAILABLE, ASSIGNED, REDEEMED)]
    await transaction.run("pool_count", pool, *change)
    await transaction.run("block_count", pool, n, *change)


async def delete(
    transaction: Transaction,
    project: Project,
    pool: Pool,
    references: Sequence[str],
    force: bool,
    moment: int,
) -> list[str]:
    """Delete codes by id or code, all or none; answer their ids. Their texts stay taken, unless forced.

    Raises:
        InvalidInput: one of them is not of this pool.
    """
    rows = {int(row[0]): row for row in await find_all(transaction, project, pool, references)}
    for n, row in rows.items():
        await transaction.run("voucher_delete", n, force, moment)
        await move(transaction, pool.n, n, row[2], DELETED)
        await removal.forget(transaction, project, n)
    return [voucher_id(project, n) for n in rows]


async def find_all(
    transaction: Transaction, project: Project, pool: Pool, references: Sequence[str]
) -> list[Row]:
    """The rows of codes given by id or code.

    Raises:
        InvalidInput: one of them is not of this pool.
    """
    found = [(reference, await find(transaction, project, pool, reference)) for reference in references]
    missing = [reference for reference, row in found if row is None]
    if missing:
        meant = await hint(transaction, project, missing[0], pool.n) if len(missing) == 1 else ""
        named = ", ".join(quoted(reference) for reference in islice(missing, 5))
        raise InvalidInput(
            f"{len(missing)} of {len(references)} codes are not in the pool {quoted(pool.name)}: {named}"
            f"{' and others' if len(missing) > 5 else ''}. Nothing was changed.{meant}",
            field="code_ids",
        )
    return [row for _, row in found if row is not None]


async def find(transaction: Transaction, project: Project, pool: Pool, reference: str) -> Row | None:
    """The row of one code of the pool, by code or id; a code wins over an id, as with vouchers."""
    row = await by_code(transaction, "code_by_code", pool.n, project.n, code=reference)
    n = voucher_row(project, reference) if row is None else None
    return row if n is None else await transaction.one("code_by_n", pool.n, n)
