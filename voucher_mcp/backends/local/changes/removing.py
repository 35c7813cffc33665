"""Taking back what was made, and bringing back what was deleted."""

from collections.abc import Sequence
from typing import Final

from voucher_mcp.backends.local.changes.setting_back import live_pool
from voucher_mcp.backends.local.changes.undone import Undoing, Undone, moved_on
from voucher_mcp.backends.local.records import codes, removal
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.references import as_json
from voucher_mcp.domain.answer import MOST_TOUCHED
from voucher_mcp.domain.change import runs_of
from voucher_mcp.domain.errors import AlreadyExists, Conflict, quoted
from voucher_mcp.domain.values.texts import counted, folded
from voucher_mcp.stores.base import DELETED, Row

_NAMED: Final = 3

Runs = Sequence[Sequence[int]]


async def made(undoing: Undoing) -> Undone:
    """Remove the vouchers that the change made and that are unused; their codes are free again.

    Raises:
        Conflict: all of them were used or deleted since.
    """
    rows = await _there(undoing)
    unused = [row for row in rows if not row[3]]
    used = [row for row in rows if row[3]]
    if not unused:
        raise await _nothing_left(undoing, used)
    ids = await _remove(undoing, unused, freed=True)
    reason = "it was used, assigned, reserved or topped up since"
    kept = [{"code": code, "reason": reason} for _, code, *_ in used]
    return Undone(
        "voucher",
        ids,
        {"kind": "removed", "forced": True, "removed": removal.by_status((row[0], row[2]) for row in unused)},
        len(unused),
        kept,
        pool=undoing.change.pool,
        about={"codes": len(unused)},
    )


async def made_pool(undoing: Undoing) -> Undone:
    """Remove a pool with its codes, if none was used and none was added; they are free again.

    Raises:
        Conflict: something was done in it since.
    """
    transaction, project = undoing.transaction, undoing.project
    pool_id, count = undoing.trace["made_pool"]
    pool = await live_pool(undoing, pool_id)
    gift = pool.template.get("gift")
    empty = gift is not None and gift["amount"] == 0
    if pool.assigned or (pool.redeemed and not empty):
        used = pool.assigned + (0 if empty else pool.redeemed)
        what = f"{counted(used, 'code')} of the pool {quoted(pool.name)} are in use"
        raise await moved_on(undoing, what, pool=pool_id)
    if pool.total > count:
        what = f"{counted(pool.total - count, 'code')} more came into the pool {quoted(pool.name)}"
        raise await moved_on(undoing, what, pool=pool_id)
    await transaction.later("pool_delete", project.n, pool.n, undoing.moment, True, overtakes="The pool")
    trace = {"kind": "removed_pool", "forced": True, "removed_pool": pool_id}
    return Undone("pool", [pool_id], trace, about={"pool": pool.name, "codes": pool.total}, pool=pool_id)


async def restored(undoing: Undoing) -> Undone:
    """Delete again what an undo brought back, into the bin: all of it or nothing.

    Raises:
        Conflict: something was done with it since.
    """
    transaction, project = undoing.transaction, undoing.project
    rows = await _there(undoing)
    count = sum(last - first + 1 for first, last in undoing.trace["made"])
    if len(rows) < count:
        raise await _nothing_left(undoing, [])
    trace = await removal.remembered(transaction, project, [(row[0], row[2]) for row in rows], undoing.moment)
    ids = await _remove(undoing, rows, freed=False)
    trace, about = {"kind": "removed", **trace}, {"codes": len(rows)}
    return Undone("voucher", ids, trace, len(rows), pool=undoing.change.pool, about=about)


async def restored_pool(undoing: Undoing) -> Undone:
    """Delete again the pool that an undo brought back, into the bin."""
    transaction, project = undoing.transaction, undoing.project
    pool = await live_pool(undoing, undoing.trace["restored_pool"])
    await transaction.later("pool_delete", project.n, pool.n, undoing.moment, False, overtakes="The pool")
    trace = {"kind": "removed_pool", "removed_pool": pool.id}
    return Undone("pool", [pool.id], trace, about={"pool": pool.name, "codes": pool.total}, pool=pool.id)


