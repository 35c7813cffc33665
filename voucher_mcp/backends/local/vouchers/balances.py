"""What a gift card or loyalty card holds: adding to it, taking off by hand, and its ledger."""

from typing import Any, Final

from voucher_mcp.backends.local.records import changes, ids, sessions
from voucher_mcp.backends.local.records.vouchers import Voucher, identity
from voucher_mcp.backends.local.vouchers import ledger
from voucher_mcp.backends.local.vouchers.standing import settled
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InsufficientBalance, InvalidInput, quoted
from voucher_mcp.domain.values.fields import MAX_NUMBER, text
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_REASON: Final = text(1_000, lines=True)

_ORDERS = {"id": "transactions_up", "-id": "transactions_down"}
_BEFORE_ALL, _AFTER_ALL = -1, 2**62


async def change(
    transaction: Transaction,
    project: Project,
    voucher: Voucher,
    amount: int,
    *,
    reason: str | None,
    source_id: str | None,
    moment: int,
) -> dict[str, Any]:
    """Add minor units or points, or take them off with a negative amount.

    Answers the document's balance object, whose `total` is all that was ever put on less what was taken off
    by hand, with the code, the reason and the line of the ledger that it became.

    A card that is disabled, expired or not yet active can be changed too (ours).

    Raises:
        InvalidInput: nothing to add, more than a number can say, a discount voucher, which holds nothing, or
            a reason with control characters.
        InsufficientBalance: more to take off than there is, apart from what sessions reserve.
    """
    if reason is not None:
        _REASON(reason, "reason", None)
    balance = voucher.balance
    if balance is None:
        raise InvalidInput(
            f"The voucher {quoted(voucher.code)} is a discount and has no balance. update_voucher changes "
            "its discount.",
            field="code",
        )
    if amount == 0 or abs(amount) > MAX_NUMBER:
        raise InvalidInput(
            f"`amount` must be a whole number other than 0, at most {MAX_NUMBER}.",
            field="amount",
        )
    lifetime = (voucher.opened_with or 0) + voucher.granted
    if lifetime + amount > MAX_NUMBER:
        raise InvalidInput(
            f"{amount} more cannot be added: all that was ever put on the voucher, {lifetime}, may come to "
            f"{MAX_NUMBER}.",
            field="amount",
        )
    if amount < 0:
        held = await sessions.held_by_others(transaction, project, [voucher], None, moment)
        _require_enough(voucher, balance, -amount, held.get(voucher.n, sessions.NOTHING).amount)
    changed, entry = ledger.entered(voucher, "ADDITION" if amount > 0 else "REMOVAL", amount)
    after = settled(changed.after(updated_at=moment))
    await changes.apply(transaction, project, voucher, after)
    n = await ledger.write(
        transaction, project, after, entry, moment=moment, reason=reason, source_id=source_id
    )
    return {
        "code": after.code,
        "balance": after.balance,
        **_balance(identity(project, after), _type(after), amount, after.total, after.balance, by_hand=True),
        "reason": reason,
        "transaction_id": ids.row_id(ids.TRANSACTION, project, n),
    }


async def transactions(
    transaction: Transaction,
    project: Project,
    voucher: Voucher,
    limit: int,
    order: str | None,
    starting_after_id: str | None,
) -> Answer[list[dict[str, Any]]]:
    """A page of the voucher's ledger, the newest first where no order is given (ours).

    A discount voucher has none, which is an empty list.

    Raises:
        InvalidInput: an unknown order, or a cursor that is not a transaction of this voucher.
    """
    query = _ORDERS.get(order or "-id")
    if query is None:
        raise InvalidInput(f"`order` must be id or -id; got {quoted(order)}.", field="order")
    cursor = _BEFORE_ALL if order == "id" else _AFTER_ALL
    if starting_after_id is not None:
        cursor = await _cursor(transaction, project, voucher, starting_after_id)
    rows = await transaction.all(query, project.n, voucher.n, cursor, limit + 1)
    page = [line(project, voucher, row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Answer(page, {"has_more": False})
    return Answer(page, {"has_more": True, "more_starting_after": page[-1]["id"]})


def _require_enough(voucher: Voucher, balance: int, wanted: int, reserved: int) -> None:
    if wanted <= balance - reserved:
        return
    unit = "points" if voucher.terms.get("type") == "LOYALTY_CARD" else "minor units"
    held = f", of which sessions reserve {reserved}" if reserved else ""
    raise InsufficientBalance(
        f"{wanted} {unit} cannot be taken off the voucher {quoted(voucher.code)}: its balance is "
        f"{balance}{held}.",
        field="amount",
    )


async def _cursor(transaction: Transaction, project: Project, voucher: Voucher, cursor: str) -> int:
    n = ids.row_of(ids.TRANSACTION, project, cursor)
    if n is None or not await transaction.one("transaction_of_voucher", project.n, voucher.n, n):
        raise InvalidInput(
            f"{quoted(cursor)} is not a transaction of the voucher {quoted(voucher.code)}; give the "
            "`more_starting_after` of the page before.",
            field="starting_after_id",
        )
    return n


def line(project: Project, voucher: Voucher, row: Row) -> dict[str, Any]:
    """A transaction with the names of Voucherify's object."""
    n, kind, amount, balance, total, reason, source_id, redemption, created_at, rollback_of = row
    voucher_id, by_hand = identity(project, voucher), redemption is None
    details: dict[str, Any] = {
        "balance": _balance(voucher_id, _type(voucher), amount, total, balance, by_hand=by_hand)
    }
    if rollback_of is not None:
        details["redemption"] = {"id": ids.row_id(ids.REDEMPTION, project, rollback_of)}
        details["rollback"] = {"id": ids.row_id(ids.ROLLBACK, project, redemption)}
    elif not by_hand:
        details["redemption"] = {"id": ids.row_id(ids.REDEMPTION, project, redemption)}
    return {
        "id": ids.row_id(ids.TRANSACTION, project, n),
        "source_id": source_id if by_hand else None,
        "voucher_id": voucher_id,
        "campaign_id": voucher.pool_id,
        "source": "API" if by_hand else None,
        "reason": reason,
        "type": kind,
        "details": details,
        "related_transaction_id": None,
        "created_at": to_iso(created_at),
    }


def _balance(
    voucher_id: str, kind: str, amount: int, total: int | None, balance: int | None, *, by_hand: bool
) -> dict[str, Any]:
    shown = {"amount": amount, "total": total, "balance": balance, "type": kind}
    shown |= {"operation_type": "MANUAL"} if by_hand else {}
    return {**shown, "object": "balance", "related_object": {"type": "voucher", "id": voucher_id}}


def _type(voucher: Voucher) -> str:
    return str(voucher.terms.get("type", "")).lower()
