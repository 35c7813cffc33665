"""Redeeming vouchers: one or a stack, all of them or none, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from voucher_mcp.backends.local.records import changes, holders
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.redemptions.redemption_rows import Redemption, show
from voucher_mcp.backends.local.redemptions.validations import Turn, applying, brief, show_turn, totals
from voucher_mcp.backends.local.vouchers import ledger
from voucher_mcp.backends.local.vouchers.standing import settled
from voucher_mcp.domain.errors import VoucherError, quoted
from voucher_mcp.domain.redeeming.order import Order
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all redemptions of one call share."""

    customer: str | None
    key: str | None
    """The idempotency key."""
    moment: int
    detail: str


async def redeem(
    transaction: Transaction, project: Project, turns: Sequence[Turn], call: Circumstances
) -> Object:
    """Redeem vouchers that have all taken their turn: {redemptions, parent_redemption, order}.

    Those for which nothing was left to pay stand beside them in `skipped_redeemables`.

    Raises:
        the error of the first voucher that does not apply; the transaction must then be undone.
    """
    for at, turn in enumerate(turns):
        if turn.error is not None:
            raise _refused(turn, turn.error, at, len(turns))
    order = _paid(turns[-1].order)
    ready = applying(turns)
    if len(turns) == 1:
        shown = await _redeem_one(transaction, project, *ready[0], call, None, order)
        return {"redemptions": [shown], "parent_redemption": None, "order": order}
    parent = await _insert(transaction, project, call, {"order": order})
    stack = [
        await _redeem_one(transaction, project, turn, voucher, call, parent.n, totals(turn.order))
        for turn, voucher in ready
    ]
    skipped = [show_turn(turn) for turn in turns if turn.status == "SKIPPED"]
    return {
        "redemptions": stack,
        "parent_redemption": _parent(project, parent, call.detail),
        "order": order,
        **({"skipped_redeemables": skipped} if skipped else {}),
    }


def _parent(project: Project, parent: Redemption, detail: str) -> Object:
    """The parent of a stack; concise without the order, which stands beside it."""
    shown = show(project, parent, None, detail)
    if detail == "concise":
        shown.pop("order", None)
    return shown


def _refused(turn: Turn, error: VoucherError, at: int, count: int) -> VoucherError:
    """The error of one voucher as the whole call's."""
    others = "" if count == 1 else f" None of the {count} vouchers was redeemed."
    message = f"{quoted(turn.asked.id)} was not redeemed: {error.message}{others}"
    return type(error)(message, field=f"redeemables.{at}.id")


async def _redeem_one(
    transaction: Transaction,
    project: Project,
    turn: Turn,
    voucher: Voucher,
    call: Circumstances,
    parent: int | None,
    order: Object | None,
) -> Object:
    made_holder = False
    if call.customer is not None:
        is_new = await holders.hold(
            transaction, project, call.customer, voucher.n, voucher.pool_n, call.moment
        )
        made_holder = is_new and voucher.holder != call.customer
    redemption = await _insert(
        transaction,
        project,
        call,
        {"order": order, **_spending(turn)},
        parent=parent,
        voucher=voucher,
        amount=turn.spent,
        made_holder=made_holder,
    )
    after, line = _used(voucher, turn.spent, call)
    await changes.apply(transaction, project, voucher, after)
    if line is not None:
        await ledger.write(
            transaction,
            project,
            after,
            line,
            moment=call.moment,
            source_id=call.key,
            redemption=redemption.n,
        )
    shown = show(project, redemption, after, call.detail)
    return {**shown, "order": brief(order)} if call.detail == "concise" and order else shown


def _used(voucher: Voucher, spent: int, call: Circumstances) -> tuple[Voucher, ledger.Line | None]:
    """The voucher once it is redeemed, with its line in the ledger; who has no holder gets the customer."""
    after, line = ledger.entered(voucher, "REDEMPTION", -spent) if spent else (voucher, None)
    holder = voucher.holder if voucher.holder is not None else call.customer
    assigned_at = voucher.assigned_at
    if assigned_at is None and holder is not None:
        assigned_at = call.moment
    return settled(
        after.after(
            redeemed_quantity=voucher.redeemed_quantity + 1,
            holder=holder,
            assigned_at=assigned_at,
            redeemed_at=max(call.moment, voucher.redeemed_at or 0),  # a clock may have been set back
            updated_at=call.moment,
        )
    ), line


async def _insert(
    transaction: Transaction,
    project: Project,
    call: Circumstances,
    body: Object,
    *,
    parent: int | None = None,
    voucher: Voucher | None = None,
    amount: int = 0,
    made_holder: bool = False,
) -> Redemption:
    """A new row: of one voucher, or the parent of a stack."""
    n, pool = (voucher.n, voucher.pool_n) if voucher else (None, None)
    row = await transaction.add(
        "redemption_insert",
        project.n,
        parent,
        n,
        pool,
        call.customer,
        amount,
        made_holder,
        call.key,
        to_json(body).decode(),
        call.moment,
        await transaction.line(),
    )
    return Redemption(
        row, 0, None, parent, n, pool, call.customer, amount, None, None, call.key, body, call.moment
    )


def _spending(turn: Turn) -> Object:
    if "gift" in turn.result:
        return {"gift": {"amount": turn.spent}}
    if "loyalty_card" in turn.result:
        reward = {"points": turn.spent} | ({"id": turn.asked.reward_id} if turn.asked.reward_id else {})
        return {"loyalty_card": {"points": turn.spent}, "reward": reward}
    return {}


def _paid(order: Order | None) -> Object | None:
    """The whole order after the call; Voucherify's orders are PAID once something was redeemed on them."""
    if order is None:
        return None
    shown = order.all_applied().to_json()
    return {**shown, "status": shown.get("status", "PAID")}
