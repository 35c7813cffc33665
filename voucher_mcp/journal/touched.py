"""What a write touched, as the journal keeps it: read off its answer, on every backend alike."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from voucher_mcp.domain.answer import MOST_TOUCHED, Answer

MOST_LOOKED_UP: Final = 100
"""A write that touched more vouchers is found by its pool, tool or time, and not by each of them: adding
thousands of codes would else write a row more for each."""

_POOLS: Final = frozenset({"create_voucher_pool", "update_voucher_pool", "delete_voucher_pool"})


class Touched(NamedTuple):
    """What a write was about; each is None where there is nothing to say."""

    kind: str | None = None
    """voucher, pool, redemption or job: what the ids are of."""
    ids: str | None = None
    """JSON: a list of ids, no codes."""
    before: str | None = None
    """JSON: the changed fields of the one thing, as they were."""
    after: str | None = None
    pool: str | None = None
    """The id of the pool that it was about, or whose codes."""
    undo: str | None = None
    """JSON: what an undo needs beyond those."""
    vouchers: str | None = None
    """JSON: the ids of the vouchers that it is found by."""


NOTHING: Final = Touched()


def touched(tool: str, answer: Answer[Any]) -> Touched:
    """What the answer of a write by that tool says that it touched."""
    kind, ids = _kind_and_ids(tool, answer.data)
    known = [one for one in answer.touched or ids if isinstance(one, str)][:MOST_TOUCHED]
    vouchers = known if kind == "voucher" else answer.undo.get("vouchers", ())
    return Touched(
        kind if known else None,
        _json(known) if known else None,
        _json(answer.before) if answer.before else None,
        _json(answer.after) if answer.after else None,
        answer.pool or (known[0] if known and kind == "pool" else None),
        _json(answer.undo) if answer.undo else None,
        _json(vouchers) if 0 < len(vouchers) <= MOST_LOOKED_UP else None,
    )


def _kind_and_ids(tool: str, data: Any) -> tuple[str, Sequence[Any]]:
    match data:
        case {"redemptions": [*made]}:
            return "redemption", [one.get("id") for one in made]
        case {"rollbacks": [*made]}:
            return "redemption", [one.get("id") for one in made]
        case {"async_action_id": job}:
            return "job", [job]
        case {"kind": str(kind), "ids": [*ids]}:  # of an undo
            return kind, ids
        case {"ids": [*ids]}:
            return ("pool" if tool in _POOLS else "voucher"), ids
        case [*fates]:  # of codes that were added
            made = [one for one in fates if isinstance(one, Mapping) and one.get("result") == "added"]
            return "voucher", [one.get("id") for one in made]
        case {"related_object": {"id": one}}:  # of a balance
            return "voucher", [one]
        case Mapping():
            return _KINDS.get(tool, "pool" if tool in _POOLS else "voucher"), [data.get("id")]
    return "voucher", []


_KINDS: Final = {"rollback_redemption": "redemption", "export_voucher_transactions": "job"}


def _json(value: Any) -> str:
    return to_json(value, inf_nan_mode="null").decode()
