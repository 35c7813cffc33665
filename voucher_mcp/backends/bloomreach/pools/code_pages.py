"""The codes of a pool: all, or those that a filter lets through, as the vendor filters nothing itself."""

from collections.abc import AsyncIterator

import anyio

from voucher_mcp.backends.bloomreach.client.walking import Walk
from voucher_mcp.backends.bloomreach.mapping.failures import CutOff
from voucher_mcp.backends.pace import fits
from voucher_mcp.backends.walking import ListMoved
from voucher_mcp.domain.errors import RateLimited, Unavailable, UpstreamError
from voucher_mcp.domain.values.texts import composed
from voucher_mcp.domain.vouchers.pool import CodesQuery, VoucherCode

WALKED_CODES = 10_000
"""Ours: how far a filter looks, at a call a second."""
_PAGE_SECONDS = 5.0
"""Ours: what has to be left of a call's time for one page more."""
PAUSES = (5.0, 15.0, 30.0)
"""Ours: seconds after which an export asks for a page again. A million codes take a quarter of an hour."""

CodeWalk = Walk[VoucherCode]


async def all_codes(walk: CodeWalk) -> AsyncIterator[list[VoucherCode]]:
    """Every page until the walk ends. Once under way, it waits for a server that is away for a while.

    Raises:
        VoucherError: a page cannot be had, or the pages are not those of one list.
    """
    while not walk.ended:
        yield await _next_patiently(walk)


async def _next_patiently(walk: CodeWalk) -> list[VoucherCode]:
    for pause in PAUSES if walk.pages else ():
        try:
            return await walk.next()
        except (CutOff, ListMoved):
            raise
        except (RateLimited, Unavailable):
            await anyio.sleep(pause)
    return await walk.next()


async def find_codes(walk: CodeWalk, query: CodesQuery) -> tuple[list[VoucherCode], bool]:
    """The codes that the query's filters let through, and whether there may be more beyond the walk.

    The walk ends with the pool, with the last code that was asked for by name, after WALKED_CODES, or when
    the call's time or the vendor's patience does.
    """
    sought = None if query.code_ids is None else set(map(composed, query.code_ids))
    found: list[VoucherCode] = []
    while not walk.ended and sought != set() and _may_go_on(walk):
        try:
            page = await walk.next()
        except (RateLimited, UpstreamError, CutOff):
            if not walk.pages:
                raise
            break  # what was found is worth having
        if sought is not None:
            page = [code for code in page if composed(code["code"]) in sought]
            sought.difference_update(composed(code["code"]) for code in page)
        found += [code for code in page if query.status in (None, code["status"])]
    return found, not walk.reached_end and sought != set()


def _may_go_on(walk: CodeWalk) -> bool:
    return walk.pages == 0 or fits(0.0, _PAGE_SECONDS)
