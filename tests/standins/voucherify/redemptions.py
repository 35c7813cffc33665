"""Redemptions: redeem a stack, all of it or nothing; look at what was redeemed."""

from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.customers import simple
from tests.standins.voucherify.errors import ApiError, Json, not_found
from tests.standins.voucherify.ledger import spend
from tests.standins.voucherify.stacks import Stack, Step, evaluate
from tests.standins.voucherify.state import State
from tests.standins.voucherify.validations import inapplicable

CHANNEL: Json = {"channel_id": "app-id", "channel_type": "API"}
_FILTERS = [
    "voucher_code",
    "related_object_id",
    "related_object_parent_id",
    "parent_redemption_id",
    "failure_code",
    "result",
    "object",
    "customer_id",
    "campaign_name",
    "user_login",
]
_ORDERS = {
    "created_at": "date",
    "id": "id",
    "voucher_code": "voucher_code",
    "tracking_id": "tracking_id",
    "customer_id": "customer_id",
}


def create(call: Call) -> Outcome:
    """POST /v1/redemptions"""
    state = call.state
    stack = evaluate(state, call.json)
    usable = [step for step in stack.steps if step.error is None]
    failed = [step for step in stack.steps if step.error is not None]
    if failed and (state.application_mode == "ALL" or not usable):
        raise _refused(state, stack, failed[0])
    if stack.order is not None:
        _place(state, stack)
    parent = _parent(state, stack) if len(usable) > 1 else None
    made = [_redeem(state, stack, step, parent) for step in usable]
    if stack.order is not None:
        _enter(stack.order, parent, made)
    answer: Json = {
        "redemptions": made,
        "inapplicable_redeemables": [inapplicable(state, one) for one in failed],
    }
    answer |= {"parent_redemption": parent} if parent else {}
    answer |= {"order": stack.order} if stack.order is not None else {}
    return 200, {**answer, "skipped_redeemables": []}


def _refused(state: State, stack: Stack, step: Step) -> ApiError:
    """The error of a failed try, which is recorded (rf_) and changes no counter."""
    error = step.error
    assert error is not None
    record = _record(state, stack, "rf", "FAILURE", "FAILED", order=None)
    record |= {"failure_code": error.key, "failure_message": error.message, "redemption": None}
    if step.voucher is not None:
        record |= {"related_object_type": "voucher", "related_object_id": step.voucher["id"]}
        record |= {"voucher": _shown(step.voucher)}
    else:
        record |= {"related_object_type": "redemption", "related_object_id": record["id"]}
    state.redemptions[record["id"]] = record
    if error.code != 404:
        error.more |= {"resource_id": record["id"], "resource_type": "redemption"}
        error.more.setdefault("error", {"message": f"The redemption failed: {error.message}."})
    return error


def _place(state: State, stack: Stack) -> None:
    order = stack.order
    assert order is not None
    order.setdefault("id", state.new_id("ord"))
    order.setdefault("source_id", None)
    order.setdefault("status", "PAID")
    order |= {"created_at": state.now(), "updated_at": None, "redemptions": {}}


def _record(state: State, stack: Stack, prefix: str, result: str, status: str, order: Json | None) -> Json:
    customer = stack.customer
    record: Json = {
        "id": state.new_id(prefix),
        "object": "redemption",
        "date": state.now(),
        "customer_id": customer["id"] if customer else None,
        "tracking_id": stack.tracking_id,
        "metadata": stack.metadata or {},
        "result": result,
        "status": status,
        "order": order,
        "channel": CHANNEL,
        "customer": simple(customer),
    }
    if stack.session:
        record["session"] = {"key": stack.session["key"]}
    return record


def _parent(state: State, stack: Stack) -> Json:
    parent = _record(state, stack, "r", "SUCCESS", "SUCCEEDED", stack.order)
    own: Json = {"related_object_type": "redemption", "related_object_id": parent["id"], "redemption": None}
    parent |= {**own, "related_redemptions": {"redemptions": []}}
    state.redemptions[parent["id"]] = parent
    return parent


