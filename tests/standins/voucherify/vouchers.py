"""Operations on vouchers: create, get, list, update, delete, enable, disable, release a session."""

from typing import Any
from urllib.parse import quote

from tests.standins.voucherify import filters, terms
from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import Json, duplicate, invalid, invalid_payload, not_found
from tests.standins.voucherify.ledger import open_ledger
from tests.standins.voucherify.state import State

FILTERS = [
    "id",
    "code",
    "voucher_type",
    "type",
    "active",
    "category",
    "categories",
    "category_ids",
    "campaign",
    "campaign_id",
    "campaign_ids",
    "campaign_type",
    "holder_id",
    "is_referral_code",
    "created_at",
    "created_date",
    "updated_at",
    "start_date",
    "expiration_date",
    "redemption.redeemed_quantity",
    "redemption.quantity",
    "validity_day_of_week",
    "discount.type",
]


def new_voucher(state: State, code: str, body: Json, campaign: Json | None = None) -> Json:
    """Put a voucher into the project; ApiError 400 for a wrong body, 404, 409 when the code is taken."""
    kind = terms.kind_of(body)
    shown = terms.worth(body, kind)
    windows, plain = terms.validity(body), terms.plain(body)
    quantity, category = terms.quantity(body), state.category(body)
    rules = body.get("validation_rules") or []
    if state.taken(code):
        raise duplicate("voucher", "id", code)
    voucher_id = state.new_id("v")
    path = f"/v1/vouchers/{quote(code, safe='')}"
    voucher: Json = {
        "id": voucher_id,
        "code": code,
        "campaign": campaign["name"] if campaign else None,
        "campaign_id": campaign["id"] if campaign else None,
        "category": category["name"] if category else None,
        "category_id": category["id"] if category else None,
        "categories": [category] if category else [],
        "type": kind,
        **shown,
        "start_date": None,
        "expiration_date": None,
        "validity_timeframe": None,
        "validity_day_of_week": None,
        "validity_hours": None,
        **windows,
        "active": True,
        "additional_info": None,
        "metadata": {},
        **plain,
        "assets": {sort: {"id": voucher_id, "url": f"{state.base_url}/{sort}"} for sort in ("qr", "barcode")},
        "is_referral_code": bool(campaign and campaign["campaign_type"] == "REFERRAL_PROGRAM"),
        "created_at": state.now(),
        "updated_at": None,
        "holder_id": None,
        "validation_rules_assignments": _assignments(state, voucher_id, rules),
        "redemption": {
            "quantity": quantity,
            "redeemed_quantity": 0,
            **({"redeemed_amount": 0} if kind == "GIFT_VOUCHER" else {}),
            **({"redeemed_points": 0} if kind == "LOYALTY_CARD" else {}),
            "object": "list",
            "url": f"{path}/redemptions?page=1&limit=10",
        },
        "publish": {"object": "list", "count": 0, "url": f"{path}/publications?page=1&limit=10"},
        "object": "voucher",
    }
    state.vouchers[code] = voucher
    open_ledger(state, voucher)
    if campaign:
        campaign["vouchers_count"] = len(state.members(campaign))
    return voucher


def _assignments(state: State, voucher_id: str, rules: Any) -> Json:
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise invalid_payload("Property .validation_rules should be array of strings")
    data = [
        {
            "id": state.new_id("asgm"),
            "rule_id": rule,
            "related_object_id": voucher_id,
            "related_object_type": "voucher",
            "created_at": state.now(),
            "object": "validation_rules_assignment",
        }
        for rule in rules
    ]
    return {"object": "list", "data_ref": "data", "data": data, "total": len(data)}


def create(call: Call) -> Outcome:
    """POST /v1/vouchers/{code}"""
    return 200, _create(call, call.parts[0])


def generate(call: Call) -> Outcome:
    """POST /v1/vouchers: a given code, or a random one after code_config."""
    code = call.json.get("code")
    if code is not None and (not isinstance(code, str) or not code):
        raise invalid_payload("Property .code should be string")
    return 200, _create(call, code)


def _create(call: Call, code: str | None) -> Json:
    state, body = call.state, call.json
    if "type" not in body:
        raise invalid_payload("Payload should have required property 'type'")
    named = body.get("campaign_id") or body.get("campaign")
    kind, campaign = terms.kind_of(body), state.campaign(str(named)) if named else None
    if kind == "LOYALTY_CARD" and campaign is None:
        raise invalid("invalid_campaign", "Campaign is required for LOYALTY_CARD", "Invalid Campaign")
    if campaign and code is None and campaign["type"] == "STANDALONE":
        details = "You can not generate vouchers for STANDALONE type campaign."
        raise invalid("invalid_campaign", details, "Invalid Campaign")
    if campaign and campaign["voucher"]["type"] != kind:
        raise invalid("invalid_campaign", f"The campaign holds vouchers of another type than {kind}")
    config = body.get("code_config") or (campaign["voucher"]["code_config"] if campaign else None)
    return new_voucher(state, code if code is not None else state.new_code(config), body, campaign)


def get(call: Call) -> Outcome:
    """GET /v1/vouchers/{code}"""
    return 200, call.state.voucher(call.parts[0])


