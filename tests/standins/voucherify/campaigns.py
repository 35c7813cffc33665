"""Operations on campaigns and their vouchers."""

from typing import Any

from tests.standins.voucherify import filters, jobs, terms
from tests.standins.voucherify.calls import Call, Outcome, integer
from tests.standins.voucherify.errors import Json, duplicate, invalid, invalid_payload, invalid_query
from tests.standins.voucherify.imports import add_to_campaign
from tests.standins.voucherify.state import ALPHANUMERIC, CAMPAIGN_TYPE, State
from tests.standins.voucherify.vouchers import remove

_TYPES = ("AUTO_UPDATE", "STATIC", "STANDALONE")
_FILTERS = [
    "campaigns",
    "campaigns_id",
    "campaign_status",
    "status",
    "active",
    "is_referral_code",
    "validity_timeframe",
    "voucher_type",
    "categories",
    "category_ids",
    "type",
    "created_date",
    "updated_at",
    "start_date",
    "expiration_date",
    "validity_day_of_week",
]


def new_campaign(state: State, body: Json) -> Json:
    """Put a campaign into the project, without vouchers; ApiError 400, 409 when the name is taken."""
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid_payload("Payload should have required property 'name'")
    if body.get("type", "AUTO_UPDATE") not in _TYPES:
        raise invalid_payload(f"Property .type should be equal to one of the allowed values {list(_TYPES)}")
    if not isinstance(body.get("voucher"), dict):
        raise invalid_payload("Payload should have required property 'voucher'")
    if name in state.campaign_bin or any(campaign["name"] == name for campaign in state.campaigns.values()):
        raise duplicate("campaign", "name", name)
    campaign: Json = {
        "id": state.new_id("camp"),
        "name": name,
        "description": body.get("description"),
        "campaign_type": None,
        "type": body.get("type", "AUTO_UPDATE"),
        "voucher": _template(body),
        "auto_join": bool(body.get("auto_join", False)),
        "join_once": bool(body.get("join_once", False)),
        "use_voucher_metadata_schema": bool(body.get("use_voucher_metadata_schema", True)),
        "start_date": None,
        "expiration_date": None,
        **terms.validity(body),
        "activity_duration_after_publishing": body.get("activity_duration_after_publishing"),
        "vouchers_count": 0,
        "active": True,
        "metadata": {},
        **terms.plain({"metadata": body["metadata"]} if "metadata" in body else {}),
        "created_at": state.now(),
        "updated_at": None,
        "creation_status": "DONE",
        "vouchers_generation_status": "DONE",
        "readonly": False,
        "protected": False,
        "category": None,
        "category_id": None,
        "categories": [],
        "object": "campaign",
    }
    campaign["campaign_type"] = _campaign_type(body, campaign["voucher"]["type"])
    if category := state.category(body):
        campaign.update(category=category["name"], category_id=category["id"], categories=[category])
    if body.get("referral_program"):
        campaign["referral_program"] = body["referral_program"]
    state.campaigns[campaign["id"]] = campaign
    return campaign


def _campaign_type(body: Json, kind: str) -> str:
    given = body.get("campaign_type", CAMPAIGN_TYPE[kind])
    fitting = (CAMPAIGN_TYPE[kind], "REFERRAL_PROGRAM" if kind == "DISCOUNT_VOUCHER" else None)
    if given not in fitting:
        details = f"Property '{terms.KINDS[kind]}' does not belong to a {given} campaign"
        raise invalid("invalid_campaign", details, "Invalid Campaign")
    return str(given)


def _template(body: Json) -> Json:
    voucher = body["voucher"]
    if "type" not in voucher:
        raise invalid_payload("Property .voucher should have required property 'type'")
    kind = terms.kind_of(voucher)
    config = voucher.get("code_config") or {}
    length = config.get("length") or 8
    rules = voucher.get("loyalty_card", {}).get("expiration_rules") if kind == "LOYALTY_CARD" else None
    worth = terms.worth(voucher, kind)
    if rules:
        worth["loyalty_card"]["expiration_rules"] = rules
    return {
        "type": kind,
        **{name: value for name, value in worth.items() if value is not None},
        "redemption": {"quantity": terms.quantity(voucher)},
        "code_config": {"length": length, "charset": ALPHANUMERIC, "pattern": "#" * length, **config},
        "is_referral_code": body.get("campaign_type") == "REFERRAL_PROGRAM",
    }


