"""Credits and points: the balance of a voucher and its transactions, which always agree."""

from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome, integer
from tests.standins.voucherify.errors import Json, invalid, invalid_payload
from tests.standins.voucherify.state import State

_CARDS = {
    "GIFT_VOUCHER": ("gift", "gift_voucher", "amount", "subtracted_amount", "redeemed_amount", "CREDITS"),
    "LOYALTY_CARD": (
        "loyalty_card",
        "loyalty_card",
        "points",
        "subtracted_points",
        "redeemed_points",
        "POINTS",
    ),
}


def open_ledger(state: State, voucher: Json) -> None:
    """A new card's first entry."""
    state.transactions[voucher["id"]] = []
    if voucher["type"] in _CARDS:
        card = voucher[_CARDS[voucher["type"]][0]]
        if card["balance"]:
            _write(state, voucher, "ADDITION", card["balance"], source_id=None, reason=None, details={})


def available(voucher: Json) -> int:
    """The credits or points on a card."""
    return int(voucher[_CARDS[voucher["type"]][0]]["balance"])


def adjust(call: Call) -> Outcome:
    """POST /v1/vouchers/{code}/balance"""
    state, body = call.state, call.json
    voucher = state.voucher(call.parts[0])
    amount = integer(body, "amount", "")
    for name in ("source_id", "reason"):
        if not isinstance(body.get(name), (str, type(None))):
            raise invalid_payload(f"Property .{name} should be string")
    if voucher["type"] not in _CARDS:
        raise invalid("invalid_add_balance_params", "Only a gift voucher or a loyalty card has a balance")
    if available(voucher) + amount < 0:
        raise invalid("invalid_add_balance_params", "The balance cannot be lower than 0")
    name, kind, income, subtracted, _, _ = _CARDS[voucher["type"]]
    card = voucher[name]
    card[income if amount >= 0 else subtracted] += abs(amount)
    card["balance"] += amount
    voucher["updated_at"] = state.now()
    sort = "ADDITION" if amount >= 0 else "REMOVAL"
    _write(state, voucher, sort, amount, body.get("source_id"), body.get("reason"), {}, "API")
    return 200, {
        "amount": amount,
        "total": card[income] - card[subtracted],
        "balance": card["balance"],
        "type": kind,
        "operation_type": "MANUAL",
        "object": "balance",
        "related_object": {"type": "voucher", "id": voucher["id"]},
    }


def spend(state: State, voucher: Json, amount: int, details: Json) -> None:
    """A redemption takes `amount`; a rollback gives it back with a negative one."""
    name, _, _, _, redeemed, _ = _CARDS[voucher["type"]]
    voucher[name]["balance"] -= amount
    voucher["redemption"][redeemed] += amount
    sort = "REDEMPTION" if amount >= 0 else "REFUND"
    _write(state, voucher, sort, -amount, None, None, details)


def _write(
    state: State,
    voucher: Json,
    sort: str,
    amount: int,
    source_id: Any,
    reason: Any,
    details: Json,
    source: str | None = None,
) -> None:
    name, kind, income, subtracted, _, unit = _CARDS[voucher["type"]]
    card = voucher[name]
    balance = {
        "type": kind,
        "total": card[income] - card[subtracted],
        "amount" if unit == "CREDITS" else "points": amount,
        "object": "balance",
        "balance": card["balance"],
        "operation_type": "MANUAL" if source else "AUTOMATIC",
        "related_object": {"id": voucher["id"], "type": "voucher"},
    }
    state.transactions[voucher["id"]].append(
        {
            "id": state.new_id("vtx"),
            "source_id": source_id,
            "voucher_id": voucher["id"],
            "campaign_id": voucher["campaign_id"],
            "source": source,
            "reason": reason,
            "type": f"{unit}_{sort}",
            "details": {"balance": balance, **details},
            "related_transaction_id": None,
            "created_at": state.now(),
        }
    )


def listing(call: Call) -> Outcome:
    """GET /v1/vouchers/{code}/transactions"""
    voucher = call.state.voucher(call.parts[0])
    page, beside = filters.after_id(call.query, call.state.transactions[voucher["id"]])
    return 200, {"object": "list", "data_ref": "data", "data": page, **beside}
