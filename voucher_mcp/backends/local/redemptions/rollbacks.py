"""Rolling a redemption back: the voucher becomes what it would be without it, whatever came after."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_core import to_json

from voucher_mcp.backends.local.records import changes, holders
from voucher_mcp.backends.local.records.ids import REDEMPTION, row_id
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.redemptions import redemption_rows
from voucher_mcp.backends.local.redemptions.redemption_rows import Redemption, identity, show
from voucher_mcp.backends.local.vouchers import ledger
from voucher_mcp.backends.local.vouchers.standing import settled
from voucher_mcp.domain.errors import AlreadyRolledBack, Conflict, InvalidInput
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

Object = dict[str, Any]

ROLLBACK_DAYS: Final = 92
"""Voucherify rolls back for three months; in days, that is at most this (ours)."""

_MILLISECONDS_A_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all rollbacks of one call share; `key` is the idempotency key."""

    reason: str | None
    key: str | None
    moment: int
    detail: str


async def roll_back(
    transaction: Transaction, project: Project, redemption_id: str, call: Circumstances
) -> Object:
    """Give back what a redemption took; of the parent of a stack, what all its members took.

    Returns:
        The rollback, or {rollbacks, parent_rollback, order} of a stack.

    Raises:
        NotFound: there is no such redemption.
        InvalidInput: it is a rollback, or the member of a stack.
        AlreadyRolledBack: it was.
        Conflict: it is too old, or its voucher was deleted.
    """
    redemption = await redemption_rows.find(transaction, project, redemption_id)
    _check(project, redemption, call.moment)
    if redemption.voucher is not None:
        return await _give_back(transaction, project, redemption, call, None)
    stack = await redemption_rows.members(transaction, project, redemption)
    parent = await _record(transaction, project, redemption, call, None)
    return {
        "rollbacks": [await _give_back(transaction, project, member, call, parent.n) for member in stack],
        "parent_rollback": show(project, parent, None, call.detail),
        "order": parent.body["order"],
    }


def _check(project: Project, redemption: Redemption, moment: int) -> None:
    if redemption.rollback:
        raise InvalidInput(
            "This is a rollback itself and cannot be rolled back. Redeem again instead.",
            field="redemption_id",
        )
    if redemption.parent is not None:
        parent = row_id(REDEMPTION, project, redemption.parent)
        raise InvalidInput(
            f"This redemption is part of a stack, which is rolled back as a whole: use its parent {parent}.",
            field="redemption_id",
        )
    if redemption.rolled_back_by is not None:
        raise AlreadyRolledBack(
            "This redemption was rolled back already. get_redemption shows it.",
            field="redemption_id",
        )
    if moment - redemption.created_at > ROLLBACK_DAYS * _MILLISECONDS_A_DAY:
        raise Conflict(
            f"This redemption is of {to_iso(redemption.created_at)}; only those of the last "
            f"{ROLLBACK_DAYS} days can be rolled back.",
            field="redemption_id",
        )


async def _give_back(
    transaction: Transaction,
    project: Project,
    redemption: Redemption,
    call: Circumstances,
    parent: int | None,
) -> Object:
    voucher = await redemption_rows.voucher_of(transaction, project, redemption)
    assert voucher is not None  # no parent
    if voucher.is_deleted:
        raise Conflict(
            f"The voucher of {identity(project, redemption)} was deleted, so it cannot take anything back.",
            field="redemption_id",
        )
    rollback = await _record(transaction, project, redemption, call, parent)
    after, line = voucher, None
    if redemption.amount:
        after, line = ledger.entered(voucher, "REFUND", redemption.amount)
    if redemption.customer is not None:
        after = await _released(transaction, project, after, redemption.customer)
    last = await transaction.one("redemption_last_live", project.n, voucher.n)
    after = settled(
        after.after(
            redeemed_quantity=max(0, voucher.redeemed_quantity - 1),
            redeemed_at=last[0] if last else None,
            updated_at=call.moment,
        )
    )
    await changes.apply(transaction, project, voucher, after)
    if line is not None:
        await ledger.write(
            transaction,
            project,
            after,
            line,
            moment=call.moment,
            reason=call.reason,
            source_id=call.key,
            redemption=rollback.n,
        )
    return show(project, rollback, after, call.detail)


async def _released(transaction: Transaction, project: Project, voucher: Voucher, customer: str) -> Voucher:
    """The voucher held by the first of those who hold it through redemptions that are not undone.

    The customer holds it no more if none of theirs is left, and else since the first that is.
    """
    row = await transaction.one("redemption_holds", project.n, customer, voucher.n)
    became_by_redeeming, live = row or (0, 0)
    if not became_by_redeeming:
        return voucher
    if live:
        await transaction.later("holder_since", project.n, customer, voucher.n)
    else:
        await holders.let_go(transaction, project, customer, voucher.n, voucher.pool_n)
        # how they come to hold it another time, say by assignment, has nothing to do with these redemptions
        await transaction.later("redemption_holds_forget", project.n, customer, voucher.n)
    if voucher.holder != customer:
        return voucher
    first = await transaction.one("redemption_first", project.n, voucher.n)
    holder, assigned_at = first or (None, None)
    return voucher.after(holder=holder, assigned_at=assigned_at)


async def _record(
    transaction: Transaction,
    project: Project,
    redemption: Redemption,
    call: Circumstances,
    parent: int | None,
) -> Redemption:
    """Write the rollback's row, and on the redemption that it is rolled back."""
    body = _undone(redemption.body)
    n = await transaction.add(
        "rollback_insert",
        project.n,
        redemption.n,
        parent,
        redemption.voucher,
        redemption.pool,
        redemption.customer,
        -redemption.amount,
        call.reason,
        call.key,
        to_json(body).decode(),
        call.moment,
        await transaction.line(),
    )
    await transaction.later(
        "redemption_mark_rolled_back", project.n, redemption.n, n, overtakes="The redemption"
    )
    return replace(
        redemption,
        n=n,
        rollback=1,
        related=redemption.n,
        parent=parent,
        amount=-redemption.amount,
        reason=call.reason,
        tracking_id=call.key,
        body=body,
        created_at=call.moment,
    )


def _undone(body: Mapping[str, Any]) -> Object:
    """What a redemption says, turned round: the order canceled, without discounts or the units they added."""
    undone: Object = {"order": _canceled(body.get("order"))}
    for name, unit in (("gift", "amount"), ("loyalty_card", "points")):
        if name in body:
            undone[name] = {unit: -body[name][unit]}
    return undone


def _canceled(order: Mapping[str, Any] | None) -> Object | None:
    if order is None:
        return None
    amount = order["initial_amount"]
    kept = {key: order[key] for key in ("object", "source_id", "metadata") if key in order}
    canceled = {
        **kept,
        "status": "CANCELED",
        "amount": amount,
        "initial_amount": amount,
        "total_amount": amount,
    }
    if "items" in order:
        ordered = (item for item in order["items"] if item.get("initial_quantity") != 0)
        canceled["items"] = [_undiscounted(item) for item in ordered]
    return canceled


def _undiscounted(item: Mapping[str, Any]) -> Object:
    amount = item.get("initial_amount", item["amount"])
    kept = {
        key: value for key, value in item.items() if not key.startswith("initial_") and "discount" not in key
    }
    quantity = item.get("initial_quantity", item["quantity"])
    return {**kept, "quantity": quantity, "amount": amount, "subtotal_amount": amount}
