"""Exports: scheduled, done after some looks, then downloaded as CSV with the keys of the account."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome, Text
from tests.standins.voucherify.errors import UNAUTHORIZED, Json, invalid_payload, not_found
from tests.standins.voucherify.state import State

OBJECTS = [
    "voucher",
    "redemption",
    "customer",
    "publication",
    "order",
    "points_expiration",
    "voucher_transactions",
]
TRANSACTION_FIELDS = [
    "id",
    "type",
    "source_id",
    "reason",
    "balance",
    "amount",
    "created_at",
    "voucher_id",
    "campaign_id",
    "source",
    "details",
    "related_transaction_id",
]
_TITLES = {
    "id": "ID",
    "type": "Type",
    "source_id": "Source ID",
    "reason": "Reason",
    "balance": "Balance",
    "amount": "Amount",
    "created_at": "Created at",
    "voucher_id": "Voucher ID",
    "campaign_id": "Campaign ID",
    "source": "Source",
    "details": "Details",
    "related_transaction_id": "Related transaction ID",
    "code": "Code",
    "voucher_type": "Voucher Type",
}


@dataclass
class Export:
    """One export."""

    shown: Json
    rows: Callable[[], list[Json]]
    polls: int
    token: str
    csv: str = ""

    def poll(self, state: State) -> None:
        """Somebody looked: the last look finds it done."""
        if self.shown["status"] != "SCHEDULED":
            return
        self.polls -= 1
        if self.polls < 0:
            self.finish(state)

    def finish(self, state: State) -> None:
        """Write the CSV."""
        fields = self.shown["parameters"].get("fields") or TRANSACTION_FIELDS
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([_TITLES.get(name, name) for name in fields])
        writer.writerows([_cell(row.get(name)) for name in fields] for row in self.rows())
        self.csv = out.getvalue()
        url = f"{state.base_url}/v1/exports/{self.shown['id']}?token={self.token}"
        self.shown.update(status="DONE", result={"url": url})


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def export_transactions(call: Call) -> Outcome:
    """POST /v1/vouchers/{code}/transactions/export"""
    state, voucher = call.state, call.state.voucher(call.parts[0])
    parameters = dict(call.json.get("parameters") or {})
    _check(parameters)
    parameters["filters"] = {"voucher_id": {"conditions": {"$in": [voucher["id"]]}}}
    return 200, _schedule(
        state, "voucher_transactions", parameters, lambda: _transactions(state, [voucher["id"]])
    )


def create(call: Call) -> Outcome:
    """POST /v1/exports"""
    state, body = call.state, call.json
    sort = body.get("exported_object")
    if sort not in OBJECTS:
        raise invalid_payload(
            f"Property .exported_object should be equal to one of the allowed values {OBJECTS}"
        )
    parameters = dict(body.get("parameters") or {})
    if sort == "voucher_transactions":
        _check(parameters)
    return 200, _schedule(state, sort, parameters, lambda: _rows(state, sort))


def _check(parameters: Json) -> None:
    if parameters.get("order", "created_at") not in ("created_at", "-created_at"):
        raise invalid_payload("Property .parameters.order should be one of created_at, -created_at")
    wrong = [name for name in parameters.get("fields") or [] if name not in TRANSACTION_FIELDS]
    if wrong:
        raise invalid_payload(f"Property .parameters.fields should be one of {TRANSACTION_FIELDS}")


def _schedule(state: State, sort: str, parameters: Json, rows: Callable[[], list[Json]]) -> Json:
    shown: Json = {
        "id": state.new_id("exp"),
        "object": "export",
        "created_at": state.now(),
        "status": "SCHEDULED",
        "channel": "API",
        "exported_object": sort,
        "parameters": parameters,
        "result": None,
        "user_id": None,
    }

    def in_order() -> list[Json]:
        newest_first = parameters.get("order") == "-created_at"
        return rows()[::-1] if newest_first else rows()

    state.exports[shown["id"]] = Export(shown, in_order, state.polls, state.new_id("token"))
    return dict(shown)


def _transactions(state: State, voucher_ids: list[str]) -> list[Json]:
    found = []
    for voucher_id in voucher_ids:
        for entry in state.transactions.get(voucher_id, []):
            balance = entry["details"]["balance"]
            amount = balance.get("amount", balance.get("points"))
            found.append({**entry, "balance": balance["balance"], "amount": amount})
    return found


def _rows(state: State, sort: str) -> list[Json]:
    if sort == "voucher_transactions":
        return _transactions(state, list(state.transactions))
    kept: dict[str, dict[str, Json]] = {
        "voucher": state.vouchers,
        "redemption": state.redemptions,
        "customer": state.customers,
        "publication": state.publications,
    }
    return list(kept.get(sort, {}).values())


def get(call: Call) -> Outcome:
    """GET /v1/exports/{id}; with `token` the CSV itself, as it is on the vendor's download hosts."""
    export = call.state.exports.get(call.parts[0])
    token = call.query.get("token")
    if token is not None:
        if export is None or token != export.token or not export.csv:
            return 401, UNAUTHORIZED
        return 200, Text(export.csv)
    if export is None:
        raise not_found("export", call.parts[0])
    export.poll(call.state)
    return 200, dict(export.shown)


def listing(call: Call) -> Outcome:
    """GET /v1/exports"""
    for export in call.state.exports.values():
        export.poll(call.state)
    found = [export.shown for export in call.state.exports.values()]
    found = filters.ordered(
        call.query, found, {"created_at": "created_at", "status": "status"}, "-created_at"
    )
    page = filters.page_of(call.query, found, 100)
    return 200, {"object": "list", "data_ref": "exports", "exports": page, "total": len(found)}


def delete(call: Call) -> Outcome:
    """DELETE /v1/exports/{id}"""
    if call.state.exports.pop(call.parts[0], None) is None:
        raise not_found("export", call.parts[0])
    return 204, None
