"""Reading the audit trail, wherever the configured projects keep it.

A local project's lines are in its own database, a vendor's in the journal's. A database that is
not there yet has none, and is not made.
"""

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import anyio

from voucher_mcp.config import Database, LocalProject, Settings
from voucher_mcp.domain.change import PENDING
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError
from voucher_mcp.journal.changes import change_id
from voucher_mcp.journal.owner import Owner
from voucher_mcp.stores.base import Row, Store, Transaction
from voucher_mcp.stores.opening import identity, open_store, refuse_unserved, schema_of
from voucher_mcp.stores.projects import Project

UNKNOWN = OutcomeUnknown.code
"""Shown for a write that was never settled, as whoever was at it is gone."""

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One write, as the journal tells it; codes in it are masked.

    `id` is what `journal show` takes, `at` is in milliseconds UTC, `amount` what was minted in minor units,
    `points` and `codes` how many. `ids` are of what `kind` says; `before` and `after` the changed fields of
    the one thing it is about.
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
    ids: list[str] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which lines; None is all."""

    project: str | None
    since: int | None
    tool: str | None


async def audit_lines(
    settings: Settings, *, project: str | None = None, since: int | None = None, tool: str | None = None
) -> AsyncIterator[AuditLine]:
    """The lines, oldest first; those that are written meanwhile are left out.

    A database is open only while a batch of its lines is read, so a slow reader holds nothing.

    Args:
        project: only of this configured project; None takes all that the projects' databases hold, of
            projects that are configured no more too.
        since: only from this moment on, in milliseconds UTC.
        tool: only writes of this tool.

    Raises:
        ConfigError: a project is kept where this version cannot read.
        Unavailable: a database cannot be read, or is another program's or a newer version's.
    """
    refuse_unserved(settings)
    wanted = _Wanted(project, since, tool)
    trails = [
        _Trail(database, wanted) for database in databases(settings, project) if await schema_of(database)
    ]
    while trails:
        for trail in trails:
            await trail.fill()
        trails = [trail for trail in trails if trail.lines]
        while trails and all(trail.lines for trail in trails):  # none may be passed by before it has its next
            yield min(trails, key=lambda trail: trail.lines[0].at).lines.popleft()


def databases(settings: Settings, project: str | None) -> list[Database]:
    """Where the lines of that project are, or those of all; without those whose place is not known."""
    chosen = settings.projects.values() if project is None else [settings.projects[project]]
    places = [one.url if isinstance(one, LocalProject) else settings.journal for one in chosen]
    if project is None and settings.state is not None:  # a vendor's project may have been taken out
        places.append(settings.state)
    return list({identity(place): place for place in places if not place.is_missing}.values())


class _Trail:
    """One database's lines, in the order in which they were written."""

    def __init__(self, database: Database, wanted: _Wanted) -> None:
        self._database = database
        self._wanted = wanted
        self._after = 0
        self._end: int | None = None
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
                    self.lines.extend(await self._read(store))
                finally:
                    await store.close()
            except (VoucherError, OSError) as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _read(self, store: Store) -> list[AuditLine]:
        """The next batch, and where the one behind it begins."""
        rows = await self._rows(store)
        owner, dead = Owner(store), set()
        for name in {row[-1] for row in rows if _is_pending(row)}:
            with suppress(Unavailable):  # where no lock can be taken, nothing tells whether it goes on
                if await owner.is_gone(name):
                    dead.add(name)
        if dead:  # what they settled before they went
            rows = await self._rows(store)
        self._after = rows[-1][0] if len(rows) == _BATCH else self._end or 0
        return [_line(row, gone=_is_pending(row) and row[-1] in dead) for row in rows]

    async def _rows(self, store: Store) -> list[Row]:
        async def work(transaction: Transaction) -> list[Row]:
            if self._end is None:
                row = await transaction.one("audit_end")
                self._end = (row and row[0]) or 0
            wanted = (self._wanted.project, self._wanted.since, self._wanted.tool)
            return await transaction.all("audit_page", self._after, self._end, *wanted, _BATCH)

        return await store.read(work, quick=False)


def _is_pending(row: Row) -> bool:
    return row[8] == PENDING and row[-1] is not None


def _line(row: Row, *, gone: bool) -> AuditLine:
    told = (None if text is None else json.loads(text) for text in row[-4:-1])
    n, tag, *said = row[:-4]
    line = AuditLine(change_id(Project(0, tag), n), *said, *told)
    return replace(line, outcome=UNKNOWN) if gone else line
