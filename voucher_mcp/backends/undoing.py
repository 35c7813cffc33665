"""Taking back what was written on a vendor: by the vendor's own writes, of what the journal says.

What a change was before is in the journal, as far as its write read it. What is there now is read first, so
that nothing is undone which others changed since. The write that takes back is settled like any other.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.base import Backend, Object
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import Change, Kind, MovedOn, kind_of, never
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted
from voucher_mcp.domain.values.times import parse_time
from voucher_mcp.domain.vouchers.pool import CodesQuery
from voucher_mcp.domain.write import Write

MOST_CODES: Final = 100
"""Codes that one undo removes; vendors delete them one by one, or look each up."""

_NOTHING: Final = {"kind": "final"}


def why_not(backend: Backend, change: Change) -> str | None:
    """Why a vendor's change cannot be taken back, as far as that is known beforehand."""
    if (reason := never(change)) is not None:
        return reason
    kind = kind_of(change)
    match kind:
        case "removed" | "removed_pool":
            return f"{backend.name} gives nothing back that was deleted."
        case "given" | "released":
            return f"{backend.name} has no way to take an assigned code back."
        case "job":
            return f"{backend.name} does not say what an import or bulk update changed."
        case "fields" if not change.before:
            return "What was before is not in the journal."
        case "made" if not change.ids:
            return "The journal does not have the ids of what it made."
        case "made" if len(change.ids) > MOST_CODES:
            return f"It made more than {MOST_CODES} codes, and here each has to be looked at."
        case "entries" | "redeemed" if kind not in change.undo:
            return "The journal does not say enough of it."
    return None


