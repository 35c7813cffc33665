"""The stand-in does what the vendor's documents show: their example requests, their errors, their schemas."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.contract.openapi import check_answer
from tests.contract.shop import call_everything, open_shop
from tests.contract.vendor_documents import Example, Operation, operations
from tests.standins.voucherify import StandIn, routes
from tests.support import held

Shop = tuple[StandIn, httpx2.AsyncClient]

# Where the documents' example of a request goes: {} is the name of the example.
REPLAYED: Mapping[str, str] = {
    "POST /v1/vouchers": "/v1/vouchers",
    "POST /v1/vouchers/{code}": "/v1/vouchers/new",
    "PUT /v1/vouchers/{code}": "/v1/vouchers/{}",
    "POST /v1/vouchers/{code}/balance": "/v1/vouchers/M3X8IwW8/balance",
    "POST /v1/vouchers/{code}/transactions/export": "/v1/vouchers/M3X8IwW8/transactions/export",
    "POST /v1/vouchers/import": "/v1/vouchers/import",
    "POST /v1/vouchers/bulk/async": "/v1/vouchers/bulk/async",
    "POST /v1/vouchers/metadata/async": "/v1/vouchers/metadata/async",
    "POST /v1/campaigns": "/v1/campaigns",
    "PUT /v1/campaigns/{campaignId}": "/v1/campaigns/coupons",
    "POST /v1/campaigns/{campaignId}/vouchers/{code}": "/v1/campaigns/coupons/vouchers/new",
    "POST /v1/campaigns/{campaignId}/import": "/v1/campaigns/{}/import",
    "POST /v1/publications": "/v1/publications",
    "POST /v1/customers": "/v1/customers",
    "PUT /v1/customers/{customerId}": "/v1/customers/sample_customer",
    "POST /v1/validations": "/v1/validations",
    "POST /v1/redemptions": "/v1/redemptions",
}
_IMPORTED_TO = {"Example": "coupons", "Gift Cards": "gifts", "Loyalty Cards": "points"}
# Promotions and validation rules are no part of what the adapter uses.
_NOT_SERVED = {("POST /v1/campaigns", "Promotion")}
# Examples of requests that contradict the document they stand in; what they get all the same is a success.
CONTRADICTIONS = {
    ("PUT /v1/vouchers/{code}", "Gift Card"),  # gift cannot be updated: it is skipped without a word
    ("PUT /v1/vouchers/{code}", "Loyalty Card"),  # the same of loyalty_card
    ("POST /v1/vouchers/import", "Example"),  # redeemed_quantity, about which one code's name says so
    ("POST /v1/campaigns", "Promotion"),  # active
    ("POST /v1/campaigns/{campaignId}/vouchers/{code}", "Example"),  # category_id and active
    ("POST /v1/campaigns/{campaignId}/transactions/export", "Example"),  # lists of one for conditions
    ("POST /v1/publications", "Example - Specific Voucher"),  # Name for name
    ("POST /v1/publications", "Example - Random Voucher"),  # Name for name
    ("POST /v1/publications", "Example 3"),  # a text for campaign
}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The stand-in with what the examples speak of."""
    async with held(open_shop()) as opened:
        yield opened


def _operation(title: str) -> Operation:
    return next(operation for operation in operations() if operation.title == title)


def _examples(title: str, *, status: str | None) -> list[Example]:
    found = [example for example in _operation(title).examples() if example.status == status]
    return [example for example in found if (title, example.name) not in _NOT_SERVED]


def test_the_examples_of_requests_meet_their_schema_but_for_known_contradictions() -> None:
    contradicting = set()
    for operation in operations():
        schemas = [content["schema"] for content in operation.request_body.values()]
        for example in (one for one in operation.examples() if one.status is None):
            wrong = operation.document.errors(schemas[0], example.value, answer=False)
            if wrong or operation.document.unknown(schemas[0], example.value):
                contradicting.add((operation.title, example.name))
    assert contradicting == CONTRADICTIONS


