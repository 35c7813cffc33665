"""Reading the audit trail, wherever the configured projects keep it.

A local project's lines are in its own database, a vendor's in the journal's. A database that is
not there yet has none, and is not made.
"""

import json
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import anyio

from voucher_mcp.config import Database, Settings
from voucher_mcp.domain.change import PENDING
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError
from voucher_mcp.journal.about import About, Asked, Unit, about
from voucher_mcp.journal.changes import change_id, own_row
from voucher_mcp.journal.owner import Owner
from voucher_mcp.stores.base import Row, Store, Transaction
from voucher_mcp.stores.opening import identity, open_store, refuse_unserved, schema_of
from voucher_mcp.stores.projects import Project, find

UNKNOWN = OutcomeUnknown.code
"""Shown for a write that was never settled, as whoever was at it is gone."""

PARTLY = " (partly)"
"""Behind the outcome of a write of which a part was applied."""

BALANCES = frozenset({"balance", "from", "to"})
"""The fields of a change that are balances."""

_BATCH = 5_000
"""Lines that one read looks at: it is over in some milliseconds, and no more than these are held."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One write, as the journal tells it; codes in it are masked.

    `id` is what `journal show` takes, `at` is in milliseconds UTC, `amount` what was minted in minor units,
    `points` and `codes` how many. `ids` are of what `kind` says; `before` and `after` the changed fields of
    the one thing it is about. `pool` is an id. `pool_name`, `customer`, what a redemption
    `spent`, and the `unit` of that and of balances are there as far as this database knows them.
    """

    id: str
    at: int
    project: str
    caller: str
    tool: str
    digest: str
    key: str | None
    outcome: str
    subject: str | None
    amount: int | None
    points: int | None
    codes: int | None
    client: str | None
    approved_by: str | None
    kind: str | None
    pool: str | None
    pool_name: str | None
    ids: list[str] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    customer: str | None = None
    spent: int | None = None
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; None is all, of projects that are configured no more too.

    `since` and `until` are in milliseconds UTC and belong to it. `pools` and `vouchers` are ids, by project.
    """

    project: str | None = None
    since: int | None = None
    until: int | None = None
    tool: str | None = None
    outcome: str | None = None
    caller: str | None = None
    pools: Mapping[str, str] | None = None
    vouchers: Mapping[str, str] | None = None


async def audit_lines(settings: Settings, wanted: Wanted) -> AsyncIterator[AuditLine]:
    """The lines, oldest first; those that are written meanwhile are left out.

    A database is open only while a batch of its lines is read, so a slow reader holds nothing.

    Raises:
        ConfigError: a project is kept where this version cannot read.
        Unavailable: a database cannot be read, or is another program's or a newer version's.
    """
    refuse_unserved(settings)
    places = databases(settings, wanted.project)
    trails = [_Trail(database, wanted) for database in places if await schema_of(database)]
    while trails:
        for trail in trails:
            await trail.fill()
        trails = [trail for trail in trails if trail.lines]
        while trails and all(trail.lines for trail in trails):  # none may be passed by before it has its next
            yield min(trails, key=lambda trail: trail.lines[0].at).lines.popleft()


def databases(settings: Settings, project: str | None) -> list[Database]:
    """Where the lines of that project are, or those of all; without those whose place is not known."""
    places = [settings.journal_of(one.id) for one in settings.chosen(project)]
    if project is None and settings.state is not None:  # a vendor's project may have been taken out
        places.append(settings.state)
    return list({identity(place): place for place in places if not place.is_missing}.values())


class _Trail:
    """One database's lines, in the order in which they were written."""

    def __init__(self, database: Database, wanted: Wanted) -> None:
        self._database = database
        self._wanted = wanted
        self._after = 0
        self._end: int | None = None
        self._chosen: Sequence[int] | None = None
        """The lines of a voucher that is asked for; None: all are."""
        self.lines: deque[AuditLine] = deque()

    async def fill(self) -> None:
        """Read on, where nothing is left of what was read; `lines` stays empty at the end."""
        if self.lines or self._after == self._end:
            return
        failure: VoucherError | OSError | None = (
            None  # raised in there it would come out as a group of errors
        )
        async with anyio.create_task_group() as tasks:
            try:
                store = await open_store(self._database, tasks)
                try:
                    await self._begin(store)
                    while not self.lines and self._after != self._end:
                        self.lines.extend(await self._read(store))
                finally:
                    await store.close()
            except (VoucherError, OSError) as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _begin(self, store: Store) -> None:
        """Find out, once, where the lines end and which are of the voucher."""

        async def work(transaction: Transaction) -> tuple[int, Sequence[int] | None]:
            row = await transaction.one("audit_end")
            end = (row and row[0]) or 0
            if self._wanted.vouchers is None:
                return end, None
            chosen: set[int] = set()
            for project_id, voucher in self._wanted.vouchers.items():
                if (project := await find(transaction, project_id)) is not None:
                    asked = (project.n, voucher, own_row(project, voucher))
                    chosen.update(n for (n,) in await transaction.all("audit_of_voucher", *asked) if n <= end)
            return (max(chosen) if chosen else 0), sorted(chosen)

        if self._end is None:
            self._end, self._chosen = await store.read(work, quick=False)

    async def _read(self, store: Store) -> list[AuditLine]:
        """What is wanted of the next lines."""
        rows, told, seen = await self._rows(store)
        owner, dead = Owner(store), set()
        for name in {row[-1] for row in rows if _is_pending(row)}:
            with suppress(Unavailable):  # where no lock can be taken, nothing tells whether it goes on
                if await owner.is_gone(name):
                    dead.add(name)
        if dead:  # what they settled before they went
            rows, told, seen = await self._rows(store)
        self._after = seen
        lines = [
            _line(row, told.get(row[0], About()), gone=_is_pending(row) and row[-1] in dead) for row in rows
        ]
        outcome = self._wanted.outcome
        return [line for line in lines if outcome in (None, line.outcome, line.outcome.removesuffix(PARTLY))]

    async def _rows(self, store: Store) -> tuple[list[Row], dict[int, About], int]:
        """Of the next lines those that are wanted, what more is known of each, and where they end."""
        after, some = self._after, None
        if self._chosen is not None:
            begin = bisect_right(self._chosen, after)
            some = self._chosen[begin : begin + _BATCH]
            after = some[0] - 1
        wanted = self._wanted
        filters = (
            *(wanted.project, wanted.since, wanted.until, wanted.tool, wanted.outcome, wanted.caller),
            None if wanted.pools is None else json.dumps([*wanted.pools.values()]),
            None if some is None else json.dumps(some),
        )

        async def work(transaction: Transaction) -> tuple[list[Row], dict[int, About], int]:
            where = (after, self._end, _BATCH)
            rows = await transaction.all("audit_page", *where, *filters)
            last = await transaction.one("audit_page_end", *where)
            told = await about(transaction, map(_asked, rows))
            return rows, told, (last and last[0]) or self._end or 0

        return await store.read(work, quick=False)


def _asked(row: Row) -> Asked:
    n, project, tag, *_ = row
    ids, before = (None if text is None else json.loads(text) for text in row[-4:-2])
    has_balance = not BALANCES.isdisjoint(before or ())
    return Asked(Project(project, tag), n, row[16], ids or (), has_balance)


def _is_pending(row: Row) -> bool:
    return row[9] == PENDING and row[-1] is not None


def _line(row: Row, more: About, *, gone: bool) -> AuditLine:
    told = (None if text is None else json.loads(text) for text in row[-4:-1])
    n, project, tag, *said, pool_name = row[:-4]
    where = change_id(Project(project, tag), n)
    known = (pool_name or more.pool_name, *told, more.customer, more.spent, more.unit)
    line = AuditLine(*(where, *said, *known))
    return replace(line, outcome=UNKNOWN) if gone else line
