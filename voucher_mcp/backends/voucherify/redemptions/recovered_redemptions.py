"""What a redemption did whose answer was lost, found by the metadata that it was given."""

from collections.abc import Sequence
from typing import Final

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import PAGE, voucher_path
from voucher_mcp.backends.voucherify.client.recovering import Recovering, earliest, rows_of, too_long
from voucher_mcp.backends.voucherify.mapping.filters import equal
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_text
from voucher_mcp.backends.voucherify.mapping.query import encode, window
from voucher_mcp.backends.voucherify.redemptions import redemption_bodies
from voucher_mcp.domain.errors import Conflict, NotFound, OutcomeUnknown, quoted
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.write import Write

_REDEMPTION: Final = "redemption"
_PARENTS: Final = 50
"""How many stacks are looked at whose members do not say themselves what they are of (ours)."""


class RecoveredRedemptions(Recovering):
    """Finds out what an earlier try to redeem did."""

    async def _done_before(self, write: Write, ids: Sequence[str]) -> Object | None:
        """What an earlier try redeemed, even if it was rolled back meanwhile; None where it redeemed nothing.

        Raises:
            OutcomeUnknown: there are too many redemptions to look through.
            Conflict: it redeemed only a part of a stack.
        """
        for name in ids:  # of a stack the vendor may have left out any
            if (done := await self._redeemed(write, name, ids)) is not None:
                return _require_whole(done, ids)
        return None

    async def _redeemed(self, write: Write, name: str, ids: Sequence[str]) -> Object | None:
        """What was redeemed together with this voucher by an earlier try."""
        unfinished = too_long("the voucher has too many redemptions", "list_redemptions of the voucher")
        parents: dict[str, bool] = {}

        async def look(one: Object) -> Object | None:
            if one.get("object", _REDEMPTION) != _REDEMPTION or one.get("result") == "FAILURE":
                return None
            parent = as_text(one.get(_REDEMPTION))
            if redemption_bodies.refers(one, write.reference):
                if parent is None:
                    return {"redemptions": [one], "order": one.get("order")}
                return await self._stack(parent, ids)
            if parent is None or len(ids) == 1 or redemption_bodies.refers_to_any(one):
                return None
            if parent not in parents:
                if len(parents) == _PARENTS:
                    raise unfinished
                parents[parent] = redemption_bodies.refers(await self._redemption(parent), write.reference)
            return await self._stack(parent, ids) if parents[parent] else None

        parameters = {
            "order": "created_at",
            "created_at": window(Window(earliest(write), None)),
            "filters": {"junction": "and", **equal(voucher_code=await self._code_of(name))},
        }
        return await self._walk("/v1/redemptions", "redemptions", parameters, look, unfinished)

    async def _code_of(self, name: str) -> str:
        """The code of a voucher that a redemption names by its code or id: a code may look like an id."""
        try:
            there = await self._get(voucher_path(name))
        except NotFound:
            return name
        return as_text(there.get("code")) or name

    async def _redemption(self, redemption_id: str) -> Object:
        return await self._get(f"/v1/redemptions/{segment(redemption_id)}")

    async def _stack(self, parent: str, ids: Sequence[str]) -> Object:
        """A stack as its redemption answered it, its members in the order of `ids`."""
        whole = await self._redemption(parent)
        parameters = {"limit": PAGE, "filters": {"junction": "and", **equal(parent_redemption_id=parent)}}
        reply = await self._http.read("GET", "/v1/redemptions", query=encode(parameters))
        found = rows_of(reply, "redemptions")
        members = [one for one in found if one.get("object", _REDEMPTION) == _REDEMPTION]
        members.sort(key=lambda one: redemption_bodies.place_of(one, ids))
        return {"redemptions": members, "parent_redemption": whole, "order": whole.get("order")}


def _require_whole(done: Object, ids: Sequence[str]) -> Object:
    """Refuse a stack of which the vendor redeemed only a part, whose rollback did not come about.

    Raises:
        Conflict: it is one.
        OutcomeUnknown: its members do not all show.
    """
    members, parent = done["redemptions"], done.get("parent_redemption")
    if len(members) >= len(ids):
        return done
    first = parent or (members[0] if members else {})
    name = as_text(first.get("id"))
    if name is None:
        raise OutcomeUnknown(
            "The answer to the first try was lost, and it is unknown how many of the vouchers it redeemed. "
            "Nothing was sent again. list_redemptions of the vouchers shows it."
        )
    start = (
        f"Of what the first try redeemed, as {quoted(name)}, only {len(members)} of {len(ids)} vouchers "
        "show; nothing was sent again."
    )
    if redemption_bodies.rollback_of(first) is not None:
        raise Conflict(f"{start} It was rolled back; use a new idempotency_key to redeem them.")
    raise Conflict(
        f"{start} rollback_redemption of {quoted(name)} undoes it.",
        applied="partly",
    )
