"""Pages of a pool's codes, at a cost that does not grow with the codes that are skipped.

Without a window of time, codes come in the order in which they were added, and a page is found by adding up
blocks of counted codes. With a window they come in the order of their last change, the count of matches stops
at a limit, and so does `skip`.
"""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, cast

from voucher_mcp.backends.local.records.codes import STATUS_NAMES, find_some
from voucher_mcp.backends.local.records.ids import voucher_ids
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.vouchers.pool import CodesQuery, ExportedCode, VoucherCode
from voucher_mcp.stores.base import AVAILABLE, REDEEMED, Row, Transaction
from voucher_mcp.stores.projects import Project

WINDOW_LIMIT = 100_000
EXPORT_BATCH = 5_000

_ALL_TIMES = (-(2**62), 2**62)


def public(project: Project, rows: Sequence[Row]) -> list[VoucherCode]:
    """Codes as list_voucher_codes shows them, of rows of nine columns; what does not apply is left out.

    All in one loop, as a page has a thousand.
    """
    page, identity = list[VoucherCode](), voucher_ids(project)
    for n, code, status, assigned_at, redeemed_at, holder, start_date, expiration_date, metadata in rows:
        shown: VoucherCode = {
            "code": code,
            "status": STATUS_NAMES[status],
            "assigned_time": None if assigned_at is None else assigned_at / 1000,
            "redeemed_time": None if redeemed_at is None else redeemed_at / 1000,
            "id": identity(n),
        }
        if holder is not None:
            shown["customer_id"] = holder
        if start_date is not None:
            shown["valid_from"] = start_date / 1000
        if expiration_date is not None:
            shown["valid_until"] = expiration_date / 1000
        if metadata is not None:
            shown["metadata"] = json.loads(metadata)
        page.append(shown)
    return page


async def page(
    transaction: Transaction, project: Project, pool: Pool, query: CodesQuery
) -> Answer[list[VoucherCode]]:
    """A page of codes with `matched`, `matched_limited`, `skip` and `limit` beside it.

    Raises:
        InvalidInput: an unknown status, or `skip` beyond what a window can page to.
    """
    status = _status(query.status)
    if query.code_ids is not None:
        rows, matched = await _named(transaction, project, pool, query, status)
    elif query.updated_after is not None or query.updated_before is not None:
        rows, matched = await _updated(transaction, pool, query, status)
    else:
        rows, matched = await _in_order(transaction, pool, query, status)
    limited = matched > WINDOW_LIMIT and query.code_ids is None and _window(query) != _ALL_TIMES
    return Answer(
        public(project, rows),
        {
            "matched": WINDOW_LIMIT if limited else matched,
            "matched_limited": limited,
            "skip": query.skip,
            "limit": query.count,
        },
    )


def _status(name: str | None) -> int | None:
    if name is None:
        return None
    if name not in STATUS_NAMES:
        raise InvalidInput(f"`status` must be one of {', '.join(STATUS_NAMES)}.", field="status")
    return STATUS_NAMES.index(name)


def _window(query: CodesQuery) -> tuple[int, int]:
    earliest, latest = _ALL_TIMES
    after = earliest if query.updated_after is None else query.updated_after
    before = latest if query.updated_before is None else query.updated_before
    return after, before


async def _in_order(
    transaction: Transaction, pool: Pool, query: CodesQuery, status: int | None
) -> tuple[list[Row], int]:
    key = (pool.project, pool.n)
    first_n, skip, matched = 0, query.skip, 0
    for block_n, *counts in await transaction.all("blocks_of_pool", *key):
        count = sum(counts) if status is None else counts[status]
        if query.skip >= matched:
            first_n, skip = block_n, query.skip - matched
        matched += count
    if query.skip >= matched:
        return [], matched
    if status is None:
        return await transaction.all("codes_from", *key, first_n, skip, query.count), matched
    return await transaction.all("codes_from_with_status", *key, first_n, skip, query.count, status), matched


async def _updated(
    transaction: Transaction, pool: Pool, query: CodesQuery, status: int | None
) -> tuple[list[Row], int]:
    if query.skip > WINDOW_LIMIT:
        raise InvalidInput(
            f"`skip` reaches at most {WINDOW_LIMIT:,} codes into a window of time; narrow updated_after and "
            "updated_before instead.",
            field="skip",
        )
    lowest, highest = (AVAILABLE, REDEEMED) if status is None else (status, status)
    window = (pool.project, pool.n, *_window(query), lowest, highest)
    counted = await transaction.one("codes_updated_count", *window, WINDOW_LIMIT + 1)
    rows = await transaction.all("codes_updated", *window, query.skip, query.count)
    return rows, int(counted[0]) if counted else 0


async def _named(
    transaction: Transaction, project: Project, pool: Pool, query: CodesQuery, status: int | None
) -> tuple[list[Row], int]:
    after, before = _window(query)
    found: dict[int, Row] = {}
    for row in (await find_some(transaction, project, pool, query.code_ids or ())).values():
        if status in (None, row[2]) and after <= row[9] < before:
            found[row[0]] = row
    rows = [found[n][:9] for n in sorted(found)]
    return rows[query.skip : query.skip + query.count], len(rows)


Reader = Callable[
    [Callable[[Transaction], Coroutine[Any, Any, Sequence[Row]]]], Coroutine[Any, Any, Sequence[Row]]
]


async def every(
    read: Reader, project: Project, pool: Pool, status: str | None
) -> AsyncGenerator[list[ExportedCode]]:
    """All codes of a pool in order, a batch a transaction; codes added meanwhile come too."""
    wanted, last, key = _status(status), -1, (project.n, pool.n)
    statuses = (AVAILABLE, REDEEMED) if wanted is None else (wanted, wanted)
    while rows := await read(
        lambda t, after=last: t.all("codes_exported", *key, after + 1, *statuses, EXPORT_BATCH, t.now())  # type: ignore[misc]
    ):
        shown = public(project, [row[:9] for row in rows])
        yield list(map(_exported, shown, rows))
        last = rows[-1][0]


def _exported(code: VoucherCode, row: Row) -> ExportedCode:
    active, expired, reserved, balance, points = row[9:]
    shown = cast(ExportedCode, code)
    shown["active"], shown["expired"], shown["reserved"] = bool(active), bool(expired), bool(reserved)
    if balance is not None:
        shown["balance"] = balance
    if points is not None:
        shown["points"] = points
    return shown
