"""Vouchers and pools by an address: what get_voucher and get_voucher_pool show, for who may call them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from mcp import Client, MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, TextResourceContents

from tests.protocol.clients import connect, done, local, settings
from tests.protocol.contract import CARD, POOL, prepare
from tests.protocol.wire import start
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local.vouchers.voucher_tools import VoucherTools

SHOP = {"project_id": "shop"}
ODD = ["A/B c?#%v", "../pools", "..", "ÄÖÜ-漢字-🎁", "100%25", "a+b&c=d;e", "Сертификат №1"]


async def read(client: Client, uri: str) -> Any:
    """The JSON at that address."""
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, "application/json")
    assert content.text == json.dumps(json.loads(content.text), ensure_ascii=False, separators=(",", ":"))
    return json.loads(content.text)


async def refusal(client: Client, uri: str) -> tuple[int, str, Any]:
    """Why there is nothing at that address: the code, the message and what else the error says."""
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    return raised.value.error.code, raised.value.error.message, raised.value.error.data


async def test_a_voucher_and_a_pool_read_as_their_tools_show_them(era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        await prepare(client)
        listed = (await client.list_resource_templates()).resource_templates
        voucher = (await done(client, "get_voucher", **SHOP, code=CARD))["data"]
        pool = (await done(client, "get_voucher_pool", **SHOP, pool_id=POOL))["data"]
        assert await read(client, f"voucher://shop/voucher/{CARD}") == voucher
        assert await read(client, f"voucher://shop/pool/{pool['id']}") == pool
    assert {template.name: template.uri_template for template in listed} == {
        "voucher-export": "voucher-export://{project_id}/{export_id}",
        "voucher-voucher": "voucher://{project_id}/voucher/{code}",
        "voucher-pool": "voucher://{project_id}/pool/{pool_id}",
        "voucher-change": "voucher://{project_id}/change/{change_id}",
    }


async def test_any_code_and_name_is_found_at_its_encoded_address(database: Path) -> None:
    async with connect(settings(database)) as client:
        for code in ODD:
            await done(client, "create_voucher", **SHOP, code=code, type="GIFT_VOUCHER", gift={"amount": 1})
            await done(client, "create_voucher_pool", **SHOP, name=code, voucher=TEN_PERCENT)
        for code in ODD:
            assert (await read(client, f"voucher://shop/voucher/{quote(code, safe='')}"))["code"] == code
            assert (await read(client, f"voucher://shop/pool/{quote(code, safe='')}"))["name"] == code


NOWHERE = [
    "voucher://shop/voucher/NONE",
    "voucher://shop/pool/None",
    "voucher://shop/change/ch_1",
    "voucher://other/voucher/CARD",
    "voucher://shop/voucher/%FF",
    "voucher://shop/voucher/%00",
    "voucher://shop/voucher/" + "x" * 2_000,
    "voucher://shop/voucher/%20",
    "voucher://shop/voucher/",
    "voucher://shop/voucher/A/B",
    "voucher://shop/colour/red",
    "voucher://shop",
    "voucher://",
    "",
    "file:///etc/passwd",
]


async def test_what_is_not_there_is_not_found_in_the_protocols_own_way(era: str, tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open(era)
        for uri in NOWHERE:
            await wire.send(wire.message("resources/read", uri=uri))
            error = (await wire.receive())["error"]
            assert error == {"code": INVALID_PARAMS, "message": "Resource not found", "data": {"uri": uri}}
        assert (await wire.call("list_projects"))["success"]
        await wire.close_input()
    assert wire.log == ""


async def test_where_a_tool_is_not_offered_its_resources_are_not_either(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
    async with connect(settings(database, toolsets=["pools"])) as client:
        listed = (await client.list_resource_templates()).resource_templates
        code, message, _ = await refusal(client, f"voucher://shop/voucher/{CARD}")
        assert (await read(client, f"voucher://shop/pool/{POOL}"))["name"] == POOL
    assert [template.name for template in listed] == ["voucher-pool", "voucher-change"]
    assert (code, "toolset vouchers is switched off" in message) == (INVALID_PARAMS, True)


async def test_reading_counts_as_calls_do(database: Path) -> None:
    keys = {"limits": {"max_calls_per_minute": 3}}
    async with connect(settings(database)) as client:
        await prepare(client)
    async with connect(settings(database, keys=keys)) as client:
        for _ in range(3):
            await read(client, f"voucher://shop/voucher/{CARD}")
        code, message, _ = await refusal(client, f"voucher://shop/voucher/{CARD}")
    assert (code, "max_calls_per_minute" in message) == (INTERNAL_ERROR, True)


async def test_a_fault_of_ours_shows_nothing_of_the_inside(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(VoucherTools, "get_voucher", broken)
    async with connect(settings(database, projects={"shop": local(database)})) as client:
        code, message, _ = await refusal(client, "voucher://shop/voucher/A")
    reference = message.partition("(reference ")[2].partition(")")[0]
    assert (code, "secret" in message) == (INTERNAL_ERROR, False)
    assert reference
    assert f"crash {reference} in resources/read" in caplog.text
