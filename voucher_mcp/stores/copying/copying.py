"""Bringing a whole store from one database to another: rows, ids, keys, times and the journal.

The target is brought to the state that the source had when this began, span by span of keys: where an
earlier try left the same rows they stay, and where they differ they are replaced. So it may be killed at any
moment and run again. At the end everything is read again from the target and compared; only then may servers
open it.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voucher_mcp.domain.errors import Conflict, InvalidInput
from voucher_mcp.stores.copying.side import Source, Span, Target
from voucher_mcp.stores.copying.tables import CLOCK, PROJECTS, TABLES, Record, Table

MOST_PROJECTS: Final = 100_000

Told = Callable[[str, int], None]
"""Hears of which table how many more rows are there."""


class Copied(NamedTuple):
    """What a copy came to."""

    rows: int
    already: bool
    """Whether all of it was there before."""


@dataclass
class _Sum:
    """What two tables with the same rows have in common."""

    rows: int = 0
    total: int = 0

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            digest = hashlib.blake2b(repr(record).encode("utf-8", "surrogatepass"), digest_size=16)
            self.total = (self.total + int.from_bytes(digest.digest())) % (1 << 128)
        self.rows += len(records)


async def copy(source: Source, target: Target, told: Told) -> Copied:
    """Bring everything over, or see that it is there already.

    Raises:
        InvalidInput: there is nothing to copy.
        Conflict: the target holds something else, or the source was written meanwhile.
    """
    line = await source.last_line()  # before the first row, so that no write falls between the two
    projects = await source.rows(PROJECTS, Span(None), MOST_PROJECTS)
    if not projects:
        raise InvalidInput("The source holds nothing yet, so there is nothing to copy.")
    store = _name_of(projects)
    standing = await target.standing()
    if standing.begun_from not in (None, store):
        raise Conflict("The target holds the beginning of a copy of another database. Name an empty one.")
    if standing.begun_from is None:
        if standing.holds_anything:
            return await _compare_only(source, target, projects, told)
        await target.begin(store)
    sums = [
        await _bring(source, target, table, project, told, fresh=not standing.holds_anything)
        for table, project in _parts(projects)
    ]
    await target.count_again()
    if not await _is_equal(source, target, projects, sums):
        raise Conflict(
            "What arrived is not what was sent, so the target stays closed. Did another program write it? "
            "Run the same command again."
        )
    if await source.last_line() != line:
        raise Conflict(
            "The source was written while it was copied, so the target stays closed. Stop the servers that "
            "use the source, then run the same command again: it brings over what has changed."
        )
    await target.finish()
    return Copied(sum(one.rows for one in sums), already=False)


async def _compare_only(source: Source, target: Target, projects: Sequence[Record], told: Told) -> Copied:
    """For a target that is in use already: nothing is written to it.

    Raises:
        Conflict: it does not hold the same.
    """
    sums = []
    for table, project in _parts(projects):
        one = _Sum()
        async for rows in _all(source, table, project):
            one.add(rows)
            told(table.name, len(rows))
        sums.append(one)
    if not await _is_equal(source, target, projects, sums):
        raise Conflict(
            "The target holds something already, and not the same as the source. It stays as it is. Name "
            "an empty database."
        )
    return Copied(sum(one.rows for one in sums), already=True)


def _name_of(projects: Sequence[Record]) -> str:
    """What tells one store from others: its first project, with the random tag that it got."""
    return "/".join(str(cell) for cell in projects[0][:3])


def _parts(projects: Sequence[Record]) -> list[tuple[Table, int | None]]:
    """Every table, of every project."""
    numbers = [int(project[0] or 0) for project in projects]
    parts: list[tuple[Table, int | None]] = [(PROJECTS, None), (CLOCK, None)]
    return parts + [(table, number) for number in numbers for table in TABLES]


async def _all(side: Source | Target, table: Table, project: int | None) -> AsyncIterator[Sequence[Record]]:
    """All rows of a part, some at a time."""
    after: Record | None = None
    while rows := await side.rows(table, Span(project, after), table.at_once):
        yield rows
        after = table.key_of(rows[-1])


async def _bring(
    source: Source, target: Target, table: Table, project: int | None, told: Told, *, fresh: bool
) -> _Sum:
    """Bring one part over; answers what was read."""
    done, after = _Sum(), None
    async for rows in _all(source, table, project):
        span = Span(project, after, table.key_of(rows[-1]))
        if fresh or await target.rows(table, span, table.at_once + 1) != rows:
            await target.replace(table, span, rows)
        done.add(rows)
        told(table.name, len(rows))
        after = span.upto
    if not fresh:
        await target.replace(table, Span(project, after), ())
    return done


async def _is_equal(source: Source, target: Target, projects: Sequence[Record], sums: Sequence[_Sum]) -> bool:
    """Whether the target holds what was read, and counts it as the source does."""
    if await target.rows(PROJECTS, Span(None), MOST_PROJECTS) != projects:
        return False
    for (table, project), sent in zip(_parts(projects), sums, strict=True):
        arrived = _Sum()
        async for rows in _all(target, table, project):
            arrived.add(rows)
        if arrived != sent:
            return False
    return await target.counts() == await source.counts()
