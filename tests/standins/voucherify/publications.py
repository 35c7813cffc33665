"""Publications: giving a voucher, or one of a campaign, to a customer."""

from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome, integer
from tests.standins.voucherify.customers import hold, simple, upsert
from tests.standins.voucherify.errors import Json, invalid, invalid_payload
from tests.standins.voucherify.imports import add_to_campaign
from tests.standins.voucherify.state import State

_ORDERS = {
    name: name for name in ("id", "voucher_code", "tracking_id", "customer_id", "created_at", "channel")
}
_FILTERS = [
    "failure_code",
    "result",
    "customer_id",
    "campaign_name",
    "voucher_type",
    "is_referral_code",
    "parent_object_id",
    "related_object_id",
    "source_id",
]


def create(call: Call) -> Outcome:
    """POST /v1/publications: the same source_id answers the same publication."""
    state, body = call.state, call.json
    if not body.get("voucher") and not body.get("campaign"):
        raise invalid("missing_vouchers", "Either Campaign or Voucher is required")
    if not isinstance(body.get("customer"), dict):
        raise invalid_payload("Payload should have required property 'customer'")
    source_id = body.get("source_id")
    known = [one for one in state.publications.values() if source_id and one["source_id"] == source_id]
    customer = upsert(state, body["customer"])
    if known:
        return 200, _again(known[0], customer, body)
    if body.get("voucher"):
        vouchers = [_publishable(state.voucher(str(body["voucher"])))]
    else:
        vouchers = _of_campaign(call, customer, body["campaign"])
    for voucher in vouchers:
        if voucher["holder_id"] != customer["id"]:
            referral = bool(voucher["is_referral_code"])
            hold(state, customer, voucher, "REFERRER" if referral else "OWNER")
        voucher["publish"]["count"] += 1
        voucher["updated_at"] = state.now()
    return 200, _publication(state, body, customer, vouchers)


def _again(publication: Json, customer: Json, body: Json) -> Json:
    same_voucher = body.get("voucher") in (
        None,
        *publication["vouchers_id"],
        publication.get("voucher", {}).get("code"),
    )
    if publication["customer_id"] != customer["id"] or not same_voucher:
        details = f"Publication with source_id: '{body['source_id']}' already exists"
        raise invalid("duplicate_source_id", details, "Duplicate source_id")
    return publication


def _publishable(voucher: Json) -> Json:
    if voucher["holder_id"] is not None or voucher["publish"]["count"]:
        raise invalid("voucher_already_published", f"Voucher '{voucher['id']}' has already been published")
    if not voucher["active"]:
        raise invalid("voucher_cannot_be_published", "Voucher cannot be published. Voucher is disabled.")
    return voucher


def _of_campaign(call: Call, customer: Json, wanted: Any) -> list[Json]:
    state = call.state
    wanted = {"name": wanted} if isinstance(wanted, str) else wanted  # an example of the documents has a text
    if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str):
        raise invalid_payload("Property .campaign should have required property 'name'")
    number = integer(wanted, "count", "campaign", 1) if wanted.get("count") is not None else 1
    if number > 50:
        raise invalid_payload("Property .campaign.count should be <= 50")
    campaign = state.campaign(wanted["name"])
    members = state.members(campaign)
    if campaign["join_once"] or call.flag("join_once"):
        held = [voucher for voucher in members if voucher["holder_id"] == customer["id"]]
        if held:
            return held[:1]
    free = [
        one for one in members if one["active"] and one["holder_id"] is None and not one["publish"]["count"]
    ]
    while campaign["type"] == "AUTO_UPDATE" and len(free) < number:
        config = campaign["voucher"]["code_config"]
        free.append(add_to_campaign(state, campaign, state.new_code(config), {}))
    if not free:
        details = f"Couldn't find any voucher suitable for publication in campaign {campaign['name']}"
        raise invalid("no_voucher_suitable_for_publication", details)
    if len(free) < number:
        raise invalid("too_many_vouchers_requested", f"Only up to {len(free)} can be published")
    return free[:number]


def _publication(state: State, body: Json, customer: Json, vouchers: list[Json]) -> Json:
    many = isinstance(body.get("campaign"), dict) and not body.get("voucher") and len(vouchers) > 1
    publication: Json = {
        "id": state.new_id("pub"),
        "object": "publication",
        "created_at": state.now(),
        "customer_id": customer["id"],
        "tracking_id": customer["source_id"],
        "metadata": body.get("metadata") or {},
        "channel": body.get("channel") or "API",
        "source_id": body.get("source_id"),
        "result": "SUCCESS",
        "customer": simple(customer),
        **({"vouchers": [one["code"] for one in vouchers]} if many else {"voucher": dict(vouchers[0])}),
        "vouchers_id": [voucher["id"] for voucher in vouchers],
    }
    state.publications[publication["id"]] = publication
    return publication


def listing(call: Call) -> Outcome:
    """GET /v1/publications"""
    state, query = call.state, call.query
    found = [_listed(state, publication) for publication in state.publications.values()]
    for name in ("source_id", "result"):
        if (wanted := query.get(name)) is not None:
            found = [one for one in found if one[name] == wanted]
    if (wanted := query.get("customer")) is not None:
        found = [one for one in found if wanted in (one["customer_id"], one["tracking_id"])]
    if (wanted := query.get("voucher")) is not None:
        found = [one for one in found if wanted in one.get("vouchers", [one.get("voucher", {}).get("code")])]
    if (wanted := query.get("campaign")) is not None:
        found = [one for one in found if one.get("voucher", {}).get("campaign") == wanted]
    found = filters.matching(query.get("filters"), found, _field, _FILTERS)
    found = filters.ordered(query, found, _ORDERS, "-created_at")
    page = filters.page_of(query, found, 100)
    return 200, {"object": "list", "data_ref": "publications", "publications": page, "total": len(found)}


def _listed(state: State, publication: Json) -> Json:
    """In a list the voucher is short."""
    voucher = publication.get("voucher")
    if voucher is None:
        return dict(publication)
    names = ("code", "object", "campaign", "gift", "loyalty_card", "discount", "is_referral_code")
    return {
        **publication,
        "voucher": {name: voucher[name] for name in names if voucher[name] is not None or name == "campaign"},
    }


def _field(publication: Json, name: str) -> Any:
    voucher = publication.get("voucher", {})
    if name == "campaign_name":
        return voucher.get("campaign")
    if name == "related_object_id":
        return publication["vouchers_id"][0]
    return publication.get(name, voucher.get(name))
