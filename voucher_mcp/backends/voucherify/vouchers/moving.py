"""Moving what is on one card to another: two bookings of which each has a name in the vendor's ledger.

The vendor has no such operation. The first half takes off, the second puts on; each carries our name for
the write with its own ending. What a lost answer left is read from the ledgers, so that a retry books only
what is missing; where the second half is refused, the first is booked back.
"""

from dataclasses import replace
from typing import Any, Final

from voucher_mcp.backends.voucherify.client.account import DRY, voucher_path
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text, balance_of, status_of
from voucher_mcp.backends.voucherify.vouchers.balances import Balances
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown, VoucherError, quoted
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.moving import amount_to_move, check_cards
from voucher_mcp.domain.write import Write

_OFF: Final = ".off"
_ON: Final = ".on"
_BACK: Final = ".back"

_SETTLED_BY: Final = "the same call with the same idempotency_key, which books only what is missing,"


class Moving(Balances):
    """The part of the toolset vouchers that moves balance between cards."""

    async def move_voucher_balance(
        self, write: Write, from_code: str, to_code: str, amount: int | None, reason: str | None
    ) -> Answer[Object]:
        source, target = await self._card(from_code, "from_code"), await self._card(to_code, "to_code")
        moved = await self._taken_off(write, source) if write.recovering else None
        if moved is None:
            check_cards(source, target, status_of(target, now()))
            moved = amount_to_move(source, amount, int(balance_of(source) or 0))
            if write.dry_run:
                return replace(_answer(source, target, moved, moved), beside=DRY)
            await self._book(write, source, _OFF, -moved, reason)
        elif await self._booked_as(write, target, _ON):
            return _answer(source, target, moved, 0)
        try:
            await self._book(write, target, _ON, moved, reason)
        except OutcomeUnknown:
            raise
        except VoucherError as error:
            await self._put_back(write, source, moved, error)
            raise
        source, target = await self._voucher(from_code), await self._voucher(to_code)
        return _answer(source, target, moved, 0)

    async def _card(self, code: str, field: str) -> Object:
        try:
            return await self._voucher(code)
        except NotFound as error:
            error.field = field
            raise

    async def _put_back(self, write: Write, source: Object, moved: int, refusal: VoucherError) -> None:
        """Undo the first half, as the second was refused.

        Raises:
            OutcomeUnknown: it could not be undone; a retry tries the second half again.
        """
        try:
            await self._book(write, source, _BACK, moved, None)
        except VoucherError as error:
            raise OutcomeUnknown(
                f"{moved} was taken off the card {quoted(source.get('code'))}, and neither put on the other "
                f"nor back: {refusal.message} Repeat the call with the same idempotency_key to complete it; "
                "list_voucher_transactions of both cards shows where it stands.",
                applied="unknown",
                retryable=True,
            ) from error

    async def _book(self, write: Write, card: Object, half: str, amount: int, reason: str | None) -> None:
        body: dict[str, Any] = {"amount": amount, "source_id": write.reference + half}
        if reason is not None:
            body["reason"] = reason
        path = voucher_path(as_text(card.get("code")) or "", "/balance")
        await self._send(write, "POST", path, json=body, settled_by=_SETTLED_BY)

    async def _taken_off(self, write: Write, source: Object) -> int | None:
        """How much an earlier try took off and did not book back; None where it is nothing."""
        booked = await self._booked_as(write, source, _OFF) + await self._booked_as(write, source, _BACK)
        return -booked or None

    async def _booked_as(self, write: Write, card: Object, half: str) -> int:
        """What all tries booked on the card under that name."""
        amounts = [
            as_object(as_object(line.get("details")).get("balance")).get("amount")
            async for line in self._lines_since(write, as_text(card.get("code")) or "")
            if line.get("source_id") == write.reference + half
        ]
        return sum(amount for amount in amounts if isinstance(amount, int))


def _answer(source: Object, target: Object, moved: int, pending: int) -> Answer[Object]:
    """What was moved, and what the cards hold with what is still to be booked."""
    data = {
        "amount": moved,
        "from": {"code": source.get("code"), "balance": (balance_of(source) or 0) - pending},
        "to": {"code": target.get("code"), "balance": (balance_of(target) or 0) + pending},
    }
    ids = [as_text(card.get("id")) or "" for card in (source, target)]
    entries = [[ids[0], -moved], [ids[1], moved]]
    return Answer(data, touched=ids, undo={"entries": entries})
