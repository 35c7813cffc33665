"""Setting vouchers and pools back to what they were: their own fields, balances, holders, redemptions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.local.changes.undone import Undoing, Undone, moved_on
from voucher_mcp.backends.local.records import changes, holders, pools, sessions, vouchers
from voucher_mcp.backends.local.records.changes import OWN
from voucher_mcp.backends.local.records.ids import voucher_id, voucher_row
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.redemptions import redemption_rows, rollbacks
from voucher_mcp.backends.local.vouchers import ledger
from voucher_mcp.backends.local.vouchers.standing import settled
from voucher_mcp.domain.errors import AlreadyExists, quoted
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE

_AT_ONCE: Final = 1_000
_POOL: Final = ("name", "active", "start_date", "expiration_date")


async def fields(undoing: Undoing) -> Undone:
    """What vouchers say of their own, or what a pool says, as it was."""
    if "pool" in undoing.trace:
        return await _pool_fields(undoing)
    return await own_fields(undoing, undoing.trace["own"])


async def own_fields(undoing: Undoing, steps: Sequence[Any]) -> Undone:
    """Each step is [row, what it was, what it was made]; a voucher that stands twice was changed twice.

    Raises:
        Conflict: one of the vouchers is not as it was left.
    """
    transaction, project = undoing.transaction, undoing.project
    last: dict[int, Voucher] = {}
    rows = sorted({n for n, _, _ in steps})
    for at in range(0, len(rows), _AT_ONCE):
        last |= await vouchers.in_rows(transaction, project, rows[at : at + _AT_ONCE])
    after = dict(last)
    different: list[Voucher] = []
    for n, was, made in reversed(steps):
        own = dict(zip(OWN, after[n].own, strict=True))
        if after[n].is_deleted or any(own[name] != value for name, value in made.items()):
            different.append(last[n])
            continue
        after[n] = after[n].with_own(tuple((own | was).values()))
    if different:
        first = different[0]
        more = f" and {len(different) - 1:,} more are" if len(different) > 1 else " is"
        what = f"the voucher {quoted(first.code)}{more} not as it left them"
        raise await moved_on(undoing, what, voucher=voucher_id(project, first.n), pool=first.pool_id)
    await changes.set_own_of(transaction, project, after.values(), undoing.moment)
    trace = {"kind": "fields", "own": [[n, made, was] for n, was, made in reversed(steps)]}
    ids = [voucher_id(project, n) for n in rows]
    shown = (undoing.change.after or {}, undoing.change.before or {}) if len(rows) == 1 else ({}, {})
    return Undone("voucher", ids, trace, len(rows), before=shown[0], after=shown[1])


async def _pool_fields(undoing: Undoing) -> Undone:
    transaction, project = undoing.transaction, undoing.project
    pool_id, was, made = undoing.trace["pool"]
    pool = await live_pool(undoing, pool_id)
    now: Mapping[str, Any] = {name: getattr(pool, name) for name in _POOL}
    if any(now[name] != value for name, value in made.items()):
        raise await moved_on(undoing, f"the pool {quoted(pool.name)} is not as it left it", pool=pool.id)
    if "name" in was and await transaction.one("pool_name_taken", project.n, was["name"], pool.id):
        raise AlreadyExists(
            f"Another pool is named {quoted(was['name'])} by now, so this one cannot be again."
        )
    own = {**now, **was}
    await transaction.later(
        "pool_update", project.n, pool.n, *own.values(), undoing.moment, *now.values(), overtakes="The pool"
    )
    trace = {"kind": "fields", "pool": [pool_id, made, was]}
    before, after = undoing.change.after or {}, undoing.change.before or {}
    return Undone("pool", [pool_id], trace, before=before, after=after, pool=pool_id)


async def live_pool(undoing: Undoing, pool_id: str) -> pools.Pool:
    """The pool of that id.

    Raises:
        Conflict: it was deleted.
    """
    row = await undoing.transaction.one("pool_by_id_or_name", undoing.project.n, pool_id)
    if row is None:
        raise await moved_on(undoing, "the pool was deleted", pool=pool_id)
    return pools.Pool.of(row)


async def live_voucher(undoing: Undoing, identity: str) -> Voucher:
    """The voucher of that id.

    Raises:
        Conflict: it was deleted.
    """
    n = voucher_row(undoing.project, identity)
    assert n is not None  # the journal's ids are ours
    voucher = await vouchers.by_row(undoing.transaction, undoing.project, n)
    if voucher.is_deleted:
        what = f"the voucher {quoted(voucher.code)} was deleted"
        raise await moved_on(undoing, what, voucher=identity, pool=voucher.pool_id)
    return voucher


async def entries(undoing: Undoing) -> Undone:
    """The opposite lines in the ledger; what was added or taken off then counts as never having been."""
    transaction, project = undoing.transaction, undoing.project
    done, before, after = [], {}, {}
    steps = undoing.trace["entries"]
    for identity, column, amount in steps:
        voucher = await live_voucher(undoing, identity)
        change = amount if column == "subtracted" else -amount
        held = await sessions.held_by_others(transaction, project, [voucher], None, undoing.moment)
        free = (voucher.balance or 0) - held.get(voucher.n, sessions.NOTHING).amount
        if change < 0 and free < -change:
            what = f"only {free} are left on the voucher {quoted(voucher.code)}, and {-change} would come off"
            raise await moved_on(undoing, what, voucher=identity)
        changed, line = ledger.taken_back(voucher, column, amount)
        changed = settled(changed.after(updated_at=undoing.moment))
        await changes.apply(transaction, project, voucher, changed)
        said = f"undo of {undoing.change.id}"
        await ledger.write(
            transaction, project, changed, line, moment=undoing.moment, reason=said, source_id=undoing.key
        )
        done.append([identity, column, -amount])
        name = "balance" if len(steps) == 1 else identity
        before[name], after[name] = voucher.balance, changed.balance
    trace = {"kind": "entries", "entries": done}
    return Undone("voucher", [one[0] for one in done], trace, len(done), before=before, after=after)


async def given(undoing: Undoing) -> Undone:
    """A code that was assigned, available again; refused where anything was done with it since."""
    transaction, project = undoing.transaction, undoing.project
    identity, customer = undoing.trace["given"]
    voucher = await live_voucher(undoing, identity)
    used = voucher.redeemed_quantity or voucher.spent or voucher.subtracted
    if voucher.holder != customer or voucher.status != ASSIGNED or used:
        what = f"something was done with the code {quoted(voucher.code)}"
        raise await moved_on(undoing, what, voucher=identity, pool=voucher.pool_id)
    after = settled(voucher.after(holder=None, assigned_at=None, updated_at=undoing.moment))
    await changes.apply(transaction, project, voucher, after)
    await holders.let_go(transaction, project, customer, voucher.n, voucher.pool_n)
    await transaction.run("customer_forget", project.n, customer, voucher.assigned_at)
    trace = {"kind": "released", "given": [identity, customer]}
    before, now = {"customer_id": customer}, {"customer_id": None}
    return Undone("voucher", [identity], trace, before=before, after=now, pool=voucher.pool_id)


async def released(undoing: Undoing) -> Undone:
    """The same code to the same customer, as long as it is free."""
    transaction, project = undoing.transaction, undoing.project
    identity, customer = undoing.trace["given"]
    voucher = await live_voucher(undoing, identity)
    if voucher.status != AVAILABLE or voucher.holder is not None:
        what = f"the code {quoted(voucher.code)} is not available any more"
        raise await moved_on(undoing, what, voucher=identity, pool=voucher.pool_id)
    after = voucher.after(
        status=ASSIGNED, holder=customer, assigned_at=undoing.moment, updated_at=undoing.moment
    )
    await changes.apply(transaction, project, voucher, after)
    await holders.hold(transaction, project, customer, voucher.n, voucher.pool_n, undoing.moment)
    trace = {"kind": "given", "given": [identity, customer]}
    before, now = {"customer_id": None}, {"customer_id": customer}
    return Undone("voucher", [identity], trace, before=before, after=now, pool=voucher.pool_id)


async def redeemed(undoing: Undoing) -> Undone:
    """The redemption, or the whole stack that it is of, rolled back."""
    transaction, project = undoing.transaction, undoing.project
    first = await redemption_rows.find(transaction, project, undoing.trace["redeemed"])
    whole = first if first.parent is None else await redemption_rows.parent_of(transaction, project, first)
    reason = f"undo of {undoing.change.id}"
    call = rollbacks.Circumstances(reason, undoing.key, undoing.moment, "concise")
    rolled_back = await rollbacks.roll_back(
        transaction, project, redemption_rows.identity(project, whole), call
    )
    ids = [one["id"] for one in rolled_back.get("rollbacks", [rolled_back])]
    return Undone("redemption", ids, count=len(ids))
