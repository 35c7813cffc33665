"""Imports of vouchers, into the project or into a campaign, as JSON or CSV."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.standins.voucherify import jobs, terms
from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import Json, invalid, invalid_payload
from tests.standins.voucherify.state import State
from tests.standins.voucherify.vouchers import new_voucher

_LISTED = {
    "code",
    "category",
    "active",
    "type",
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_day_of_week",
    "redemption",
    "additional_info",
    "metadata",
    "gift",
    "discount",
}
_HEADERS = {
    "Code": "code",
    "Category": "category",
    "Start Date": "start_date",
    "Expiration Date": "expiration_date",
    "Additional Info": "additional_info",
}
_OTHERS = {
    "Voucher Type",
    "Value",
    "Discount Type",
    "Redemption Limit",
    "Redeemed Quantity",
    "Redeemed Amount",
}


def import_json(call: Call) -> Outcome:
    """POST /v1/vouchers/import: fields that cannot be imported are skipped without a word."""
    items = [
        {name: value for name, value in item.items() if name in _LISTED} for item in _with_codes(call.items)
    ]
    work = jobs.rows(call.state, items, _alone(call.state), numbered=False)
    return jobs.accepted(call.state, "VOUCHERS.IMPORT", work)


def import_csv(call: Call) -> Outcome:
    """POST /v1/vouchers/importCSV"""
    items = [_of_row(row) for row in _rows(call.file)]
    work = jobs.rows(call.state, items, _alone(call.state), numbered=True)
    return jobs.accepted(call.state, "VOUCHERS.IMPORT_CSV", work)


def import_to_campaign(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/import: codes that exist are refused before anything is accepted."""
    state, campaign = call.state, call.state.campaign(call.parts[0])
    items = _with_codes(call.items)
    for item in items:
        terms.quantity(item)
    known = sum(state.taken(item["code"]) for item in items)
    if known:
        raise invalid("duplicate_key", f"{known} voucher codes(s) already exist.", "Duplicate codes")
    work = jobs.rows(state, items, _member(state, campaign), numbered=False)
    return jobs.accepted(state, "CAMPAIGN.VOUCHERS_IMPORT", work)


def import_csv_to_campaign(call: Call) -> Outcome:
    """POST /v1/campaigns/{id}/importCSV; the documents show 200 here."""
    state, campaign = call.state, call.state.campaign(call.parts[0])
    items = [_of_row(row) for row in _rows(call.file)]
    work = jobs.rows(state, items, _member(state, campaign), numbered=True)
    return jobs.accepted(state, "CAMPAIGN.VOUCHERS_IMPORT_CSV", work, 200)


def add_to_campaign(state: State, campaign: Json, code: str, body: Json) -> Json:
    """A voucher that takes from the campaign what the body does not say."""
    template = campaign["voucher"]
    own: Json = {
        name: body[name]
        for name in ("category", "category_id", "metadata", "additional_info")
        if name in body
    }
    inherited: Json = {name: campaign.get(name) for name in ("start_date", "expiration_date")}
    inherited |= {
        name: campaign.get(name) for name in ("validity_timeframe", "validity_day_of_week", "validity_hours")
    }
    inherited |= {name: body[name] for name in inherited if name in body}
    if inherited["validity_timeframe"] and not inherited["start_date"]:
        inherited["start_date"] = campaign["created_at"]
    worth = terms.KINDS[template["type"]]
    full: Json = {
        "type": template["type"],
        worth: body.get(worth) or template[worth],
        "redemption": body.get("redemption") or template["redemption"],
        "active": body.get("active", True),
        **inherited,
        **own,
    }
    return new_voucher(state, code, full, campaign)


def _member(state: State, campaign: Json) -> Callable[[Json], Any]:
    def make(item: Json) -> Any:
        return add_to_campaign(state, campaign, item["code"], item)

    return make


def _alone(state: State) -> Callable[[Json], Any]:
    def make(item: Json) -> Any:
        if item.get("loyalty_card") is not None or item.get("type") == "LOYALTY_CARD":
            raise invalid("invalid_voucher", "Loyalty cards are imported into a campaign")
        if not item.get("code"):
            raise invalid("invalid_voucher", "Code is required")
        if not item.get("type") and not any(name in item for name in ("gift", "discount")):
            raise invalid("invalid_voucher", "Voucher Type is required")
        return new_voucher(state, item["code"], item)

    return make


def _with_codes(items: list[Json]) -> list[Json]:
    without = sum(not isinstance(item.get("code"), str) or not item["code"] for item in items)
    if without:
        raise invalid(
            "invalid_voucher", f"Found {without} voucher(s) without 'code' value", "Invalid Voucher"
        )
    return items


def _rows(text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        found = list(reader)
    except csv.Error as error:
        raise invalid_payload(f"The file is not a CSV: {error}") from None
    if "Code" not in (reader.fieldnames or ()):
        raise invalid_payload("The file should have a header 'Code'")
    return found


def _of_row(row: dict[str, str]) -> Json:
    """A row as JSON: the value of a CSV is in major units, other headers are metadata."""
    item: Json = {name: row[header] for header, name in _HEADERS.items() if row.get(header)}
    if row.get("Redemption Limit"):
        item["redemption"] = {"quantity": int(row["Redemption Limit"])}
    if row.get("Active"):
        item["active"] = row["Active"].lower() == "true"
    item["metadata"] = {
        name: value
        for name, value in row.items()
        if name and value and name not in _HEADERS and name not in _OTHERS and name != "Active"
    }
    value, kind = row.get("Value") or "0", row.get("Voucher Type")
    try:
        major = Decimal(value)
    except InvalidOperation:
        return {**item, "type": f"no number: {value}"}
    if kind == "GIFT_VOUCHER":
        item.update(type=kind, gift={"amount": int(major * 100)})
    elif kind == "DISCOUNT_VOUCHER":
        item.update(type=kind, discount=_discount(row.get("Discount Type") or "", major))
    elif kind == "LOYALTY_CARD":
        item.update(type=kind, loyalty_card={"points": int(major)})
    elif kind:
        item["type"] = kind
    return item


def _discount(kind: str, major: Decimal) -> Json:
    if kind == "AMOUNT":
        return {"type": kind, "amount_off": int(major * 100)}
    if kind == "PERCENT":
        return {"type": kind, "percent_off": float(major)}
    if kind == "FIXED":
        return {"type": kind, "fixed_amount": int(major * 100)}
    if kind == "UNIT":
        return {"type": kind, "unit_off": int(major), "unit_type": "prod_5h1pp1ng"}
    return {"type": kind}
