"""What redeemables do to an order: eligibility and simple arithmetic, shared by validations and redemptions.

Discounts are taken from the order as a whole; effects on items and free units leave its amount as it is.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.standins.voucherify.customers import upsert
from tests.standins.voucherify.errors import ApiError, Json, invalid, invalid_payload
from tests.standins.voucherify.ledger import available
from tests.standins.voucherify.state import Lock, State, moment

_UNITS = {"DAYS": 86_400.0, "HOURS": 3_600.0, "MINUTES": 60.0, "SECONDS": 1.0}
_UNITS |= {"MILLISECONDS": 1e-3, "MICROSECONDS": 1e-6, "NANOSECONDS": 1e-9}


@dataclass
class Step:
    """One redeemable of a stack."""

    wanted: Json
    voucher: Json | None = None
    error: ApiError | None = None
    discount: int = 0
    """Minor units taken off the order, credits included."""
    spent: int = 0
    """Credits or points."""
    order: Json = field(default_factory=dict)


@dataclass
class Stack:
    """A checked body of a validation or redemption."""

    steps: list[Step]
    order: Json | None
    customer: Json | None
    session: Json | None
    tracking_id: str | None
    metadata: Json | None

    @property
    def valid(self) -> bool:
        """Nothing stands against any redeemable."""
        return all(step.error is None for step in self.steps)


def evaluate(state: State, body: Json) -> Stack:
    """Go through a stack; what is wrong with a redeemable is noted in its step. ApiError 400 for a wrong
    body, 404 for a customer id that is unknown."""
    wanted = _redeemables(body)
    session = _session(state, body.get("session"))
    customer = upsert(state, body["customer"]) if body.get("customer") is not None else None
    amount = _amount(body.get("order"))
    stack = Stack(
        [Step(one) for one in wanted],
        _order(body["order"], amount, customer) if isinstance(body.get("order"), dict) else None,
        customer,
        session,
        body.get("tracking_id"),
        body.get("metadata"),
    )
    left = amount
    for step in stack.steps:
        try:
            if step.wanted["object"] != "voucher":
                raise invalid("promotion_inactive", "There are no promotions", "Inactive Promotion")
            step.voucher = state.voucher(step.wanted["id"])
            _eligible(state, step.voucher, customer, session)
            step.spent, step.discount = _effect(state, step, left, stack.order is not None, session)
        except ApiError as error:
            step.error = error
            continue
        left = None if left is None else left - step.discount
        if stack.order is not None:
            _apply(stack.order, step.discount)
            step.order = {**stack.order, "applied_discount_amount": step.discount}
            step.order["total_applied_discount_amount"] = step.discount
    return stack


def _redeemables(body: Json) -> list[Json]:
    wanted = body.get("redeemables")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= 30:
        raise invalid_payload("Property .redeemables should have 1 to 30 items")
    for number, one in enumerate(wanted):
        for name in ("object", "id"):
            if not isinstance(one, dict) or not isinstance(one.get(name), str):
                raise invalid_payload(
                    f"Property .redeemables[{number}] should have required property '{name}'"
                )
        if one["object"] not in ("voucher", "promotion_tier", "promotion_stack"):
            raise invalid_payload(
                f"Property .redeemables[{number}].object should be one of the allowed values"
            )
    if len({(one["object"], one["id"]) for one in wanted}) < len(wanted):
        details = "Duplicated redeemables detected in one redemption"
        raise invalid("duplicated_redeemables", details, "Duplicated redeemables detected")
    if len(wanted) > 1 and any(one["object"] == "promotion_stack" for one in wanted):
        raise invalid("invalid_redeemables", "Promotion Stack cannot be use with other redeemables")
    return wanted


def _session(state: State, session: Any) -> Json | None:
    if session is None:
        return None
    if not isinstance(session, dict) or session.get("type", "LOCK") != "LOCK":
        raise invalid_payload("Property .session.type should be equal to one of the allowed values [ LOCK ]")
    unit = session.get("ttl_unit", "DAYS")
    if unit not in _UNITS:
        raise invalid_payload(f"Property .session.ttl_unit should be one of {list(_UNITS)}")
    key = session.get("key") or state.new_id("ssn")
    return {"key": key, "type": "LOCK", "ttl": session.get("ttl", 7), "ttl_unit": unit}


def reserve(state: State, stack: Stack) -> None:
    """Hold what a valid stack would use until its session ends; the same key replaces what it held."""
    session = stack.session
    assert session is not None
    until = state.clock() + timedelta(seconds=session["ttl"] * _UNITS[session["ttl_unit"]])
    for step in stack.steps:
        if step.voucher is not None:
            state.sessions[step.voucher["id"], session["key"]] = Lock(until, 1, step.spent)


def _amount(order: Any) -> int | None:
    if not isinstance(order, dict):
        return None
    if order.get("amount") is not None:
        if isinstance(order["amount"], bool) or not isinstance(order["amount"], int) or order["amount"] < 0:
            raise invalid("invalid_amount", "Amount must be an integer that is not negative")
        return int(order["amount"])
    lines = [_line(item) for item in order.get("items") or []]
    return None if not lines or None in lines else sum(line or 0 for line in lines)


def _line(item: Json) -> int | None:
    if item.get("amount") is not None:
        return int(item["amount"])
    return None if item.get("price") is None else int(item["price"]) * int(item.get("quantity") or 1)


def _order(order: Json, amount: int | None, customer: Json | None) -> Json:
    items = []
    for item in order.get("items") or []:
        line = _line(item)
        sums = {} if line is None else {"amount": line, "subtotal_amount": line}
        items.append({"object": "order_item", **item, **sums})
    shown: Json = {name: order[name] for name in ("id", "source_id", "status") if order.get(name) is not None}
    if amount is not None:
        shown |= {"amount": amount, "discount_amount": 0, "total_discount_amount": 0, "total_amount": amount}
        shown |= {"applied_discount_amount": 0, "total_applied_discount_amount": 0}
    owner = customer["id"] if customer else None
    shown |= {
        "items": items,
        "metadata": order.get("metadata") or {},
        "customer_id": owner,
        "referrer_id": None,
    }
    return {**shown, "object": "order"}


def _apply(order: Json, discount: int) -> None:
    if "amount" in order:
        for name in ("discount_amount", "applied_discount_amount"):
            order[name] += discount
            order[f"total_{name}"] += discount
        order["total_amount"] -= discount


def _eligible(state: State, voucher: Json, customer: Json | None, session: Json | None) -> None:
    now, code = state.now(), voucher["code"]
    campaign = state.campaigns.get(voucher["campaign_id"] or "")
    if not voucher["active"] or (campaign and not campaign["active"]):
        raise invalid("voucher_disabled", code, "voucher is disabled")
    if voucher["start_date"] and voucher["start_date"] > now:
        raise invalid("voucher_not_active", code, "voucher is not active yet")
    if voucher["expiration_date"] and voucher["expiration_date"] < now:
        raise invalid("voucher_expired", code, "voucher expired")
    days = voucher["validity_day_of_week"]
    if days and (state.clock().weekday() + 1) % 7 not in days:  # 0 is Sunday
        raise invalid("voucher_not_active_now", code, "voucher not active now")
    if not _in_hours(state, voucher):
        raise invalid("voucher_not_active_now", code, "voucher not active now")
    if voucher["type"] == "LOYALTY_CARD" and customer and voucher["holder_id"] not in (None, customer["id"]):
        raise invalid("invalid_customer", code, "Customer must be a holder of a loyalty card.")
    if code in state.rules:
        own = {"message": state.rules[code]}
        raise invalid("order_rules_violated", code, "order does not match validation rules", error=own)
    used, most = voucher["redemption"]["redeemed_quantity"], voucher["redemption"]["quantity"]
    used += sum(lock.quantity for lock in state.locks(voucher, _key(session)))
    if most is not None and used >= most:
        raise invalid("quantity_exceeded", code, "quantity exceeded")


def _key(session: Json | None) -> str | None:
    return None if session is None else str(session["key"])


def _in_hours(state: State, voucher: Json) -> bool:
    daily = (voucher["validity_hours"] or {}).get("daily")
    if not daily:
        return True
    now = state.clock()
    day, time = (now.weekday() + 1) % 7, now.strftime("%H:%M")
    return any(
        day in (period.get("days_of_week") or range(7))
        and period["start_time"] <= time < period["expiration_time"]
        for period in daily
    )


def _effect(
    state: State, step: Step, left: int | None, with_order: bool, session: Json | None
) -> tuple[int, int]:
    voucher = step.voucher
    assert voucher is not None
    code = voucher["code"]
    held = 0
    if voucher["type"] != "DISCOUNT_VOUCHER":
        held = sum(lock.amount for lock in state.locks(voucher, _key(session)))
    if voucher["type"] == "GIFT_VOUCHER":
        credits = (step.wanted.get("gift") or {}).get("credits")
        if credits is None:
            if left is None:
                raise invalid("missing_amount", code, "Missing order amount")
            credits = min(available(voucher) - held, left)
        if credits > available(voucher) - held:
            raise invalid("gift_amount_exceeded", code, "gift amount exceeded")
        return credits, credits if left is None else min(credits, left)
    if voucher["type"] == "LOYALTY_CARD":
        reward = step.wanted.get("reward")
        if not reward:
            raise invalid(
                "missing_reward", "A reward is required when redeeming a LOYALTY_CARD", "Missing reward"
            )
        points = reward.get("points") or state.rewards.get(str(reward.get("id")), 1)
        if points > available(voucher) - held:
            raise invalid("loyalty_card_points_exceeded", code, "loyalty card points exceeded")
        return points, 0
    if not with_order:
        raise invalid("missing_order", code, "Missing order")
    return 0, _discount(voucher["discount"], left)


def _discount(discount: Json, left: int | None) -> int:
    if discount["type"] == "UNIT":
        return 0
    if left is None:
        raise invalid("missing_amount", "Order amount is required", "Missing order amount")
    if discount["type"] == "AMOUNT":
        return min(int(discount["amount_off"]), left)
    if discount["type"] == "FIXED":
        return max(0, left - int(discount["fixed_amount"]))
    share = int(left * discount["percent_off"] / 100 + 0.5)
    most = discount.get("amount_limit")
    return min(share, left, left if most is None else int(most))


def within_three_months(state: State, redemption: Json) -> bool:
    """A redemption can still be rolled back."""
    return moment(redemption["date"], "date") > state.clock() - timedelta(days=92)