def create(call: Call) -> Outcome:
    """POST /v1/campaigns: one voucher is made at once, more of them later."""
    state, body = call.state, call.json
    wanted = integer(body, "vouchers_count", "", 0) if body.get("vouchers_count") is not None else 0
    campaign = new_campaign(state, body)
    if wanted > 1:
        _generate_later(state, campaign, wanted, {})
    else:
        _generate(state, campaign, {}, wanted)
    return 200, {**campaign, "validation_rules_assignments": _rules(state, campaign, body)}


def _rules(state: State, campaign: Json, body: Json) -> Json:
    data = [
        {
            "id": state.new_id("asgm"),
            "rule_id": rule,
            "related_object_id": campaign["id"],
            "related_object_type": "campaign",
            "created_at": state.now(),
            "object": "validation_rules_assignment",
        }
        for rule in body.get("validation_rules") or []
    ]
    return {"object": "list", "data_ref": "data", "data": data, "total": len(data)}


def _generate(state: State, campaign: Json, body: Json, wanted: int = 1) -> list[Json]:
    config = body.get("code_config") or campaign["voucher"]["code_config"]
    codes: dict[str, None] = {}
    for _ in range(wanted):
        codes[state.new_code(config, codes)] = None
    return [add_to_campaign(state, campaign, code, body) for code in codes]


def _generate_later(state: State, campaign: Json, wanted: int, body: Json) -> jobs.Job:
    def work() -> Json:
        ended = "FAILED"
        try:
            _generate(state, campaign, body, wanted)
            ended = "DONE"
        finally:
            campaign["vouchers_generation_status"] = ended
            if campaign["creation_status"] == "IN_PROGRESS":
                campaign["creation_status"] = ended
        return {"message": f"Generated {wanted} vouchers.", "done_count": wanted}

    campaign["vouchers_generation_status"] = "IN_PROGRESS"
    job = jobs.enqueue(state, "CAMPAIGN.VOUCHERS_GENERATE", work, campaign["id"])
    campaign["creation_status"] = "IN_PROGRESS" if not state.members(campaign) else "DONE"
    return job


def get(call: Call) -> Outcome:
    """GET /v1/campaigns/{id or name}"""
    campaign = call.state.campaign(call.parts[0])
    shown = {**campaign, "validation_rules_assignments": _rules(call.state, campaign, {})}
    for job in call.state.jobs.values():
        if job.about == campaign["id"]:
            job.poll(call.state)
    return 200, shown


def listing(call: Call) -> Outcome:
    """GET /v1/campaigns"""
    query, found = call.query, list(call.state.campaigns.values())
    if (wanted := query.get("campaign_type")) is not None:
        found = [campaign for campaign in found if campaign["campaign_type"] == wanted]
    if (wanted := query.get("campaign_status")) is not None:
        found = [campaign for campaign in found if campaign["creation_status"] == wanted]
    if (wanted := query.get("is_referral_code")) is not None:
        found = [one for one in found if str(one["voucher"]["is_referral_code"]).lower() == wanted]
    asked = filters.heeded(call.state, query.get("filters"))
    found = filters.matching(asked, found, _field, _FILTERS)
    names = {"created_at": "created_at", "updated_at": "updated_at"}
    found = filters.ordered(query, found, names, "-created_at")
    page = filters.page_of(query, found, 100)
    return 200, {"object": "list", "data_ref": "campaigns", "campaigns": page, "total": len(found)}