@pytest.mark.parametrize("title", REPLAYED)
async def test_each_documented_example_of_a_request_gets_a_documented_success(title: str) -> None:
    examples = _examples(title, status=None)
    assert examples
    for example in examples:
        name = _IMPORTED_TO.get(example.name, example.name) if title.endswith("/import") else example.name
        async with open_shop() as (standin, client):
            path = REPLAYED[title].format(quote(name))
            reply = await client.request(title.split()[0], path, json=example.value)
            assert reply.is_success, (title, example.name, reply.text)
            assert check_answer(standin.requests[-1]) == [], (title, example.name)


async def test_every_operation_of_the_standin_answers_as_its_document_says(shop: Shop) -> None:
    standin, client = shop
    await call_everything(standin, client)
    problems = {
        f"{request.method} {request.path}: {problem}"
        for request in standin.requests
        for problem in check_answer(request)
    }
    assert not problems, "\n".join(sorted(problems))
    succeeded = [request for request in standin.requests if request.answer and request.answer.status < 300]
    found = [routes.find(request.method, request.path) for request in succeeded]
    called = {one[0] for one in found if one is not None}
    assert called == set(routes.ROUTES.values())


async def test_every_operation_of_the_standin_is_in_the_documents(shop: Shop) -> None:
    documented = {operation.title for operation in operations()}
    shapes = {"/".join("{}" if "{" in part else part for part in title.split("/")) for title in documented}
    assert set(routes.ROUTES) <= shapes


async def test_a_get_of_a_voucher_has_the_fields_of_the_documented_example(shop: Shop) -> None:
    _, client = shop
    later = {"next_expiration_date", "next_expiration_points"}  # no points expire in the stand-in
    others = {"rule_id", "related_object_id", "related_object_type", "percent_off_formula", "effect"}
    for example in _examples("GET /v1/vouchers/{code}", status="200"):
        if example.name in ("Loyalty Card", "Gift Card", "Percent Discount"):
            shown = (await client.get(f"/v1/vouchers/{quote(example.name)}")).json()
            assert _fields(example.value) - later - others <= _fields(shown)


def _fields(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in _fields(inner)}
    return {name for inner in value for name in _fields(inner)} if isinstance(value, list) else set()


