"""What the adapter sends is what the documents describe: one call of each tool, through a real server."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.contract.openapi import check_exchanges, check_request
from tests.protocol.clients import done
from tests.protocol.contract import ON_PROJECTS, example, prepare, ready
from tests.standins.voucherify import Request, StandIn, serve
from tests.support import held
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

Served = tuple[StandIn, Client]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """An agent's client of a server with one Voucherify project; afterwards every exchange is checked."""
    async with held(serve()) as standin:
        standin.state.polls = 0  # what comes of waiting is no matter here
        shop = {
            "backend": "voucherify",
            "base_url": standin.base_url,
            "app_id": standin.app_id,
            "app_token": standin.app_token,
            "access": "write",
            "destructive": "allow",
        }
        tables = {"state": f"sqlite:///{tmp_path / 'state.db'}", "projects": {"shop": shop}}
        async with held(Client(build_server(Settings.model_validate(tables)))) as client:
            yield standin, client
        check_exchanges(standin)


ASKING = [tool for tool in ON_PROJECTS if tool != "list_changes"]
"""The tools that ask the voucher system: what was changed stands in the journal."""


@pytest.mark.parametrize("tool", ASKING)
async def test_a_call_of_each_tool_sends_only_what_the_documents_describe(tool: str, served: Served) -> None:
    standin, client = served
    await prepare(client)
    arguments = await ready(client, tool) if tool != "get_async_action" else await _action(client)
    before = len(standin.requests)
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.structured_content
    assert len(standin.requests) > before


async def _action(client: Client) -> dict[str, Any]:
    """The documents know no import of a code that is worth nothing."""
    vouchers = [{"code": "J", "gift": {"amount": 500}}]
    begun = await done(client, "import_vouchers", project_id="shop", vouchers=vouchers)
    return {**example("get_async_action"), "async_action_id": begun["data"]["async_action_id"]}


_JSON = {"content-type": "application/json"}
_IN_LIST = "filters[voucher_type][conditions][$in]"


@pytest.mark.parametrize(
    ("request_line", "body"),
    [
        ("GET /v1/vouchers?limit=5&order=-code&ids[0]=v_1&created_at[after]=2024-01-01T00:00:00Z", b""),
        ("GET /v1/vouchers?filters[metadata.n][conditions][$is]=1", b""),
        (f"GET /v1/customers/bob/redeemables?{_IN_LIST}[0]=GIFT_VOUCHER", b""),
        ("GET /v1/customers?created_at[after]=2024-01-01T00:00:00Z", b""),
        ("GET /v1/vouchers/A%2FB", b""),
        ("DELETE /v1/vouchers/import?force=true", b""),
        ("GET /v1/exports/exp_1?token=abc", b""),
        ("POST /v1/vouchers/a/enable", b""),
        ("POST /v1/vouchers/a/transactions/export", b""),
        (
            "POST /v1/vouchers/a",
            b'{"type":"GIFT_VOUCHER","gift":{"amount":5},"redemption":{"quantity":null}}',
        ),
        ("PUT /v1/vouchers/a", b'{"metadata":{"any":{"depth":[1]}}}'),
        ("POST /v1/campaigns/x/import", b'[{"code":"a","metadata":{}}]'),
    ],
)
def test_a_request_of_the_documents_is_found_right(request_line: str, body: bytes) -> None:
    assert check_request(_asked(request_line, body)) == []


@pytest.mark.parametrize(
    ("request_line", "body"),
    [
        ("GET /v1/voucher", b""),
        ("PATCH /v1/vouchers/a", b""),
        ("GET /v1/vouchers/A/B", b""),
        ("GET /v1/vouchers?limit=101", b""),
        ("GET /v1/vouchers?limit=many", b""),
        ("GET /v1/vouchers?size=5", b""),
        ("GET /v1/vouchers?order=name", b""),
        ("GET /v1/vouchers?created_at[since]=2024-01-01T00:00:00Z", b""),
        ("GET /v1/redemptions?filters[code][conditions][$is]=a", b""),
        (f"GET /v1/customers/bob/redeemables?{_IN_LIST}=GIFT_VOUCHER", b""),
        (f"GET /v1/customers/bob/redeemables?{_IN_LIST}[0]=COUPON", b""),
        ("GET /v1/vouchers/a", b"{}"),
        ("POST /v1/vouchers/a/enable", b"{}"),
        ("POST /v1/vouchers/a", b""),
        ("POST /v1/vouchers/a", b'{"gift":{"amount":5}}'),
        ("POST /v1/vouchers/a", b'{"type":"GIFT_VOUCHER","gift":{"amount":"5"}}'),
        ("POST /v1/vouchers/a", b'{"type":"GIFT_VOUCHER","gift":{"amount":5},"dry_run":false}'),
        ("POST /v1/vouchers/a", b'{"type":"GIFT_VOUCHER","gift":{"amount":5,"currency":"EUR"}}'),
        ("PUT /v1/vouchers/a", b'{"gift":{"amount":5}}'),
        ("PUT /v1/vouchers/a", b'{"metadata":null}'),
        ("POST /v1/vouchers/importCSV", b'{"file":"Code"}'),
        ("POST /v1/vouchers/import", b'[{"gift":{"amount":5}}]'),
        ("POST /v1/redemptions", b'{"redeemables":[]}'),
    ],
)
def test_a_request_that_the_documents_do_not_know_is_found_wrong(request_line: str, body: bytes) -> None:
    assert check_request(_asked(request_line, body))


def _asked(line: str, body: bytes) -> Request:
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return Request(method, path, query, _JSON if body else {}, body)
