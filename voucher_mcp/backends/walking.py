"""What all walks over a vendor's lists share: a list may change while it is read.

Where pages are counted by position, a row that is added or deleted moves all that come after it: one is read
twice, another never. Therefore each page begins with what was read last, where two of them overlap they have
to say the same, and no row may come again later. A list that moved is read once more from its start, and one
that moved again is not answered (ours). How pages are counted, and how far a walk goes, each vendor says.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from voucher_mcp.domain.errors import Unavailable, VoucherError

R = TypeVar("R")


class ListMoved(Unavailable):
    """The list changed while it was read, so that what was read of it is not what there is."""

    def __init__(self, request_id: str | None = None) -> None:
        super().__init__(
            "The list changed while it was read, and again when it was read once more. Rows may be missing "
            "or come twice. Try again in a moment, or ask for less at once.",
            request_id=request_id,
        )


@dataclass
class Seen:
    """The rows of a list that were read from a place on, each by what names it: none is on two pages."""

    start: int
    names: list[Hashable] = field(default_factory=list)
    _known: set[Hashable] = field(default_factory=set)

    @property
    def end(self) -> int:
        """The place behind them."""
        return self.start + len(self.names)

    def add(self, start: int, names: Sequence[Hashable]) -> int:
        """Take a page that begins at that place; how many of its rows were read before.

        Raises:
            ListMoved: these are not those that were read, or one of the others was.
        """
        known = max(0, self.end - start)
        again = names[max(0, self.start - start) : known]
        before = self.names[max(0, start - self.start) :]
        new = names[known:]
        if set(again) != set(before) or not self._known.isdisjoint(new):
            raise ListMoved
        self.names += new
        self._known.update(new)
        return known


class Once(Generic[R]):
    """Gives each row of a list once, however often it is read, and lets it be read twice at most."""

    def __init__(self, key: Callable[[R], str]) -> None:
        self._key = key
        self._given: set[str] = set()
        self._again = False

    def fresh(self, rows: Iterable[R]) -> list[R]:
        """Those of the rows that were not given before."""
        told = {self._key(row): row for row in rows}
        fresh = [row for key, row in told.items() if key not in self._given]
        self._given.update(told)
        return fresh

    def start_over(self, fault: VoucherError) -> None:
        """Say that the list is read again from its start.

        Raises:
            VoucherError: `fault`, why it is, where that was done before.
        """
        if self._again:
            raise fault
        self._again = True
