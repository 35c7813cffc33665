"""What the stand-in answers can be read by the models of the vendor's own Python package."""

import importlib
from collections.abc import Mapping
from typing import Any

from tests.contract.shop import call_everything, open_shop
from tests.standins.voucherify import routes

MODELS: Mapping[str, str] = {
    "GET /v1/vouchers": "VouchersListResponseBody",
    "GET /v1/vouchers/{}": "VouchersGetResponseBody",
    "POST /v1/vouchers": "VouchersCreateResponseBody",
    "POST /v1/vouchers/{}": "VouchersCreateResponseBody",
    "PUT /v1/vouchers/{}": "VouchersUpdateResponseBody",
    "POST /v1/vouchers/{}/enable": "VouchersEnableResponseBody",
    "POST /v1/vouchers/{}/disable": "VouchersDisableResponseBody",
    "POST /v1/vouchers/{}/balance": "VouchersBalanceUpdateResponseBody",
    "GET /v1/vouchers/{}/transactions": "VouchersTransactionsListResponseBody",
    "POST /v1/vouchers/{}/transactions/export": "VouchersTransactionsExportCreateResponseBody",
    "POST /v1/vouchers/import": "VouchersImportCreateResponseBody",
    "POST /v1/vouchers/importCSV": "VouchersImportCsvCreateResponseBody",
    "POST /v1/vouchers/bulk/async": "VouchersUpdateInBulkResponseBody",
    "POST /v1/vouchers/metadata/async": "VouchersMetadataUpdateInBulkResponseBody",
    "GET /v1/campaigns": "CampaignsListResponseBody",
    "GET /v1/campaigns/{}": "CampaignsGetResponseBody",
    "POST /v1/campaigns": "CampaignsCreateResponseBody",
    "PUT /v1/campaigns/{}": "CampaignsUpdateResponseBody",
    "POST /v1/campaigns/{}/vouchers/{}": "CampaignsVouchersCreateResponseBody",
    "GET /v1/campaigns/{}/summary": "CampaignsSummaryGetResponseBody",
    "POST /v1/publications": "PublicationsCreateResponseBody",
    "GET /v1/publications": "PublicationsListResponseBody",
    "GET /v1/customers/{}": "CustomersGetResponseBody",
    "GET /v1/customers/{}/redeemables": "CustomersRedeemablesListResponseBody",
    "POST /v1/validations": "ValidationsValidateResponseBody",
    "POST /v1/redemptions": "RedemptionsRedeemResponseBody",
    "GET /v1/redemptions": "RedemptionsListResponseBody",
    "GET /v1/redemptions/{}": "RedemptionsGetResponseBody",
    "POST /v1/redemptions/{}/rollback": "RedemptionsRollbackCreateResponseBody",
    "POST /v1/redemptions/{}/rollbacks": "RedemptionsRollbacksCreateResponseBody",
    "GET /v1/async-actions": "AsyncActionsListResponseBody",
    "GET /v1/async-actions/{}": "AsyncActionGetResponseBody",
    "POST /v1/exports": "ExportsCreateResponseBody",
    "GET /v1/exports": "ExportsListResponseBody",
    "GET /v1/exports/{}": "ExportsGetResponseBody",
}

# The package takes from the document that an id in this list has one letter at most; its example has eight.
_UNREADABLE = ("POST /v1/vouchers/{}/transactions/export", ("parameters", "filters", "voucher_id"))


async def test_the_vendors_own_package_reads_every_answer_of_the_standin() -> None:
    # 30 MB of models that take seconds to import: nothing else should wait for them
    models: Any = importlib.import_module("voucherify.models")
    names = {operation: route for route, operation in routes.ROUTES.items()}
    read = set()
    async with open_shop() as (standin, client):
        await call_everything(standin, client)
        for request in standin.requests:
            found = routes.find(request.method, request.path)
            assert found is not None
            route, answer = names[found[0]], request.answer
            if answer is None or answer.status >= 300 or route not in MODELS or answer.json is None:
                continue
            model = getattr(models, MODELS[route]).from_dict(_readable(route, answer.json))
            assert model is not None, route
            read.add(route)
    assert read == set(MODELS)


def _readable(route: str, body: Any) -> Any:
    if route == _UNREADABLE[0]:
        *outer, last = _UNREADABLE[1]
        inner = body
        for name in outer:
            inner = inner[name]
        inner.pop(last)
    return body
