"""The one way in which the vendor's lists are read: pages that overlap, so that one can see where they part.

The vendor pages by position and documents no order: a list that changes while it is read loses rows or shows
them twice. So each page begins with the last row of the one before it, no row may come again on a later page,
and where the vendor counts its rows the list ends with the last of them (ours).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from voucher_mcp.backends.bloomreach.mapping import objects
from voucher_mcp.backends.bloomreach.mapping.answers import Payload, Row, rows
from voucher_mcp.backends.bloomreach.mapping.failures import CutOff, Moved, TooHeavy

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
        self._given: set[str] = set()
        self._started_over = False
        self.pages = 0
        self.last: Page[R]
        """The page that was read last."""
        self.reached_end = False
        """Whether there is nothing after what was read."""
        self._overlap = 0
        self._rewind()

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
            Moved: the list changed while it was read, and again when it was read again.
            CutOff: the vendor gave less of it than it counts, twice.
        """
        while (fault := self._fault_of(page := await self._next_page())) is not None:
            if self._started_over:
                raise fault
            self._started_over = True
            self._rewind()
        told = {self._key(row): row for row in page.rows[self._overlap :] if row is not None}
        fresh = [row for key, row in told.items() if key not in self._given]
        self._given.update(told)
        self._overlap = 1
        return fresh

    def _rewind(self) -> None:
        self._position = self._start
        self._overlap = 0
        self._seam: str | None = None
        self._seen: set[str] = set()

    @property
    def _left(self) -> int | None:
        return None if self._most is None else max(0, self._start + self._most - self._position)

    async def _next_page(self) -> Page[R]:
        """The next page; a smaller one where the vendor calls it too heavy."""
        while True:
            size = self._size if self._left is None else min(self._size, self._left + self._overlap)
            try:
                page = await self._read(self._position - self._overlap, size)
            except TooHeavy:
                if size <= 1 + self._overlap:
                    raise
                self._size = max(1 + self._overlap, size // 2)
            else:
                self.pages += 1
                self._asked = size
                self.last = page
                return page

    def _fault_of(self, page: Page[R]) -> Moved | CutOff | None:
        """Why the page does not go on where the one before ended; None where it does: it is counted in."""
        keys = [None if row is None else self._key(row) for row in page.rows]
        if self._overlap and (not keys or keys[0] != self._seam):
            return Moved()
        told = {key for key in keys[self._overlap :] if key is not None}
        if not self._seen.isdisjoint(told):
            return Moved()
        self._seen |= told
        self._position += len(keys) - self._overlap
        self._seam = keys[-1] if keys else None
        missing = page.matched is not None and self._position < page.matched
        counted = page.matched is not None and not page.matched_limited
        self.reached_end = not missing and (counted or len(keys) < min(self._asked, page.limit))
        return None if self.reached_end or told else CutOff(self._position)