def _field(campaign: Json, name: str) -> Any:
    if name == "active":
        return {"$enabled", "$active"} if campaign["active"] else {"$disabled"}
    if name in ("voucher_type", "is_referral_code"):
        return campaign["voucher"][name.removeprefix("voucher_")]
    alias = {
        "campaigns": "name",
        "campaigns_id": "id",
        "campaign_status": "creation_status",
        "categories": "category",
        "category_ids": "category_id",
        "type": "campaign_type",
        "created_date": "created_at",
    }
    return campaign.get(alias.get(name, name))


def update(call: Call) -> Outcome:
    """PUT /v1/campaigns/{id}: the name stays; what may not be changed is skipped without a word."""
    state, body = call.state, call.json
    campaign = state.campaign(call.parts[0])
    if campaign["protected"]:
        details = f"Resource campaign with id {campaign['id']} is protected and cannot be modified"
        more = {"resource_id": campaign["id"], "resource_type": "campaign"}
        raise invalid("resource_protected", details, "Resource is protected", **more)
    changes = terms.validity(body, campaign)
    changes |= {
        name: body[name] for name in ("description", "join_once", "auto_join", "type") if name in body
    }
    if "metadata" in body:
        metadata = terms.plain({"metadata": body["metadata"]})["metadata"]
        changes["metadata"] = (
            {**campaign["metadata"], **metadata} if state.metadata_mode == "merge" else metadata
        )
    if "category" in body or "category_id" in body:
        category = state.category(body)
        changes |= {"category": category and category["name"], "category_id": category and category["id"]}
    kind = terms.KINDS[campaign["voucher"]["type"]]
    if kind in body:
        template = {**campaign["voucher"], kind: body[kind]}
        campaign["voucher"][kind] = terms.worth(template, template["type"])[kind]
    campaign.update(changes, updated_at=state.now())
    for voucher in state.members(campaign):  # which take its dates, until they are published or redeemed
        if voucher["publish"]["count"] or voucher["redemption"]["redeemed_quantity"]:
            continue
        voucher.update({name: changes[name] for name in ("start_date", "expiration_date") if name in changes})
    return get(call)


def delete(call: Call) -> Outcome:
    """DELETE /v1/campaigns/{id}: later, with all vouchers; without force into the bin."""
    state, force = call.state, call.flag("force")
    campaign = state.campaign(call.parts[0])

    def work() -> Json:
        vouchers = state.members(campaign)
        for voucher in vouchers:
            remove(state, voucher, force=force)
        if state.campaigns.pop(campaign["id"], None) and not force:
            state.campaign_bin[campaign["name"]] = campaign
        return {"message": f"Deleted {len(vouchers)} vouchers.", "done_count": len(vouchers)}

    return jobs.accepted(state, "CAMPAIGN.VOUCHERS_DELETE", work)


def enable(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/enable"""
    call.state.campaign(call.parts[0])["active"] = True
    return 200, {}


def disable(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/disable"""
    call.state.campaign(call.parts[0])["active"] = False
    return 200, {}


def add_vouchers(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/vouchers: one at once, more of them later."""
    state, campaign = call.state, call.state.campaign(call.parts[0])
    text = call.query.get("vouchers_count", "1")
    if not isinstance(text, str) or not text.isdecimal() or int(text) < 1:
        raise invalid_query("Property .vouchers_count should be >= 1")
    if campaign["type"] == "STANDALONE":
        details = "You can not generate vouchers for STANDALONE type campaign."
        raise invalid("invalid_campaign", details, "Invalid Campaign")
    code = call.json.get("code")
    if isinstance(code, str) and int(text) == 1:
        return 200, add_to_campaign(state, campaign, code, call.json)
    if int(text) == 1:
        return 200, _generate(state, campaign, call.json)[0]
    return 202, {"async_action_id": _generate_later(state, campaign, int(text), call.json).shown["id"]}


def add_voucher(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/vouchers/{code}"""
    campaign = call.state.campaign(call.parts[0])
    return 200, add_to_campaign(call.state, campaign, call.parts[1], call.json)
