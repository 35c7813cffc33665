"""Views of answers: who knows the extension sees them, for all others nothing is there."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from tests.protocol.clients import Table, connect, done, settings
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

SHOP = {"project_id": "shop"}
CARD = {**SHOP, "code": "CARD-1", "type": "GIFT_VOUCHER", "gift": {"amount": 5000}}


def chat(configured: Settings, era: str, mime_types: tuple[str, ...] = (APP_MIME_TYPE,)) -> Client:
    """A client that shows views."""
    known = advertise(EXTENSION_ID, {"mimeTypes": list(mime_types)})
    return Client(build_server(configured), mode=era, extensions=[known])


async def listed(client: Client) -> tuple[dict[str, Any], list[str]]:
    """The tools with what stands in their `_meta`, and the addresses of the resources."""
    tools = {tool.name: tool.meta for tool in (await client.list_tools()).tools}
    return tools, [str(resource.uri) for resource in (await client.list_resources()).resources]


async def test_who_shows_views_is_told_of_each_and_can_read_it(era: str, database: Path) -> None:
    async with chat(settings(database), era) as client:
        tools, addresses = await listed(client)
        views = {meta["ui"]["resourceUri"] for meta in tools.values() if meta}
        assert tools["get_voucher"] == {"ui": {"resourceUri": "ui://voucher-mcp/voucher"}}
        assert tools["list_voucher_pools"] == {"ui": {"resourceUri": "ui://voucher-mcp/pools"}}
        assert set(addresses) == views
        for address in addresses:
            [content] = (await client.read_resource(address)).contents
            assert content.mime_type == APP_MIME_TYPE
        if era == "auto":  # the handshake has no word for what a server extends
            assert client.server_capabilities.extensions == {EXTENSION_ID: {}}


async def test_for_all_others_nothing_is_there(era: str, database: Path) -> None:
    plain = connect(settings(database), era)
    other = chat(settings(database), era, ("text/html",))
    for client in (plain, other):
        async with client:
            tools, addresses = await listed(client)
            assert set(map(str, tools.values())) == {"None"}
            assert addresses == []
            await done(client, "create_voucher", **{**CARD, "code": f"CARD-{id(client)}"})
            answer = await client.call_tool("get_voucher", {**SHOP, "code": f"CARD-{id(client)}"})
            assert "voucher-mcp/view" not in (answer.meta or {})


async def test_a_view_gets_the_currency_the_zone_and_the_code_as_modules_beside_the_same_answer(
    era: str, database: Path
) -> None:
    configured = settings(database, keys={"currency": "JPY", "timezone": "Asia/Tokyo"})
    async with connect(configured, era) as client:
        await done(client, "create_voucher", **CARD)
        plain = await client.call_tool("get_voucher", {**SHOP, "code": "CARD-1"})
    async with chat(configured, era) as client:
        shown = await client.call_tool("get_voucher", {**SHOP, "code": "CARD-1"})
        missing = await client.call_tool("get_voucher", {**SHOP, "code": "NOBODY"})
        drawn = await client.call_tool("render_voucher_code", {**SHOP, "code": "CARD-1", "kind": "qr"})
    assert shown.structured_content == plain.structured_content
    assert shown.content == plain.content
    assert shown.meta is not None
    view: Table = shown.meta["voucher-mcp/view"]
    pictures = view.pop("pictures")
    assert view == {
        "project_id": "shop",
        "currency": "JPY",
        "digits": 0,
        "timezone": "Asia/Tokyo",
        "others": ["render_voucher_code"],
    }
    assert {len(row) for row in pictures["qr"]} == {len(pictures["qr"])}
    assert re.fullmatch(r"0{10}1[01]+10{10}", pictures["code128"])
    assert "voucher-mcp/view" not in (missing.meta or {})
    assert drawn.meta is not None
    assert drawn.meta["voucher-mcp/view"]["pictures"] == pictures


async def test_a_code_that_no_picture_holds_has_a_card_all_the_same(database: Path) -> None:
    async with chat(settings(database), "auto") as client:
        await done(client, "create_voucher", **{**CARD, "code": "Ä" * 120})
        shown = await client.call_tool("get_voucher", {**SHOP, "code": "Ä" * 120})
    assert shown.meta is not None
    assert shown.meta["voucher-mcp/view"]["pictures"].keys() == {"qr"}


@pytest.mark.parametrize("name", ["voucher", "pools", "changes", "approval"])
async def test_a_view_runs_its_own_script_alone_and_reaches_nothing(database: Path, name: str) -> None:
    async with connect(settings(database)) as client:
        [content] = (await client.read_resource(f"ui://voucher-mcp/{name}")).contents
    html = getattr(content, "text", "")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    parts = {kind: re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL) for kind in ("style", "script")}
    hashes = {kind: sha256(text.encode()).digest() for kind, [text] in parts.items()}
    style, script = (f"'sha256-{b64encode(hashes[kind]).decode()}'" for kind in ("style", "script"))
    assert policy == f"default-src 'none'; style-src {style}; script-src {script}"
    text = parts["script"][0].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\son\w+=|https?:", text)


@pytest.mark.parametrize("keys", [{"destructive": "approve"}, {"limits": {"approve_above": 100}}])
async def test_a_write_that_waits_for_a_second_person_has_a_card_where_one_is_asked(
    database: Path, keys: Table
) -> None:
    async with chat(settings(database), "auto") as client:
        tools, addresses = await listed(client)
        assert tools["delete_voucher"] is None
        assert "ui://voucher-mcp/approval" not in addresses
        await done(client, "create_voucher", **{**CARD, "gift": {"amount": 50}})
    async with chat(settings(database, keys=keys), "auto") as client:
        tools, addresses = await listed(client)
        assert tools["delete_voucher"] == {"ui": {"resourceUri": "ui://voucher-mcp/approval"}}
        assert "ui://voucher-mcp/approval" in addresses
        if keys.get("destructive"):
            asked = await client.call_tool("delete_voucher", {**SHOP, "code": "CARD-1"})
        else:
            asked = await client.call_tool("create_voucher", {**CARD, "code": "CARD-2"})
    assert (asked.structured_content or {})["error_code"] == "approval_required"
    assert asked.meta is not None
    assert asked.meta["voucher-mcp/view"]["tool"] in ("delete_voucher", "create_voucher")