def _redeem(state: State, stack: Stack, step: Step, parent: Json | None) -> Json:
    voucher = step.voucher
    assert voucher is not None
    record = _record(state, stack, "r", "SUCCESS", "SUCCEEDED", stack.order)
    record |= {"related_object_type": "voucher", "related_object_id": voucher["id"]}
    record["redemption"] = parent["id"] if parent else None
    voucher["redemption"]["redeemed_quantity"] += 1
    if voucher["type"] != "DISCOUNT_VOUCHER":
        details: Json = {"redemption": {"id": record["id"]}}
        if stack.order is not None:
            details["order"] = {"id": stack.order["id"], "source_id": stack.order["source_id"]}
        spend(state, voucher, step.spent, details)
        card, unit = ("gift", "amount") if voucher["type"] == "GIFT_VOUCHER" else ("loyalty_card", "points")
        record |= {"amount": step.spent, card: {unit: step.spent}}
    if stack.session:
        state.sessions.pop((voucher["id"], stack.session["key"]), None)
    voucher["updated_at"] = state.now()
    record["voucher"] = _shown(voucher)
    state.redemptions[record["id"]] = record
    if parent:
        parent["related_redemptions"]["redemptions"].append({"id": record["id"], "date": record["date"]})
    return record


def _shown(voucher: Json) -> Json:
    """A voucher as it is at this moment."""
    cards = {name: voucher[name] and dict(voucher[name]) for name in ("gift", "loyalty_card")}
    return {**voucher, **cards, "redemption": dict(voucher["redemption"])}


def _enter(order: Json, parent: Json | None, made: list[Json]) -> None:
    first = parent or made[0]
    entry: Json = {name: first[name] for name in ("date", "related_object_type", "related_object_id")}
    if parent:
        entry["stacked"] = [one["id"] for one in made]
    elif made[0]["voucher"]["campaign_id"]:
        entry["related_object_parent_id"] = made[0]["voucher"]["campaign_id"]
    order["redemptions"][first["id"]] = entry


def get(call: Call) -> Outcome:
    """GET /v1/redemptions/{id}; of a rollback too."""
    found = call.state.redemptions.get(call.parts[0])
    if found is None:
        raise not_found("redemption", call.parts[0])
    return 200, found


def listing(call: Call) -> Outcome:
    """GET /v1/redemptions; rollbacks and failures are listed too."""
    state, query = call.state, call.query
    found = list(state.redemptions.values())
    if (wanted := query.get("result")) is not None:
        found = [one for one in found if _is(one, wanted)]
    if (wanted := query.get("campaign")) is not None:
        found = [one for one in found if (one.get("voucher") or {}).get("campaign") == wanted]
    if (wanted := query.get("customer")) is not None:
        found = [
            one for one in found if wanted in (one["customer_id"], (one["customer"] or {}).get("source_id"))
        ]
    found = filters.between(query, "created_at", found, "date")
    found = filters.matching(query.get("filters"), found, _field, _FILTERS)
    found = filters.ordered(query, found, _ORDERS, "-created_at")
    page = filters.page_of(query, found)
    return 200, {"object": "list", "data_ref": "redemptions", "redemptions": page, "total": len(found)}


def _is(one: Json, wanted: Any) -> bool:
    """`result` also takes Success, Failure-Rollback and the like, as the vendor's dashboard writes them."""
    words = str(wanted).upper().split("-")
    if "ROLLBACK" in words and one["object"] != "redemption_rollback":
        return False
    return bool(one["result"] == words[0])


def _field(one: Json, name: str) -> Any:
    voucher = one.get("voucher") or {}
    alias = {
        "voucher_code": voucher.get("code"),
        "related_object_parent_id": voucher.get("campaign_id"),
        "parent_redemption_id": one.get("redemption"),
        "campaign_name": voucher.get("campaign"),
        "user_login": None,
    }
    return alias[name] if name in alias else one.get(name)