def listing(call: Call) -> Outcome:
    """GET /v1/vouchers"""
    state, query = call.state, call.query
    found = list(state.vouchers.values())
    for name in ("category", "campaign_id", "campaign", "code"):
        if (wanted := query.get(name)) is not None:
            found = [voucher for voucher in found if voucher[name] == wanted]
    if (wanted := query.get("customer")) is not None:
        holders = [
            known["id"] for known in state.customers.values() if wanted in (known["id"], known["source_id"])
        ]
        found = [voucher for voucher in found if voucher["holder_id"] in holders]
    if (ids := query.get("ids")) is not None:
        wanted_ids = ids if isinstance(ids, list) else [ids]
        found = [voucher for voucher in found if voucher["id"] in wanted_ids]
    for name in ("created_at", "updated_at"):
        found = filters.between(query, name, found)
    asked = filters.heeded(state, query.get("filters"))
    found = filters.matching(asked, found, lambda voucher, name: _field(state, voucher, name), FILTERS)
    names = {name: name for name in ("created_at", "updated_at", "code")}
    found = filters.ordered(query, found, names, "-created_at")
    shown = [
        {name: value for name, value in voucher.items() if name != "validation_rules_assignments"}
        for voucher in filters.page_of(query, found)
    ]
    return 200, {"object": "list", "data_ref": "vouchers", "vouchers": shown, "total": len(found)}


def _field(state: State, voucher: Json, name: str) -> Any:
    if name.startswith("metadata."):
        return voucher["metadata"].get(name.removeprefix("metadata."))
    if name == "active":
        return activity(state, voucher)
    if name == "campaign_type":
        campaign = state.campaigns.get(voucher["campaign_id"] or "")
        return campaign and campaign["campaign_type"]
    alias = {
        "voucher_type": "type",
        "categories": "category",
        "category_ids": "category_id",
        "campaign_ids": "campaign_id",
        "created_date": "created_at",
    }
    value: Any = voucher
    for part in alias.get(name, name).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def activity(state: State, voucher: Json) -> set[str]:
    """Which of the conditions $active, $expired, $enabled, $disabled a voucher meets now."""
    now, met = state.now(), {"$enabled" if voucher["active"] else "$disabled"}
    expired = bool(voucher["expiration_date"] and voucher["expiration_date"] < now)
    begun = not (voucher["start_date"] and voucher["start_date"] > now)
    if expired:
        met.add("$expired")
    elif voucher["active"] and begun:
        met.add("$active")
    return met


def update(call: Call) -> Outcome:
    """PUT /v1/vouchers/{code}: what may not be changed is skipped without a word."""
    state, body = call.state, call.json
    voucher = state.voucher(call.parts[0])
    changes = {**terms.validity(body, voucher), **terms.plain(body)}
    if voucher["type"] == "DISCOUNT_VOUCHER" and "discount" in body:
        changes["discount"] = terms.discount(body["discount"])
        if changes["discount"]["type"] != voucher["discount"]["type"]:
            raise invalid(
                "invalid_voucher", "It is not possible to change Voucher discount type", "Invalid Voucher"
            )
    if "category" in body or "category_id" in body:
        category = state.category(body)
        changes["category"] = category and category["name"]
        changes["category_id"] = category and category["id"]
        changes["categories"] = [category] if category else []
    if "metadata" in changes and state.metadata_mode != "replace":
        keeps = state.metadata_mode == "keep"
        given = {k: v for k, v in changes["metadata"].items() if v is not None or not keeps}
        changes["metadata"] = {**voucher["metadata"], **given}
    voucher.update(changes, updated_at=state.now())
    return 200, voucher


def delete(call: Call) -> Outcome:
    """DELETE /v1/vouchers/{code}"""
    remove(call.state, call.state.voucher(call.parts[0]), force=call.flag("force"))
    return 204, None


def remove(state: State, voucher: Json, *, force: bool) -> None:
    """Take a voucher and its redemptions away; without force its code stays taken."""
    del state.vouchers[voucher["code"]]
    if not force:
        state.bin[voucher["code"]] = voucher
    for kept in (state.redemptions, state.redeemables):
        of_it = ("related_object_id", "redeemable_id")
        gone = [key for key, one in kept.items() if voucher["id"] in [one.get(name) for name in of_it]]
        for key in gone:
            del kept[key]
    campaign = state.campaigns.get(voucher["campaign_id"] or "")
    if campaign:
        campaign["vouchers_count"] = len(state.members(campaign))


def enable(call: Call) -> Outcome:
    """POST /v1/vouchers/{code}/enable"""
    return 200, _switch(call, True)


def disable(call: Call) -> Outcome:
    """POST /v1/vouchers/{code}/disable"""
    return 200, _switch(call, False)


def _switch(call: Call, active: bool) -> Json:
    voucher = call.state.voucher(call.parts[0])
    voucher.update(active=active, updated_at=call.state.now())
    return voucher


def release_session(call: Call) -> Outcome:
    """DELETE /v1/vouchers/{code}/sessions/{sessionKey}"""
    state, (code, key) = call.state, call.parts
    voucher = state.voucher(code)
    lock = state.sessions.pop((voucher["id"], key), None)
    if lock is None or lock.until <= state.clock():
        raise not_found("session", key)
    return 204, None
