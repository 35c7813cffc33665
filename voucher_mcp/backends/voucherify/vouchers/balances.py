"""What a gift card or loyalty card holds: adding to it, taking off by hand, and its ledger."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from voucher_mcp.backends.http import Reply
from voucher_mcp.backends.voucherify.client.account import DRY, PAGE, Account, voucher_path
from voucher_mcp.backends.voucherify.client.recovering import PAGES, are_before, earliest, rows_of, too_long
from voucher_mcp.backends.voucherify.mapping.ids import is_voucher_id
from voucher_mcp.backends.voucherify.mapping.objects import (
    Object,
    as_number,
    as_object,
    as_objects,
    as_text,
    balance_of,
)
from voucher_mcp.backends.voucherify.mapping.query import cursor, encode, newest_first
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InsufficientBalance, InvalidInput
from voucher_mcp.domain.write import Write


class Balances(Account):
    """The part of the toolset vouchers that changes and shows balances."""

    async def update_voucher_balance(
        self, write: Write, code: str, amount: int, reason: str | None
    ) -> Answer[Object]:
        there = await self._voucher(code) if write.dry_run or is_voucher_id(code) else None
        told: Object = {"code": as_text((there or {}).get("code")) or code, "reason": reason}
        if there is not None and write.dry_run:
            return Answer({**_after(there, amount), **told}, DRY)
        if write.recovering and (done := await self._booked(write, code)) is not None:
            return Answer({**done, **told})
        body: dict[str, Any] = {"amount": amount}
        if write.reference:
            body["source_id"] = write.reference
        if reason is not None:
            body["reason"] = reason
        try:
            reply = await self._send(
                write,
                "POST",
                voucher_path(code, "/balance"),
                json=body,
                settled_by="list_voucher_transactions of this voucher, by source_id and amount,",
            )
        except InvalidInput:
            _after(await self._voucher(code), amount)  # which tells the reason better, if it is one of these
            raise
        identity = as_text(as_object(reply.object().get("related_object")).get("id"))
        undo = {"entries": [[identity, amount]]} if identity else {}
        return Answer({**reply.object(), **told}, undo=undo)

    async def list_voucher_transactions(
        self, code: str, limit: int, order: str | None, starting_after_id: str | None
    ) -> Answer[list[Object]]:
        body = (await self._ledger(code, limit, order, starting_after_id)).object()
        return Answer(as_objects(body.get("data")), cursor(body))

    async def _ledger(self, code: str, limit: int, order: str | None, after: str | None) -> Reply:
        parameters = {"limit": limit, "order": newest_first(order), "starting_after_id": after}
        return await self._http.read("GET", voucher_path(code, "/transactions"), query=encode(parameters))

    async def _booked(self, write: Write, code: str) -> Object | None:
        """The balance that an earlier try left, by its line in the ledger; None where it booked nothing.

        Raises:
            OutcomeUnknown: the ledger is longer than what is looked through.
        """
        async for line in self._lines_since(write, code):
            if write.reference and line.get("source_id") == write.reference:
                return _balance_in(line)
        return None

    async def _lines_since(self, write: Write, code: str) -> AsyncIterator[Object]:
        """The lines of a ledger back to before the write's first try, the newest first.

        Raises:
            OutcomeUnknown: it is longer than what is looked through.
        """
        since, after = earliest(write), None
        for _ in range(PAGES):
            reply = await self._ledger(code, PAGE, None, after)
            lines, more = rows_of(reply, "data"), reply.object().get("has_more")
            for line in lines:
                yield line
            is_last = more is False or (more is not True and len(lines) < PAGE)
            if is_last or are_before(lines, since):
                return
            after = as_text(reply.object().get("more_starting_after")) or (
                as_text(lines[-1].get("id")) if lines else None
            )
            if after is None:
                break
        raise too_long("the voucher's ledger is too long", "list_voucher_transactions of the voucher")


def _balance_in(line: Mapping[str, Any]) -> Object:
    """The balance object of a line of the ledger, with the line's id."""
    balance = as_object(as_object(line.get("details")).get("balance"))
    if not balance:
        balance = {"object": "balance", "related_object": {"type": "voucher", "id": line.get("voucher_id")}}
    return {**balance, "transaction_id": as_text(line.get("id"))}


def _after(voucher: Mapping[str, Any], amount: int) -> Object:
    """The balance as the change would leave it.

    Raises:
        InvalidInput: the voucher is not a card.
        InsufficientBalance: more would be taken off than there is.
    """
    balance = balance_of(voucher)
    gift, card = as_object(voucher.get("gift")), as_object(voucher.get("loyalty_card"))
    if balance is None:
        raise InvalidInput(
            "Only gift cards and loyalty cards have a balance, and this voucher is neither.",
            field="code",
        )
    if balance + amount < 0:
        raise InsufficientBalance(
            f"The card holds {balance:,}, so {-amount:,} cannot be taken off.",
            field="amount",
        )
    total = as_number(gift.get("amount") if gift else card.get("points"))
    taken_off = as_number(gift.get("subtracted_amount") if gift else card.get("subtracted_points")) or 0
    return {
        "amount": amount,
        "total": None if total is None else total - taken_off + amount,
        "balance": balance + amount,
        "type": "gift_voucher" if gift else "loyalty_card",
        "operation_type": "MANUAL",
        "object": "balance",
        "related_object": {"type": "voucher", "id": voucher.get("id")},
    }
