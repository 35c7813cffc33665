"""Walking the codes of a pool page by page, as the vendor filters nothing itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import anyio

from voucher_mcp.backends.bloomreach import mapping
from voucher_mcp.backends.bloomreach.answers import Payload, rows
from voucher_mcp.backends.pace import fits
from voucher_mcp.domain.errors import RateLimited, Unavailable, UpstreamError
from voucher_mcp.domain.pool import CodesQuery, VoucherCode

PAGE = 1_000
"""The most codes that the vendor gives a call."""
WALKED_PAGES = 10
"""Ours: how far a filter looks, at a call a second."""
_PAGE_SECONDS = 5.0
"""Ours: what has to be left of a call's time for one page more."""
PAUSES = (5.0, 15.0, 30.0)
"""Ours: seconds after which an export asks for a page again. A million codes take a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of list_voucher_codes."""

    codes: list[VoucherCode]
    received: int
    """How many rows came, those that make no code included."""
    matched: int | None
    matched_limited: bool | None
    skip: int
    limit: int

    @classmethod
    def of(cls, answer: Payload, skip: int, count: int) -> "Page":
        """Read it; skip and limit are as the vendor says they were applied, else as they were asked for."""
        limited = answer.get("matched_limited")
        said_skip, said_limit = (
            mapping.whole_number(answer.get("skip")),
            mapping.whole_number(answer.get("limit")),
        )
        return cls(
            mapping.codes(rows("list_voucher_codes", answer)),
            len(answer["data"]),
            mapping.whole_number(answer.get("matched")),
            limited if isinstance(limited, bool) else None,
            skip if said_skip is None else said_skip,
            said_limit or count,
        )


class CodeWalk:
    """A pool from its first code on. The order is the vendor's; a code that moves meanwhile comes once."""

    def __init__(self, read: Callable[[int, int], Awaitable[Page]]) -> None:
        """Read nothing yet; `read` takes skip and count."""
        self._read = read
        self._skip = 0
        self._seen: set[str] = set()
        self.pages = 0
        self.ended = False
        """Whether the last page was read."""

    async def next(self) -> list[VoucherCode]:
        """The next page's codes.

        Raises:
            UpstreamError: the vendor has more codes than it gives, or gives the same ones again.
        """
        page = await self._read(self._skip, PAGE)
        self.pages += 1
        self._skip += page.received
        fresh = [code for code in page.codes if code["code"] not in self._seen]
        missing = page.matched is not None and self._skip < page.matched
        self.ended = not missing and self._is_last(page)
        if not self.ended and not fresh:
            raise UpstreamError(
                f"Bloomreach's server gives no codes beyond the first {len(self._seen):,} of this pool, "
                "though it has more. Nothing was changed. The product itself shows them all."
            )
        self._seen.update(code["code"] for code in fresh)
        return fresh

    def _is_last(self, page: Page) -> bool:
        """Whether nothing comes after a page, where the count does not say that something has to."""
        counted = page.matched is not None and not page.matched_limited
        return counted or page.received < min(PAGE, page.limit)


async def all_codes(walk: CodeWalk) -> AsyncIterator[list[VoucherCode]]:
    """Every page until the pool ends. Once under way, the walk waits for a server that is away for a while.

    Raises:
        VoucherError: a page cannot be had.
    """
    while not walk.ended:
        yield await _next_patiently(walk)


async def _next_patiently(walk: CodeWalk) -> list[VoucherCode]:
    for pause in PAUSES if walk.pages else ():
        try:
            return await walk.next()
        except (RateLimited, Unavailable):
            await anyio.sleep(pause)
    return await walk.next()


async def find_codes(walk: CodeWalk, query: CodesQuery) -> tuple[list[VoucherCode], bool]:
    """The codes that the query's filters let through, and whether there may be more beyond the walk.

    The walk ends with the pool, with the last code that was asked for by name, after WALKED_PAGES, or when
    the call's time or the vendor's patience does.
    """
    sought = None if query.code_ids is None else set(query.code_ids)
    found: list[VoucherCode] = []
    while not walk.ended and sought != set() and _may_go_on(walk):
        try:
            page = await walk.next()
        except (RateLimited, UpstreamError):
            if not walk.pages:
                raise
            break  # what was found is worth having
        if sought is not None:
            page = [code for code in page if code["code"] in sought]
            sought.difference_update(code["code"] for code in page)
        found += [code for code in page if query.status in (None, code["status"])]
    return found, not walk.ended and sought != set()


def _may_go_on(walk: CodeWalk) -> bool:
    return walk.pages == 0 or (walk.pages < WALKED_PAGES and fits(0.0, _PAGE_SECONDS))
