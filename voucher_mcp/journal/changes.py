"""The journal's lines one project at a time, newest first: to be looked at, and to be taken back."""

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from voucher_mcp.domain.change import PENDING, SUCCESS, Change
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown, quoted
from voucher_mcp.domain.values.times import DAY
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

LOOKED_AT: Final = 10_000
"""Lines that one page looks at where no index leads to those that are wanted: then it ends, and says that
there may be more."""

_LOOKED_BACK: Final = 10
"""Lines that are looked at for who changed something last: what was refused changed nothing."""

_PREFIX: Final = "ch_"
_AFTER_ALL: Final = 2**62
_OUT_OF_ORDER: Final = DAY
"""How far lines may be so, as clocks are set."""


class Wanted(NamedTuple):
    """Which lines; None is all. `voucher` and `pool` are ids, and `voucher_n` the voucher's row where it is
    this database's own."""

    since: int | None = None
    tool: str | None = None
    voucher: str | None = None
    voucher_n: int | None = None
    pool: str | None = None


class Page(NamedTuple):
    """Some lines, the newest first, and the id that the next page starts after; None where there is none."""

    changes: list[Change]
    more_after: str | None


async def page(
    transaction: Transaction, project: Project, wanted: Wanted, limit: int, starting_after: str | None
) -> Page:
    """At most so many of the lines that are wanted.

    Raises:
        NotFound: no line has the id to start after.
    """
    before = _AFTER_ALL if starting_after is None else _row_of(project, starting_after, "starting_after_id")
    common = (project.n, before, wanted.since, wanted.tool, limit + 1)
    if wanted.voucher is not None:
        narrowed = (wanted.since, wanted.tool, wanted.pool) != (None, None, None)
        most = LOOKED_AT // 2 if narrowed else limit + 1
        rows = await transaction.all("changes_of_voucher", *common, wanted.voucher, wanted.voucher_n, most)
        rows = [row for row in rows if wanted.pool is None or _change(project, row).pool == wanted.pool]
    elif wanted.pool is not None:
        rows = await transaction.all("changes_of_pool", *common, wanted.pool)
    elif wanted.tool is not None and wanted.tool != "redeem_vouchers":
        rows = await transaction.all("changes_of_tool", *common)
    else:
        return await _walked(transaction, project, wanted, limit, before)
    return _page(project, rows, limit)


async def find(transaction: Transaction, project: Project | None, change_id: str) -> Change:
    """The line of that id.

    Raises:
        NotFound: there is none in this project, or it was kept for long enough.
    """
    n = None if project is None else _row_of(project, change_id, "change_id")
    row = await transaction.one("change_by_n", project.n, n) if project else None
    if row is None or project is None:
        raise not_found(change_id)
    return _change(project, row)


async def undone(transaction: Transaction, project: Project, lines: Iterable[int]) -> dict[int, int]:
    """Which of these lines are taken back, each with the line that did it; not those that came back again."""
    last: dict[int, int] = {}
    asked = set(lines)
    while asked:
        rows = await transaction.all("changes_undone", project.n, json.dumps(sorted(asked)))
        found: dict[int, int] = dict(rows)
        last |= found
        asked = set(found.values()) - last.keys()
    return {n: by for n, by in last.items() if not _is_undone(by, last)}


async def last_on(
    transaction: Transaction, project: Project, change: Change, voucher: str | None, pool: str | None
) -> Change | None:
    """The last write on that voucher, or else on that pool, after the change."""
    for wanted in (Wanted(voucher=voucher), Wanted(pool=pool)):
        if wanted.voucher is not None:
            wanted = wanted._replace(voucher_n=own_row(project, wanted.voucher))
        elif wanted.pool is None:
            continue
        found = await page(transaction, project, wanted, _LOOKED_BACK, None)
        for one in found.changes:
            if one.n > change.n and one.outcome == SUCCESS:
                return one
    return None


def change_id(project: Project, n: int) -> str:
    """The id of a line."""
    return f"{_PREFIX}{project.tag}{n:010x}"


def own_row(project: Project, voucher_id: str) -> int | None:
    """The row of a voucher that is in this database, which its id ends with; None of a vendor's."""
    _, tag, digits = voucher_id.rpartition(project.tag)
    try:
        return int(digits, 16) if tag else None
    except ValueError:
        return None


def settled(change: Change, dead: Container[str | None]) -> Change:
    """The change, of unknown outcome where whoever was at it is among the dead."""
    if change.outcome == PENDING and change.owner in dead:
        return replace(change, outcome=OutcomeUnknown.code)
    return change


async def _walked(
    transaction: Transaction, project: Project, wanted: Wanted, limit: int, before: int
) -> Page:
    rows = await transaction.all(
        "changes_page", project.n, before, wanted.since, wanted.tool, limit + 1, LOOKED_AT
    )
    found = _page(project, rows, limit)
    if found.more_after is not None or (wanted.since is None and wanted.tool is None):
        return found
    end = await transaction.one("changes_end", project.n, before, LOOKED_AT)
    if end is None or (wanted.since is not None and end[1] < wanted.since - _OUT_OF_ORDER):
        return found
    return Page(found.changes, change_id(project, end[0] + 1))


def _page(project: Project, rows: Sequence[Row], limit: int) -> Page:
    changes = [_change(project, row) for row in rows[:limit]]
    return Page(changes, changes[-1].id if len(rows) > limit else None)


def _is_undone(n: int, last: dict[int, int]) -> bool:
    return n in last and not _is_undone(last[n], last)


def _change(project: Project, row: Row) -> Change:
    n, at, caller, client, tool, outcome, amount, points, codes, kind, *told, pool, undo, undoes, owner = row
    ids, before, after = (None if text is None else json.loads(text) for text in told)
    return Change(
        change_id(project, n),
        n,
        at,
        caller,
        client,
        tool,
        outcome,
        amount,
        points,
        codes,
        kind,
        tuple(ids or ()),
        before,
        after,
        pool,
        json.loads(undo) if undo else {},
        undoes,
        owner,
    )


def _row_of(project: Project, text: str, field: str) -> int:
    try:
        n = int(text.removeprefix(_PREFIX + project.tag), 16)
    except ValueError:
        n = -1
    if not 0 <= n < _AFTER_ALL or change_id(project, n) != text:
        raise not_found(text, field)
    return n


def not_found(text: str, field: str = "change_id") -> NotFound:
    """The failure where no line has that id."""
    return NotFound(
        f"There is no change {quoted(text)} in this project. list_changes shows those that the journal "
        "keeps, with their ids.",
        field=field,
    )
