"""Clients that other people wrote find the way to the server, sign in, and work."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.clients import node
from tests.clients.running import run, sign_in
from tests.protocol.clients import Person, done
from tests.serving.servers import Served
from tests.standins.issuer.server import Issuer
from tests.support import TEN_PERCENT

INSPECTOR = node.program("@modelcontextprotocol/inspector", "clients/launcher/build/index.js")
REMOTE = node.program("mcp-remote", "dist/proxy.js")
SHOP = {"project_id": "shop"}
CARD = {**SHOP, "code": "CARD", "type": "GIFT_VOUCHER", "gift": {"amount": 500}}


@pytest.mark.parametrize(("major", "era"), [("1", "legacy"), ("2", "legacy"), ("2", "auto")])
async def test_the_typescript_sdk_signs_in_is_asked_and_reads(
    server: Served, program_of_node: Path, environment: Mapping[str, str], major: str, era: str
) -> None:
    seen = json.loads(await run(program_of_node, environment, "sdk.mjs", major, era, f"{server.url}/mcp"))
    assert {"list_projects", "delete_voucher_pool"} <= set(seen["tools"])
    assert seen["made"]["data"]["name"] == "Summer"
    assert seen["text"].startswith("id,")
    assert len(seen["asked"]) == 1
    assert seen["deleted"]["success"]
    assert (seen["session"] is None) == (era == "auto")


async def test_the_inspector_signs_in_once_and_works_in_either_era(
    server: Served, issuer: Issuer, program_of_node: Path, environment: Mapping[str, str]
) -> None:
    """On the command line it cannot ask, and is told so."""
    async with server.client(issuer.token()) as client:
        await done(client, "create_voucher", **CARD)
        started = await done(client, "export_voucher_transactions", **SHOP, code="CARD")

    async def inspect(method: str, *more: str, era: str = "modern", browse: bool = False) -> Any:
        where = ("--cli", "--server-url", f"{server.url}/mcp", "--transport", "http", "--protocol-era", era)
        shown = ("--format", "json", "--quiet", "--callback-url", "http://127.0.0.1:0/oauth/callback")
        asked = (*where, *shown, "--method", method, *more)
        answer = await run(program_of_node, environment, INSPECTOR, *asked, browse=browse)
        return json.loads(answer)["result"]

    async def call(tool: str, era: str, **arguments: Any) -> Any:
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        answer = await inspect("tools/call", *given, "--stored-auth-only", era=era)
        return answer["structuredContent"]

    tools = await inspect("tools/list", "--strict", era="legacy", browse=True)
    assert {"list_projects", "delete_voucher_pool"} <= {tool["name"] for tool in tools["tools"]}
    export = await call("get_export", "legacy", **SHOP, export_id=started["data"]["id"], wait=30)
    url = export["data"]["result"]["url"]
    [content] = (await inspect("resources/read", "--uri", url, "--stored-auth-only"))["contents"]
    assert content["text"].startswith("id,")
    deleted = await call("delete_voucher", "modern", **SHOP, code="CARD", force=True)
    assert deleted["error_code"] == "confirmation_required"


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_mcp_remote_signs_in_and_carries_everything(
    server: Served, program_of_node: Path, environment: Mapping[str, str], tmp_path: Path, era: str
) -> None:
    """It speaks standard input and output to a client that cannot sign in; here to the Python SDK's."""
    person, told = Person(), tmp_path / "told.txt"
    arguments = [str(REMOTE), f"{server.url}/mcp", "--protocol", era]
    remote = StdioServerParameters(command=str(program_of_node), args=arguments, env=dict(environment))
    with told.open("w") as errors:
        signing_in = asyncio.create_task(sign_in(told))
        async with Client(
            stdio_client(remote, errlog=errors), mode="legacy", elicitation_callback=person
        ) as one:
            await signing_in
            tools = {tool.name for tool in (await one.list_tools()).tools}
            assert {"list_projects", "delete_voucher_pool"} <= tools
            await done(one, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
            await done(one, "create_voucher", **CARD)
            started = await done(one, "export_voucher_transactions", **SHOP, code="CARD")
            export = await done(one, "get_export", **SHOP, export_id=started["data"]["id"], wait=30)
            [content] = (await one.read_resource(export["data"]["result"]["url"])).contents
            await done(one, "delete_voucher_pool", **SHOP, pool_id="Summer")
    assert content.text.startswith("id,")  # type: ignore[union-attr]
    assert len(person.asked) == 1
