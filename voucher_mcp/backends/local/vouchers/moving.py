"""Moving what is on one card to another: two lines of the ledger in one transaction."""

from typing import Any

from voucher_mcp.backends.local.records import sessions, vouchers
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.vouchers import balances
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.vouchers.moving import amount_to_move, check_cards
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def move(
    transaction: Transaction,
    project: Project,
    from_code: str,
    to_code: str,
    amount: int | None,
    *,
    reason: str | None,
    source_id: str | None,
    moment: int,
) -> Answer[dict[str, Any]]:
    """Take off one card and put on the other; answers {amount, from: {code, balance}, to: {code, balance}}.

    Raises:
        NotFound: one of them does not exist.
        InvalidInput, InsufficientBalance, …: of `check_cards`, `amount_to_move` and `balances.change`.
    """
    source = await vouchers.find(transaction, project, from_code, "from_code")
    target = await vouchers.find(transaction, project, to_code, "to_code")
    card = _card(project, source)
    check_cards(card, _card(project, target), vouchers.status(target, moment))
    held = await sessions.held_by_others(transaction, project, [source], None, moment)
    reserved = held.get(source.n, sessions.NOTHING).amount
    moved = amount_to_move(card, amount, source.balance or 0, reserved)
    after: list[dict[str, Any]] = []
    for voucher, change in ((source, -moved), (target, moved)):
        balance = await balances.change(
            transaction, project, voucher, change, reason=reason, source_id=source_id, moment=moment
        )
        after.append({"code": voucher.code, "balance": balance["balance"]})
    return Answer(
        {"amount": moved, "from": after[0], "to": after[1]},
        touched=[vouchers.identity(project, voucher) for voucher in (source, target)],
        before={"from": source.balance, "to": target.balance},
        after={"from": after[0]["balance"], "to": after[1]["balance"]},
    )


def _card(project: Project, voucher: Voucher) -> dict[str, Any]:
    kind = voucher.terms.get("type", "DISCOUNT_VOUCHER")
    return {"id": vouchers.identity(project, voucher), "code": voucher.code, "type": kind}