_ONE = [{"object": "voucher", "id": "BLCKFRDY"}]
_REDEEM = {"redeemables": _ONE, "order": {"amount": 5_000}}
_NOBODY = {"customer": {"source_id": "bob"}}
# operation, status, name of the documented error, and a request that meets it
ERRORS: list[tuple[str, str, str, str, str, Any]] = [
    ("GET /v1/vouchers/{code}", "404", "Not Found", "GET", "/vouchers/none", None),
    ("DELETE /v1/vouchers/{code}", "404", "Voucher Not Found", "DELETE", "/vouchers/none", None),
    (
        "POST /v1/vouchers/{code}",
        "409",
        "Duplicate Code",
        "POST",
        "/vouchers/BLCKFRDY",
        {"discount": {"type": "AMOUNT", "amount_off": 1}, "type": "DISCOUNT_VOUCHER"},
    ),
    (
        "PUT /v1/vouchers/{code}",
        "400",
        "Invalid Voucher",
        "PUT",
        "/vouchers/BLCKFRDY",
        {"discount": {"type": "AMOUNT", "amount_off": 1}},
    ),
    ("POST /v1/vouchers/importCSV", "400", "Example 1", "POST", "/vouchers/importCSV", None),
    (
        "DELETE /v1/vouchers/{code}/sessions/{sessionKey}",
        "404",
        "Session not found",
        "DELETE",
        "/vouchers/BLCKFRDY/sessions/none",
        None,
    ),
    (
        "POST /v1/campaigns",
        "409",
        "Example",
        "POST",
        "/campaigns",
        {"name": "coupons", "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 1}}},
    ),
    ("GET /v1/campaigns/{campaignId}", "404", "Not Found", "GET", "/campaigns/none", None),
    ("DELETE /v1/campaigns/{campaignId}", "404", "Campaign Not Found", "DELETE", "/campaigns/none", None),
    (
        "POST /v1/campaigns/{campaignId}/import",
        "400",
        "Duplicate Codes",
        "POST",
        "/campaigns/coupons/import",
        [{"code": "BLCKFRDY"}, {"code": "example_code"}],
    ),
    (
        "POST /v1/campaigns/{campaignId}/import",
        "400",
        "Missing Code",
        "POST",
        "/campaigns/coupons/import",
        [{"active": True}],
    ),
    (
        "POST /v1/campaigns/{campaignId}/import",
        "400",
        "Invalid Payload",
        "POST",
        "/campaigns/coupons/import",
        [{"code": "a", "redemption": {"quantity": "one"}}],
    ),
    ("POST /v1/publications", "400", "Missing Parameters", "POST", "/publications", _NOBODY),
    (
        "POST /v1/publications",
        "404",
        "Campaign Not Found",
        "POST",
        "/publications",
        {**_NOBODY, "campaign": {"name": "none"}},
    ),
    ("GET /v1/customers/{customerId}", "404", "Not found", "GET", "/customers/none", None),
    (
        "GET /v1/customers/{customerId}/redeemables",
        "404",
        "Resource not found",
        "GET",
        "/customers/none/redeemables",
        None,
    ),
    (
        "POST /v1/validations",
        "400",
        "Invalid payload",
        "POST",
        "/validations",
        {"redeemables": [*_ONE, {"object": "voucher"}]},
    ),
    (
        "POST /v1/validations",
        "400",
        "Duplicated Redeemables",
        "POST",
        "/validations",
        {"redeemables": _ONE * 2},
    ),
    (
        "GET /v1/async-actions/{asyncActionId}",
        "404",
        "Async-Action-Not-Found",
        "GET",
        "/async-actions/aa_0",
        None,
    ),
    (
        "GET /v1/async-actions",
        "400",
        "Invalid Query Parameters",
        "GET",
        "/async-actions?end_date=soon",
        None,
    ),
    ("GET /v1/exports/{exportId}", "404", "Not Found", "GET", "/exports/exp_0", None),
    ("GET /v1/exports/{export_Id}", "401", "Unauthorized", "GET", "/exports/exp_0?token=none", None),
]


@pytest.mark.parametrize(("title", "status", "name", "method", "path", "body"), ERRORS)
async def test_a_documented_error_is_answered_as_the_document_shows_it(
    title: str, status: str, name: str, method: str, path: str, body: Any, shop: Shop
) -> None:
    standin, client = shop
    shown = next(example.value for example in _examples(title, status=status) if example.name == name)
    reply = await client.request(method, f"/v1{path}", json=body)
    assert (str(reply.status_code), reply.json()["code"]) == (status, shown["code"])
    told = reply.json()
    assert {told.get(field) for field in ("key", "resource_type")} == {
        shown.get(field) for field in ("key", "resource_type")
    }
    assert set(shown) <= set(told)
    assert check_answer(standin.requests[-1]) == []


async def test_a_redemption_is_rolled_back_once(shop: Shop) -> None:
    _, client = shop
    redemption = (await client.post("/v1/redemptions", json=_REDEEM)).json()["redemptions"][0]["id"]
    assert (await client.post(f"/v1/redemptions/{redemption}/rollback")).is_success
    again = (await client.post(f"/v1/redemptions/{redemption}/rollback")).json()
    shown = _examples("POST /v1/redemptions/{redemptionId}/rollback", status="400")
    already = next(example.value for example in shown if example.name == "Already rolledback")
    for field in ("code", "key", "message", "details", "resource_type"):
        assert again[field] == already[field]
