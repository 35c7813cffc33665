"""Operations on customers and on what they hold."""

from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import Json, invalid_payload, not_found
from tests.standins.voucherify.state import State

_OWN = ("name", "description", "email", "phone", "birthday", "birthdate", "address", "metadata")
_FILTERS = [
    "id",
    "created_at",
    "redeemable_id",
    "redeemable_object",
    "holder_role",
    "campaign_id",
    "campaign_type",
    "voucher_type",
]


def upsert(state: State, body: Any) -> Json:
    """The customer a body names by id (ApiError 404 when unknown) or source_id (made when new)."""
    if not isinstance(body, dict):
        raise invalid_payload("Property .customer should be object")
    for name in ("id", "source_id"):
        if not isinstance(body.get(name), (str, type(None))):
            raise invalid_payload(f"Property .customer.{name} should be string")
    identifier, source_id = body.get("id"), body.get("source_id")
    known = [one for one in state.customers.values() if source_id and one["source_id"] == source_id]
    if identifier:
        customer = state.customer(identifier)
    elif known:
        customer = known[0]
    else:
        customer = _new(state, source_id)
    own = {name: body[name] for name in _OWN if name in body}
    if "metadata" in own:
        own["metadata"] = {**customer["metadata"], **(own["metadata"] or {})}
    if any(customer.get(name) != value for name, value in own.items()):
        customer.update(own, updated_at=state.now())
    return customer


def _new(state: State, source_id: str | None) -> Json:
    redemptions: Json = dict.fromkeys(
        [
            "total_redeemed",
            "total_failed",
            "total_succeeded",
            "total_rolled_back",
            "total_rollback_failed",
            "total_rollback_succeeded",
        ],
        0,
    )
    redemptions["gift"] = {"redeemed_amount": 0, "amount_to_go": 0}
    redemptions["loyalty_card"] = {"redeemed_points": 0, "points_to_go": 0}
    orders = {"total_amount": 0, "total_count": 0, "average_amount": 0, "last_order_amount": 0}
    customer: Json = {
        "id": state.new_id("cust"),
        "source_id": source_id,
        "metadata": {},
        "summary": {"redemptions": redemptions, "orders": orders},
        "loyalty": {"points": 0, "referred_customers": 0, "campaigns": {}},
        "referrals": {"total": 0, "campaigns": []},
        "system_metadata": {},
        "created_at": state.now(),
        "updated_at": None,
        "assets": {"cockpit_url": f"{state.base_url}/cockpit"},
        "object": "customer",
    }
    state.customers[customer["id"]] = customer
    return customer


def simple(customer: Json | None) -> Json | None:
    """A customer inside another object."""
    if customer is None:
        return None
    names = ("id", "name", "email", "source_id", "metadata", "object")
    return {name: customer[name] for name in names if customer.get(name) is not None}


def create(call: Call) -> Outcome:
    """POST /v1/customers: a known source_id is updated."""
    return 200, upsert(call.state, call.json)


def get(call: Call) -> Outcome:
    """GET /v1/customers/{id or source_id}"""
    return 200, call.state.customer(call.parts[0])


def update(call: Call) -> Outcome:
    """PUT /v1/customers/{id or source_id}"""
    customer = call.state.customer(call.parts[0])
    return 200, upsert(call.state, {**call.json, "id": customer["id"]})


def delete(call: Call) -> Outcome:
    """DELETE /v1/customers/{id or source_id}"""
    del call.state.customers[call.state.customer(call.parts[0])["id"]]
    return 204, None


def listing(call: Call) -> Outcome:
    """GET /v1/customers"""
    query, found = call.query, list(call.state.customers.values())
    for name in ("email", "name"):
        if (wanted := query.get(name)) is not None:
            found = [customer for customer in found if customer.get(name) == wanted]
    if (wanted := query.get("city")) is not None:
        found = [customer for customer in found if (customer.get("address") or {}).get("city") == wanted]
    for name in ("created_at", "updated_at"):
        found = filters.between(query, name, found)
    if (wanted := query.get("starting_after")) is not None:
        found = filters.between({"created_at": {"before": wanted}}, "created_at", found)
    names = {name: name for name in ("created_at", "updated_at", "source_id")}
    found = filters.ordered(query, found, names, "-created_at")
    page = filters.page_of(query, found)
    more = len(found) > len(page) and page != [] and page[-1] is not found[-1]
    beside = {"total": len(found), "has_more": more}
    return 200, {"object": "list", "data_ref": "customers", "customers": page, **beside}


def hold(state: State, customer: Json, voucher: Json, role: str = "OWNER") -> Json:
    """Make a customer the holder of a voucher; answers the redeemable's record."""
    if role == "OWNER":
        voucher["holder_id"] = customer["id"]
    if role == "REFERRER":
        voucher["holder_id"] = voucher["referrer_id"] = customer["id"]
    campaign = state.campaigns.get(voucher["campaign_id"] or "")
    record: Json = {
        "id": state.new_id("rh"),
        "created_at": state.now(),
        "redeemable_id": voucher["id"],
        "redeemable_object": "voucher",
        "customer_id": customer["id"],
        "holder_role": role,
        "campaign_id": voucher["campaign_id"],
        "campaign_type": campaign["campaign_type"] if campaign else None,
        "voucher_type": voucher["type"],
    }
    state.redeemables[record["id"]] = record
    return record


def status_of(state: State, voucher: Json) -> str:
    """ACTIVE, USED, DISABLED, NOT_ACTIVE_YET, EXPIRED or NO_BALANCE; the precedence is ours."""
    now, redemption = state.now(), voucher["redemption"]
    if not voucher["active"]:
        return "DISABLED"
    if voucher["expiration_date"] and voucher["expiration_date"] < now:
        return "EXPIRED"
    if voucher["start_date"] and voucher["start_date"] > now:
        return "NOT_ACTIVE_YET"
    if redemption["quantity"] is not None and redemption["redeemed_quantity"] >= redemption["quantity"]:
        return "USED"
    card = voucher["gift"] or voucher["loyalty_card"]
    return "NO_BALANCE" if card and card["balance"] <= 0 else "ACTIVE"


def redeemables(call: Call) -> Outcome:
    """GET /v1/customers/{id or source_id}/redeemables"""
    state, query = call.state, call.query
    customer = state.customer(call.parts[0])
    found = [record for record in state.redeemables.values() if record["customer_id"] == customer["id"]]
    found = filters.matching(query.get("filters"), found, lambda record, name: record.get(name), _FILTERS)
    page, beside = filters.after_id(query, found)
    data = [_shown(state, record) for record in page]
    return 200, {"object": "list", "data_ref": "data", "data": data, "total": len(found), **beside}


def _shown(state: State, record: Json) -> Json:
    voucher = state.voucher(record["redeemable_id"])
    inner = {name: value for name, value in voucher.items() if name != "validation_rules_assignments"}
    return {
        **record,
        "redeemable": {"type": "voucher", "voucher": inner, "status": status_of(state, voucher)},
    }


def known_customer(state: State, identifier: str) -> Json:
    """By id or source_id; ApiError 404 of a customer that a rollback names."""
    for customer in state.customers.values():
        if identifier in (customer["id"], customer["source_id"]):
            return customer
    raise not_found("customer", identifier)
