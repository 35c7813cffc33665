"""Putting codes into pools, handing them out and taking them away.

Every function keeps the counters of pool and block equal to the rows, in the same transaction.
"""

from collections.abc import Sequence
from itertools import islice

from voucher_mcp.backends.local.records import holders, removal, taken
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.backends.local.records.references import IS_AN_ID, hint, is_an_id, rows_of
from voucher_mcp.domain.errors import (
    InvalidInput,
    PoolExhausted,
    VoucherDisabled,
    VoucherExpired,
    quoted,
)
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_iso, to_unix
from voucher_mcp.domain.vouchers.pool import AssignedCode, BadCode, CodeFate, Generation, NewCode
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE, DELETED, REDEEMED, Row, Transaction
from voucher_mcp.stores.projects import Project

STATUS_NAMES = ("available", "assigned", "redeemed")

_SPARE_TRIES = 2_000
"""Random codes that may turn out taken before their form counts as used up; 20 more for each one asked."""


async def add(
    transaction: Transaction, project: Project, pool: Pool, codes: Sequence[NewCode | BadCode], moment: int
) -> list[CodeFate]:
    """Add codes and answer the fate of each, in their order; what cannot be added leaves the others alone."""
    good: dict[str, NewCode] = {}
    twice: set[str] = set()
    for code in codes:
        if isinstance(code, NewCode) and good.setdefault(code.value, code) is not code:
            twice.add(code.value)
    first = await last_row(transaction) + 1
    added = await insert(transaction, project, pool, list(good.values()), moment)
    refused = [code for code in good if code not in added or code in twice]
    reasons = await taken.reasons(transaction, project, refused, pool.n, first)
    fates: list[CodeFate] = []
    for code in codes:
        if isinstance(code, BadCode):
            fates.append({"code": code.value, "id": None, "result": "invalid", "error": code.reason})
        elif (n := added.pop(code.value, None)) is not None:  # taken out: a second one is a duplicate
            fates.append(added_fate(project, code.value, n))
        elif is_an_id(project, code.value):
            fates.append({"code": code.value, "id": None, "result": "invalid", "error": IS_AN_ID})
        else:
            fates.append(
                {"code": code.value, "id": None, "result": "duplicate", "error": reasons[code.value]}
            )
    return fates


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
        wanted = [NewCode(code) for code in generation.config.generate(missing)]
        fresh = await insert(transaction, project, pool, wanted, moment)
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


async def last_row(transaction: Transaction) -> int:
    """The highest row that there is, 0 in an empty database."""
    row = await transaction.one("voucher_last")
    return int(row[0]) if row else 0


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
    await holders.hold(transaction, project, customer_id, n, holders.OWNER, moment)
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


async def delete(
    transaction: Transaction,
    project: Project,
    pool: Pool,
    rows: Sequence[Row],
    force: bool,
    moment: int,
) -> list[str]:
    """Delete the codes in these rows of `find_all`; answer their ids. Forced, their texts are free."""
    for n, _, status, *_ in rows:
        await remove(transaction, project, pool.n, n, status, force, moment)
    return [voucher_id(project, row[0]) for row in rows]


async def remove(
    transaction: Transaction,
    project: Project,
    pool_n: int | None,
    n: int,
    status: int,
    force: bool,
    moment: int,
) -> None:
    """Delete the voucher in row `n`, of that status, with its holders and reservations; its history stays."""
    await transaction.run("voucher_delete", project.n, n, force, moment)
    if status != DELETED:
        if pool_n is not None:
            await transaction.count_code(project.n, pool_n, n, status, DELETED)
        await removal.forget(transaction, project, n)


async def find_all(
    transaction: Transaction, project: Project, pool: Pool, references: Sequence[str], deleted_too: bool
) -> list[Row]:
    """The rows of codes given by id or code, each once.

    Deleted ones too, if asked for, as long as their texts are taken.

    Raises:
        InvalidInput: one of them is not of this pool.
    """
    found = await find_some(transaction, project, pool, references, deleted_too)
    missing = [reference for reference in references if reference not in found]
    if missing:
        meant = await hint(transaction, project, missing[0], pool.n) if len(missing) == 1 else ""
        named = ", ".join(quoted(reference) for reference in islice(missing, 5))
        raise InvalidInput(
            f"Not in the pool {quoted(pool.name)}: {named}{' and others' if len(missing) > 5 else ''} "
            f"({len(missing)} of {counted(len(references), 'code')}).{meant} list_voucher_codes shows those "
            "that are.",
            field="code_ids",
        )
    return list({row[0]: row for row in found.values()}.values())


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
