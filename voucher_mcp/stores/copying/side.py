"""One end of a copy: what either kind of database does for it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from voucher_mcp.stores.copying.tables import Record, Table


class Span(NamedTuple):
    """The rows of one project, or of a table without projects, whose keys lie behind `after`, up to `upto`.

    None is before the first, and the last.
    """

    project: int | None
    after: Record | None = None
    upto: Record | None = None


class Standing(NamedTuple):
    """What a target holds before anything is brought to it."""

    begun_from: str | None
    """The store of which it has an unfinished copy; None where none was begun."""
    holds_anything: bool


class Source(Protocol):
    """A database that is read, in one state from beginning to end."""

    async def rows(self, table: Table, span: Span, most: int) -> Sequence[Record]:
        """The first rows of the span, in the order of their keys."""
        ...

    async def counts(self) -> Mapping[int, tuple[int, int, int]]:
        """How many codes each pool counts as available, assigned and redeemed."""
        ...

    async def last_line(self) -> int:
        """The newest line of the audit trail as it is now, whatever state is read otherwise."""
        ...


class Target(Protocol):
    """A database that is written, and that no server opens until `finish`."""

    async def standing(self) -> Standing:
        """What it holds."""
        ...

    async def begin(self, store: str) -> None:
        """Note that an unfinished copy of that store is here."""
        ...

    async def rows(self, table: Table, span: Span, most: int) -> Sequence[Record]:
        """As of a source, but as they are now."""
        ...

    async def counts(self) -> Mapping[int, tuple[int, int, int]]:
        """As of a source, but as they are now."""
        ...

    async def replace(self, table: Table, span: Span, rows: Sequence[Record]) -> None:
        """Put these rows in the place of all of the span; on disk when it returns."""
        ...

    async def count_again(self) -> None:
        """Count the codes of all pools, as this kind of database does, and let numbers go on behind these."""
        ...

    async def finish(self) -> None:
        """Let it be used."""
        ...
