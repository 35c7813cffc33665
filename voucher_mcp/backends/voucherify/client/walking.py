"""The one way in which the vendor's lists are read: by numbered pages, each beginning within the one before.

What was read in all is held against the total.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from voucher_mcp.backends.voucherify.client.account import LAST_PAGE, PAGE, Account
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_object, as_text, as_unix
from voucher_mcp.backends.voucherify.mapping.query import encode
from voucher_mcp.backends.walking import ListMoved, Seen
from voucher_mcp.domain.errors import UpstreamError
from voucher_mcp.domain.values.times import to_iso

T = TypeVar("T")

EVERYTHING: Final = 10**9
"""More rows than a list has."""

Later = Callable[[str], Mapping[str, Any]]
"""The parameters that narrow a list to what was made after a time, in ISO 8601."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of the vendor's: where it is, and what it is asked."""

    path: str
    name: str
    """Under which its rows stand."""
    parameters: Mapping[str, Any]
    later: Later | None = None
    """How it goes on where no page reaches; only for a list in the order in which its rows were made."""
    last_page: int = LAST_PAGE
    strict: bool = False
    """A row that is not an object makes it unreadable: what is not in the list proves something."""

    @property
    def reach(self) -> int:
        """How many rows pages reach."""
        return PAGE * self.last_page


@dataclass(frozen=True, slots=True)
class Stretch(Generic[T]):
    """Rows of a list that follow each other, or what was made of them."""

    rows: list[T]
    total: int | None
    """How many the list has in all, as far as it says."""
    ends: bool
    """The list has nothing behind them."""


class Walking(Account):
    """Reads the vendor's lists."""

    async def _stretch(self, listed: ListOf, skip: int, count: int) -> Stretch[Object]:
        """`count` rows from `skip` on, by as few pages as can be checked against each other.

        Raises:
            ListMoved: the list changed in both of two readings.
        """
        return await self._shaped(listed, skip, count, lambda row: row)

    async def _shaped(
        self, listed: ListOf, skip: int, count: int, shape: Callable[[Object], T]
    ) -> Stretch[T]:
        """The same, of each row only what `shape` makes of it: for lists that are too long to keep whole."""

        async def read() -> Stretch[T]:
            rows: list[T] = []
            total, ends = None, False
            async for page in self._pages(listed, skip, count):
                rows += map(shape, page.rows)
                total, ends = page.total, page.ends
            return Stretch(rows, total, ends)

        try:
            return await read()
        except ListMoved:
            return await read()

    async def _pages(self, listed: ListOf, skip: int, count: int) -> AsyncGenerator[Stretch[Object], None]:
        """What each further page adds, from `skip` on and `count` rows at most.

        Raises:
            ListMoved: two pages do not fit together, or all of them to the total.
        """
        seen, part = Seen(skip), _Part()
        while listed.later is not None and skip - part.base >= listed.reach:
            last = await self._page_of(listed, part, PAGE, listed.last_page)
            if last.is_last:
                yield Stretch([], last.total, True)
                return
            if (more := _after(listed, last)) is None:
                break
            part = more
        wanted = skip + count
        page: _Page | None = None
        while True:
            if (place := _place(seen, part.base, wanted, listed.last_page)) is None:
                if page is None or (more := _after(listed, page)) is None:
                    return  # no page reaches further
                part, page = more, None
                continue
            page = await self._page_of(listed, part, *place)
            names = [_name_of(row, place) for place, row in enumerate(page.rows, page.start)]
            if len(set(names)) < len(names):  # ids are unique, so that another row is missing
                raise ListMoved
            new = page.rows[seen.add(page.start, names) :]
            beyond = max(0, seen.end - wanted)
            ends = page.is_last and not beyond
            shown = new[: len(new) - beyond]
            yield Stretch([as_object(row) for row in shown if isinstance(row, Mapping)], page.total, ends)
            if page.is_last or seen.end >= wanted:
                return

    async def _page_of(self, listed: ListOf, part: "_Part", size: int, number: int) -> "_Page":
        """A page with its rows as they came.

        Raises:
            UpstreamError: it has none.
            ListMoved: they are not as many as the total says.
        """
        query = {"limit": size, "page": number, **listed.parameters, **part.narrowed}
        reply = await self._http.read("GET", listed.path, query=encode(query))
        body = reply.object()
        rows = body.get(listed.name)
        if not isinstance(rows, list) or len(rows) > size:
            raise reply.unreadable("has no list where one was expected")
        if any((_made(row) or part.since) < part.since for row in rows):
            raise UpstreamError(
                "The voucher system does not narrow this list to what was made after a time. So what its "
                "pages do not reach cannot be listed. Ask for less, or from an earlier row on."
            )
        if listed.strict and not all(isinstance(row, Mapping) for row in rows):
            raise reply.unreadable("has something else in its list than objects")
        told = as_count(body.get("total"))
        page = _Page(part.base + (number - 1) * size, rows, None if told is None else part.base + told, size)
        if page.total is not None and len(rows) != min(max(0, page.total - page.start), size):
            raise ListMoved
        return page


@dataclass(frozen=True, slots=True)
class _Part:
    """A list from some row on, as it is asked for where no page of the whole reaches."""

    base: int = 0
    """How many rows come before it."""
    since: float = 0.0
    """When the first of its rows was made, in Unix seconds."""
    narrowed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page and its place in the whole list."""

    start: int
    rows: list[Any]
    total: int | None
    size: int

    @property
    def end(self) -> int:
        """The place behind its rows."""
        return self.start + len(self.rows)

    @property
    def is_last(self) -> bool:
        """Nothing comes after it."""
        return len(self.rows) < self.size or self.total == self.end


def _name_of(row: object, place: int) -> str | int:
    known = as_object(row)
    return as_text(known.get("id")) or as_text(known.get("code")) or place


def _place(seen: Seen, base: int, wanted: int, last_page: int) -> tuple[int, int] | None:
    """The size and number of the page that begins with what was read last, or before it, and reaches furthest
    beyond it, up to `wanted`; None where none does. Of several the smallest."""
    position = (seen.end - 1 if seen.names else seen.end) - base
    reaching = [
        (min((position // size + 1) * size, wanted - base), -size)
        for size in range(1, PAGE + 1)
        if position // size < last_page
    ]
    reach, size = max(reaching, default=(0, -1))
    return (-size, position // -size + 1) if reach + base > seen.end else None


def _after(listed: ListOf, page: _Page) -> _Part | None:
    """The part that begins with the rows made in the moment of the page's last one; None where that cannot be
    told, or all of its rows are of that moment."""
    times = [_made(row) for row in page.rows]
    if listed.later is None or not times or times[-1] is None or times[0] == times[-1]:
        return None
    moment = to_iso(round(times[-1] * 1000) - 1)
    assert moment is not None
    return _Part(page.end - times.count(times[-1]), times[-1], listed.later(moment))


def _made(row: object) -> float | None:
    return as_unix(as_object(row).get("created_at"))
