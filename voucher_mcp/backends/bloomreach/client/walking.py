"""The one way in which the vendor's lists are read: by position, each page from the last row read before.

The vendor documents no order, and where it counts its rows the list ends with the last of them (ours).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from voucher_mcp.backends.bloomreach.mapping import objects
from voucher_mcp.backends.bloomreach.mapping.answers import Payload, Row, rows
from voucher_mcp.backends.bloomreach.mapping.failures import CutOff
from voucher_mcp.backends.http.statuses import TooHeavy
from voucher_mcp.backends.walking import ListMoved, Once, Seen

R = TypeVar("R")

PAGE = 1_000
"""The most rows that the vendor gives a call."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """A page of a list."""

    rows: Sequence[R | None]
    """Those that came; None for one that makes no sense."""
    matched: int | None
    matched_limited: bool | None
    skip: int
    limit: int

    @classmethod
    def of(
        cls, tool: str, answer: Payload, read: Callable[[Row], R | None], skip: int, count: int
    ) -> "Page[R]":
        """Read it; skip and limit are as the vendor says they were applied, else as they were asked for.

        Raises:
            UpstreamError: it is not a list of objects.
        """
        rows(tool, answer)
        limited = answer.get("matched_limited")
        said_skip = objects.whole_number(answer.get("skip"))
        return cls(
            [read(row) if isinstance(row, dict) else None for row in answer["data"]],
            objects.whole_number(answer.get("matched")),
            limited if isinstance(limited, bool) else None,
            skip if said_skip is None else said_skip,
            objects.whole_number(answer.get("limit")) or count,
        )


class Walk(Generic[R]):
    """A list from some row on, each row once; it starts over once where the list changed meanwhile."""

    def __init__(
        self,
        read: Callable[[int, int], Awaitable[Page[R]]],
        key: Callable[[R], str],
        *,
        start: int = 0,
        most: int | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            read: takes skip and count.
            key: what tells a row from all others.
            start: how many rows to leave out.
            most: how many to read; None: to the list's end.
        """
        self._read = read
        self._key = key
        self._start = start
        self._most = most
        self._size = PAGE
        self._seen = Seen(start)
        self._once = Once(key)
        self.pages = 0
        self.last: Page[R]
        """The page that was read last."""
        self.reached_end = False
        """Whether there is nothing after what was read."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to read."""
        return self.reached_end or self._left == 0

    @property
    def in_parts(self) -> bool:
        """Whether the vendor did not give as much at once as was asked for."""
        return self._size < PAGE

    async def next(self) -> list[R]:
        """The rows of the next page that did not come before: none perhaps, after it started over.

        Raises:
            ListMoved: the list changed while it was read, and again when it was read again.
            CutOff: the vendor gave less of it than it counts, twice.
        """
        while True:
            page = await self._next_page()
            try:
                return self._once.fresh(self._added(page))
            except (ListMoved, CutOff) as fault:
                self._once.start_over(fault)
                self._seen = Seen(self._start)

    @property
    def _overlap(self) -> int:
        return 1 if self._seen.names else 0

    @property
    def _left(self) -> int | None:
        return None if self._most is None else max(0, self._start + self._most - self._seen.end)

    async def _next_page(self) -> Page[R]:
        """The next page; a smaller one where the vendor calls it too heavy."""
        while True:
            size = self._size if self._left is None else min(self._size, self._left + self._overlap)
            try:
                page = await self._read(self._seen.end - self._overlap, size)
            except TooHeavy:
                if size <= 1 + self._overlap:
                    raise
                self._size = max(1 + self._overlap, size // 2)
            else:
                self.pages += 1
                self._asked = size
                self.last = page
                return page

    def _added(self, page: Page[R]) -> list[R]:
        """The rows that a page adds.

        Raises:
            ListMoved: it does not go on where the one before ended.
            CutOff: it adds none that makes sense, and does not end the list.
        """
        start = self._seen.end - self._overlap
        names = [place if row is None else self._key(row) for place, row in enumerate(page.rows, start)]
        known = self._seen.add(start, names)
        missing = page.matched is not None and self._seen.end < page.matched
        counted = page.matched is not None and not page.matched_limited
        self.reached_end = not missing and (counted or len(names) < min(self._asked, page.limit))
        added = [row for row in page.rows[known:] if row is not None]
        if not self.reached_end and not added:
            raise CutOff(self._seen.end)
        return added
