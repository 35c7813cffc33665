"""Rollbacks: what was redeemed is given back."""

from typing import Any

from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.customers import known_customer, simple
from tests.standins.voucherify.errors import ApiError, Json, invalid, not_found
from tests.standins.voucherify.ledger import spend
from tests.standins.voucherify.redemptions import CHANNEL
from tests.standins.voucherify.stacks import within_three_months
from tests.standins.voucherify.state import State


def one(call: Call) -> Outcome:
    """POST /v1/redemptions/{id}/rollback"""
    state, redemption = call.state, _found(call)
    if redemption["redemption"] is not None:
        raise _has_parent()
    if redemption["related_object_type"] == "redemption":
        details = "You can rollback only a single redemption. Use different endpoint for stacked redemption."
        raise invalid("invalid_redemption", details, "Invalid redemption")
    _check(call, redemption)
    return 200, _roll_back(state, redemption, **_said(call))


def stack(call: Call) -> Outcome:
    """POST /v1/redemptions/{parent id}/rollbacks"""
    state, parent = call.state, _found(call)
    if parent["related_object_type"] != "redemption":
        raise _has_parent()
    _check(call, parent)
    said = _said(call)
    rollback = _record(state, parent, **said)
    children = [one for one in state.redemptions.values() if one.get("redemption") == parent["id"]]
    children = [one for one in children if one["object"] == "redemption"]
    rollbacks = [_roll_back(state, child, **said) for child in reversed(children)]
    _finish(state, parent, rollback)
    answer = {"rollbacks": rollbacks, "parent_rollback": rollback}
    return 200, {**answer, **({"order": parent["order"]} if parent["order"] else {})}


def _has_parent() -> ApiError:
    details = "You can rollback only a redemption that does not have parent redemption."
    return invalid("invalid_redemption_parent", details, "Invalid redemption parent")


def _found(call: Call) -> Json:
    redemption = call.state.redemptions.get(call.parts[0])
    if redemption is None or redemption["object"] != "redemption":
        raise not_found("redemption", call.parts[0])
    return redemption


def _said(call: Call) -> dict[str, Any]:
    """reason and tracking_id, from the query or the body."""
    both = {**call.json, **call.query}
    return {
        "reason": both.get("reason"),
        "tracking_id": both.get("tracking_id"),
        "metadata": both.get("metadata"),
    }


def _check(call: Call, redemption: Json) -> None:
    state, body = call.state, call.json
    if redemption["status"] == "ROLLED_BACK":
        more = {"resource_id": state.new_id("rrf"), "resource_type": "redemption_rollback"}
        details = "Redemption has been already rolled back."
        raise invalid("already_rolled_back", details, "Already rolled back", **more)
    if redemption["result"] != "SUCCESS":
        raise invalid("invalid_redemption", "Only a successful redemption can be rolled back.")
    if not within_three_months(state, redemption):
        raise invalid("invalid_redemption", "The redemption is older than 3 months.")
    named = body.get("customer") or {}
    identifier = named.get("id") or named.get("source_id")
    if identifier and known_customer(state, identifier)["id"] != redemption["customer_id"]:
        raise invalid("invalid_customer", "Customer is not related with redemption.", "Invalid customer")
    order, known = body.get("order") or {}, redemption["order"] or {}
    for name in ("id", "source_id"):
        if order.get(name) and order[name] != known.get(name):
            raise invalid("invalid_order", "Order is not related with redemption.", "Invalid order")


def _record(
    state: State,
    redemption: Json,
    reason: str | None,
    tracking_id: str | None,
    metadata: Json | None,
) -> Json:
    customer = state.customers.get(redemption["customer_id"] or "")
    return {
        "id": state.new_id("rr"),
        "object": "redemption_rollback",
        "date": state.now(),
        "customer_id": redemption["customer_id"],
        "tracking_id": tracking_id,
        "metadata": metadata or {},
        "redemption": redemption["id"],
        **({"reason": reason} if reason is not None else {}),
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "order": redemption["order"],
        "channel": CHANNEL,
        "customer": simple(customer),
        "related_object_type": redemption["related_object_type"],
        "related_object_id": redemption["related_object_id"],
    }


def _roll_back(state: State, redemption: Json, **said: Any) -> Json:
    voucher = state.voucher(redemption["related_object_id"])
    rollback = _record(state, redemption, **said)
    voucher["redemption"]["redeemed_quantity"] -= 1
    if voucher["type"] != "DISCOUNT_VOUCHER":
        details: Json = {"redemption": {"id": redemption["id"]}, "rollback": {"id": rollback["id"]}}
        if redemption["order"]:
            details["order"] = {name: redemption["order"][name] for name in ("id", "source_id")}
        spend(state, voucher, -redemption["amount"], details)
        card, unit = ("gift", "amount") if voucher["type"] == "GIFT_VOUCHER" else ("loyalty_card", "points")
        rollback |= {"amount": -redemption["amount"], card: {unit: -redemption["amount"]}}
    voucher["updated_at"] = state.now()
    rollback["voucher"] = {**voucher, "redemption": dict(voucher["redemption"])}
    _finish(state, redemption, rollback)
    return rollback


def _finish(state: State, redemption: Json, rollback: Json) -> None:
    state.redemptions[rollback["id"]] = rollback
    redemption["status"] = "ROLLED_BACK"
    entry = {"id": rollback["id"], "date": rollback["date"], "rollback_order_mode": state.rollback_mode}
    redemption.setdefault("related_redemptions", {})["rollbacks"] = [entry]
    order = redemption["order"]
    if order and state.rollback_mode == "WITH_ORDER":
        order.update(status="CANCELED", updated_at=state.now())
        for name in ("discount_amount", "applied_discount_amount"):
            if name in order:
                order[name] = order[f"total_{name}"] = 0
        if "amount" in order:
            order["total_amount"] = order["amount"]
    if order and redemption["id"] in order["redemptions"]:
        seen = {"rollback_id": rollback["id"], "rollback_date": rollback["date"]}
        order["redemptions"][redemption["id"]].update(seen)