async def removed(undoing: Undoing) -> Undone:
    """Bring deleted vouchers back as they were, with who holds them and what sessions reserve of them.

    Raises:
        AlreadyExists: one of the codes was freed, and is taken.
        Conflict: they are not in the bin any more.
    """
    transaction, project, trace = undoing.transaction, undoing.project, undoing.trace
    found: list[tuple[int, Row]] = []
    for status, runs in trace["removed"].items():
        for first, last in runs:
            rows = await transaction.all("vouchers_deleted_between", project.n, first, last)
            if len(rows) < last - first + 1 or any(row[4] for row in rows):
                lost = voucher_id(project, first)
                raise await moved_on(undoing, "what was deleted is not in the bin any more", voucher=lost)
            found += [(int(status), row) for row in rows]
    freed = [row[1] for _, row in found if row[2]]
    await _refuse_taken(undoing, freed)
    if freed and not trace.get("forced"):
        lost = voucher_id(project, found[0][1][0])
        raise await moved_on(undoing, "its code was freed since, by deleting it with force", voucher=lost)
    back = [(project.n, row[0], status, row[1], folded(row[1]), undoing.moment) for status, row in found]
    await transaction.many("voucher_restore", back, overtakes="The voucher")
    for pool, status in {(row[3], status) for status, row in found if row[3] is not None}:
        its = [(row[0], DELETED) for one, row in found if (row[3], one) == (pool, status)]
        await transaction.count_codes(project.n, pool, its, status)
    await removal.bring_back(transaction, project, trace, {row[0]: row[3] for _, row in found})
    back_again = sorted(row[0] for _, row in found)
    return Undone(
        "voucher",
        [voucher_id(project, n) for n in back_again[:MOST_TOUCHED]],
        {"kind": "made" if trace.get("forced") else "restored", "made": runs_of(back_again)},
        len(back_again),
        pool=undoing.change.pool,
    )


async def removed_pool(undoing: Undoing) -> Undone:
    """Bring a deleted pool back with its codes.

    Raises:
        AlreadyExists: another pool has its name by now.
        Conflict: it is not in the bin any more, or one of its codes was taken.
    """
    transaction, project = undoing.transaction, undoing.project
    pool_id = undoing.trace["removed_pool"]
    row = await transaction.one("pool_ever", project.n, pool_id)
    assert row is not None  # rows of pools stay
    n, _, name, is_deleted, lost_a_code = row
    if not is_deleted:
        raise await moved_on(undoing, f"the pool {quoted(name)} is there", pool=pool_id)
    if lost_a_code:
        raise Conflict(f"Codes of the deleted pool {quoted(name)} were freed and are taken by now.")
    if await transaction.one("pool_name_taken", project.n, name, pool_id):
        raise AlreadyExists(f"Another pool is named {quoted(name)} by now, so this one cannot come back.")
    await transaction.later("pool_restore", project.n, n, undoing.moment, overtakes="The pool")
    total = await transaction.one("pool_by_id_or_name", project.n, pool_id)
    count = 0 if total is None else total[7] + total[8] + total[9]
    if undoing.trace.get("forced"):
        return Undone("pool", [pool_id], {"kind": "made_pool", "made_pool": [pool_id, count]}, pool=pool_id)
    return Undone("pool", [pool_id], {"kind": "restored_pool", "restored_pool": pool_id}, pool=pool_id)


async def _there(undoing: Undoing) -> list[Row]:
    """What is there of the vouchers that the change made: row, code, status, whether used, version, pool."""
    found: list[Row] = []
    for first, last in undoing.trace["made"]:
        between = (undoing.project.n, first, last, undoing.moment)
        found += await undoing.transaction.all("vouchers_between", *between)
    return found


async def _remove(undoing: Undoing, rows: Sequence[Row], *, freed: bool) -> list[str]:
    """Delete these vouchers; answers the ids of the first of them."""
    transaction, project = undoing.transaction, undoing.project
    by_pool: dict[int | None, list[tuple[int, int, int]]] = {}
    for n, _, status, _, version, pool in rows:
        by_pool.setdefault(pool, []).append((n, status, version))
    for pool, seen in by_pool.items():
        await codes.remove(transaction, project, pool, seen, freed, undoing.moment)
    return [voucher_id(project, row[0]) for row in rows[:MOST_TOUCHED]]


async def _nothing_left(undoing: Undoing, used: Sequence[Row]) -> Conflict:
    first = undoing.trace["made"][0][0] if undoing.trace["made"] else 0
    row = used[0][0] if used else first
    what = f"{_named(used)} in use" if used else "nothing of what it made is left"
    return await moved_on(undoing, what, voucher=voucher_id(undoing.project, row), pool=undoing.change.pool)


def _named(rows: Sequence[Row]) -> str:
    codes_named = ", ".join(quoted(row[1]) for row in rows[:_NAMED])
    return f"{codes_named} is" if len(rows) == 1 else f"{codes_named} and others ({len(rows):,}) are"


async def _refuse_taken(undoing: Undoing, freed: Sequence[str]) -> None:
    if freed:
        owners = await undoing.transaction.all("code_owners", undoing.project.n, as_json(freed))
        if owners:
            raise AlreadyExists(
                f"The code {quoted(owners[0][0])} is taken by now, so what had it cannot come back."
            )