async def take_back(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    """Take the change back, as one write.

    Raises:
        MovedOn: what it changed is not as it left it.
        VoucherError: of the vendor's writes.
    """
    kind = kind_of(change)
    assert kind is not None  # policy asked `why_not`
    return await _WAYS[kind](backend, write, change)


async def _fields(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    (identity,) = change.ids
    was, made = dict(change.before or {}), dict(change.after or {})
    if change.kind == "pool":
        pool: Mapping[str, Any] = (await backend.get_voucher_pool(identity)).data
        _require_as_left(pool, was if write.recovering else made, made, _pool(identity, change))
        dates = {name: _milliseconds(was[name]) for name in ("start_date", "expiration_date") if name in was}
        await backend.update_voucher_pool(
            write,
            identity,
            name=was.get("name"),
            active=was.get("active"),
            clear=[name for name, date in dates.items() if date is None],
            **{name: date for name, date in dates.items() if date is not None},
        )
    else:
        there: Mapping[str, Any] = (await backend.get_voucher(identity, "full")).data
        _require_as_left(there, was if write.recovering else made, made, _voucher(identity, change))
        if was.keys() == {"active"}:
            set_active = backend.enable_voucher if was["active"] else backend.disable_voucher
            await set_active(write, identity, "concise")
        else:
            body = {**was}
            if "metadata" in was:
                gone = dict.fromkeys((made["metadata"] or {}).keys() - (was["metadata"] or {}).keys())
                body["metadata"] = {**(was["metadata"] or {}), **gone}
            await backend.update_voucher(write, identity, body, "concise")
    trace = {"kind": "fields"}
    return _answer(write, change, [identity], trace, before=made, after=was)


async def _made(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    if change.pool is None:
        (identity,) = change.ids
        about: Mapping[str, Any] = {"codes": 1}
        try:
            there = (await backend.get_voucher(identity, "full")).data
            if _is_used(there):
                raise MovedOn(f"the voucher {quoted(there.get('code'))} is in use", voucher=identity)
        except NotFound as error:
            if not write.recovering:
                raise MovedOn("what it made is not there any more", voucher=identity) from error
        await backend.delete_voucher(write, identity, True)
        return _answer(write, change, [identity], _NOTHING, about=about)
    query = CodesQuery(count=len(change.ids), code_ids=tuple(change.ids))
    found = (await backend.list_voucher_codes(change.pool, query)).data
    used = [code for code in found if code["status"] in ("assigned", "redeemed")]
    names = {one.get("id") for one in used}
    there_still = {one.get("id") for one in found}
    unused = [one for one in change.ids if one not in names and (one in there_still or write.recovering)]
    if not unused:
        raise MovedOn("nothing of what it made is left unused", pool=change.pool)
    await backend.delete_voucher_codes(write, change.pool, unused, True)
    kept = [{"code": code["code"], "reason": "it is in use"} for code in used]
    about = {"codes": len(unused)}
    return _answer(write, change, unused, _NOTHING, kept=kept, about=about)


async def _made_pool(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    (identity,) = change.ids
    about: Mapping[str, Any] = {}
    try:
        pool = (await backend.get_voucher_pool(identity)).data
        total, available = pool.get("total"), pool.get("available")
        if total is not None and available is not None and available < total:
            raise MovedOn(f"codes of the pool {quoted(pool['name'])} are in use", pool=identity)
        if total is not None and total > (change.codes or 0):
            raise MovedOn(f"more codes came into the pool {quoted(pool['name'])}", pool=identity)
        about = {"pool": pool["name"], "codes": total or 0}
    except NotFound as error:
        if not write.recovering:
            raise MovedOn("the pool is not there any more", pool=identity) from error
    await backend.delete_voucher_pool(write, identity, True)
    return _answer(write, change, [identity], _NOTHING, kind="pool", about=about)


async def _entries(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    entries = change.undo["entries"]
    reason = f"undo of {change.id}"
    if len(entries) == 1:
        ((identity, amount),) = entries
        await backend.update_voucher_balance(write, identity, -amount, reason)
    else:
        (source, _), (target, amount) = entries
        await backend.move_voucher_balance(write, target, source, amount, reason)
    back = [[identity, -amount] for identity, amount in reversed(entries)]
    ids = [one[0] for one in back]
    return _answer(write, change, ids, {"kind": "entries", "entries": back})


async def _redeemed(backend: Backend, write: Write, change: Change) -> Answer[Object]:
    redemption = change.undo["redeemed"]
    done = (await backend.rollback_redemption(write, redemption, f"undo of {change.id}", "concise")).data
    ids = [str(one["id"]) for one in done.get("rollbacks", [done]) if one.get("id")]
    trace = {**_NOTHING, "vouchers": change.undo.get("vouchers", [])}
    return _answer(write, change, ids, trace, kind="redemption", count=len(change.ids))


_WAYS: Final[Mapping[Kind, Callable[[Backend, Write, Change], Awaitable[Answer[Object]]]]] = {
    "fields": _fields,
    "made": _made,
    "made_pool": _made_pool,
    "entries": _entries,
    "redeemed": _redeemed,
}


def _require_as_left(
    there: Mapping[str, Any], settled: Mapping[str, Any], made: Mapping[str, Any], moved: MovedOn
) -> None:
    """Raises MovedOn where a field is neither as the change left it nor as an earlier try set it back."""
    for name, value in made.items():
        if not (_alike(there.get(name), value) or _alike(there.get(name), settled.get(name))):
            raise moved


def _alike(one: object, other: object) -> bool:
    """A time is the same in all its spellings, and what is empty, or null within metadata, is not there."""
    one, other = (
        {name: value for name, value in each.items() if value is not None} if isinstance(each, dict) else each
        for each in (one, other)
    )
    if one in (None, {}, "") and other in (None, {}, ""):
        return True
    if one == other:
        return True
    if isinstance(one, str | int | float) and isinstance(other, str) and other[:1].isdigit():
        return _milliseconds(one) == _milliseconds(other) is not None
    return False


def _milliseconds(value: object) -> int | None:
    if value is None:
        return None
    try:
        return parse_time(value, "")
    except InvalidInput:
        return None


def _is_used(voucher: Mapping[str, Any]) -> bool:
    redemption, gift = voucher.get("redemption") or {}, voucher.get("gift") or {}
    card = voucher.get("loyalty_card") or {}
    spent = gift.get("balance") != gift.get("amount") or card.get("balance") != card.get("points")
    return bool(redemption.get("redeemed_quantity") or voucher.get("holder_id") or spent)


def _voucher(identity: str, change: Change) -> MovedOn:
    return MovedOn(f"the voucher is not as {change.tool} left it", voucher=identity)


def _pool(identity: str, change: Change) -> MovedOn:
    return MovedOn(f"the pool is not as {change.tool} left it", pool=identity)


def _answer(
    write: Write,
    change: Change,
    ids: Sequence[str],
    undo: Mapping[str, Any],
    *,
    kind: str | None = None,
    count: int | None = None,
    kept: Sequence[Object] = (),
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
) -> Answer[Object]:
    data: Object = {
        "change_id": change.id,
        "tool": change.tool,
        "kind": kind or change.kind or "voucher",
        "ids": list(ids),
        "undone": len(ids) if count is None else count,
        "kept": list(kept),
        "kept_count": len(kept),
    }
    beside = {"dry_run": True} if write.dry_run else {}
    return Answer(
        data,
        beside,
        about=about or {},
        touched=ids,
        before=before or {},
        after=after or {},
        pool=change.pool,
        undo=undo,
    )
