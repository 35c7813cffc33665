"""Which operation a request means. Segments are decoded once, after the path is split."""

from collections.abc import Mapping
from urllib.parse import unquote

from tests.standins.voucherify import (
    campaigns,
    customers,
    exports,
    imports,
    jobs,
    ledger,
    publications,
    redemptions,
    rollbacks,
    summaries,
    validations,
    vouchers,
)
from tests.standins.voucherify.calls import Operation

ROUTES: Mapping[str, Operation] = {
    "GET /v1/vouchers": vouchers.listing,
    "POST /v1/vouchers": vouchers.generate,
    "POST /v1/vouchers/import": imports.import_json,
    "POST /v1/vouchers/importCSV": imports.import_csv,
    "POST /v1/vouchers/bulk/async": jobs.update_in_bulk,
    "POST /v1/vouchers/metadata/async": jobs.update_metadata_in_bulk,
    "GET /v1/vouchers/{}": vouchers.get,
    "POST /v1/vouchers/{}": vouchers.create,
    "PUT /v1/vouchers/{}": vouchers.update,
    "DELETE /v1/vouchers/{}": vouchers.delete,
    "POST /v1/vouchers/{}/enable": vouchers.enable,
    "POST /v1/vouchers/{}/disable": vouchers.disable,
    "POST /v1/vouchers/{}/balance": ledger.adjust,
    "GET /v1/vouchers/{}/transactions": ledger.listing,
    "POST /v1/vouchers/{}/transactions/export": exports.export_transactions,
    "DELETE /v1/vouchers/{}/sessions/{}": vouchers.release_session,
    "GET /v1/campaigns": campaigns.listing,
    "POST /v1/campaigns": campaigns.create,
    "GET /v1/campaigns/{}": campaigns.get,
    "PUT /v1/campaigns/{}": campaigns.update,
    "DELETE /v1/campaigns/{}": campaigns.delete,
    "POST /v1/campaigns/{}/enable": campaigns.enable,
    "POST /v1/campaigns/{}/disable": campaigns.disable,
    "POST /v1/campaigns/{}/import": imports.import_to_campaign,
    "POST /v1/campaigns/{}/importCSV": imports.import_csv_to_campaign,
    "POST /v1/campaigns/{}/vouchers": campaigns.add_vouchers,
    "POST /v1/campaigns/{}/vouchers/{}": campaigns.add_voucher,
    "GET /v1/campaigns/{}/summary": summaries.get,
    "GET /v1/publications": publications.listing,
    "POST /v1/publications": publications.create,
    "GET /v1/customers": customers.listing,
    "POST /v1/customers": customers.create,
    "GET /v1/customers/{}": customers.get,
    "PUT /v1/customers/{}": customers.update,
    "DELETE /v1/customers/{}": customers.delete,
    "GET /v1/customers/{}/redeemables": customers.redeemables,
    "POST /v1/validations": validations.create,
    "GET /v1/redemptions": redemptions.listing,
    "POST /v1/redemptions": redemptions.create,
    "GET /v1/redemptions/{}": redemptions.get,
    "POST /v1/redemptions/{}/rollback": rollbacks.one,
    "POST /v1/redemptions/{}/rollbacks": rollbacks.stack,
    "GET /v1/async-actions": jobs.listing,
    "GET /v1/async-actions/{}": jobs.get,
    "GET /v1/exports": exports.listing,
    "POST /v1/exports": exports.create,
    "GET /v1/exports/{}": exports.get,
    "DELETE /v1/exports/{}": exports.delete,
}


def find(method: str, raw_path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation and its path parameters. `GET /v1/vouchers/A%2FB` is about the code `A/B`."""
    given = raw_path.split("/")
    for route, operation in ROUTES.items():  # those without parameters come first
        verb, template = route.split(" ")
        wanted = template.split("/")
        if verb != method or len(wanted) != len(given):
            continue
        pairs = list(zip(wanted, given, strict=True))
        if all(want == got or (want == "{}" and got) for want, got in pairs):
            return operation, tuple(unquote(got, errors="strict") for want, got in pairs if want == "{}")
    return None
