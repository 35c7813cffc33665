"""Who signs in is the caller: what they see, what they may, whose the keys and the journal's lines are."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference

from tests.protocol.clients import call, done, refused
from tests.serving.servers import ALICE, BOB, HEADERS, Served, messages, request
from tests.support import TEN_PERCENT, new_key

CAROL = "carol-token"
SHOP, HOTEL = {"project_id": "shop"}, {"project_id": "hotel"}


async def completed(client: Client, argument: str, typed: str, **context: str) -> list[str]:
    """What completes an argument of a prompt."""
    ref = PromptReference(name="launch_checklist")
    result = await client.complete(ref, {"name": argument, "value": typed}, context or None)
    return result.completion.values


@pytest.mark.parametrize("given", [None, "wrong", "alice", "Alice-token"])
async def test_without_a_token_that_is_known_nobody_gets_in(server: Served, given: str | None) -> None:
    async with server.http(given, **HEADERS) as http:
        answer = await http.post("/mcp", json=request("tools/list"))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert ("invalid_token" in answer.headers["www-authenticate"]) is (given is not None)
    assert answer.json()["error_description"]


async def test_the_list_of_tools_has_what_the_caller_may_use(server: Served, era: str) -> None:
    async with server.client(ALICE, era) as alice, server.client(BOB, era) as bob:
        of_alice = {tool.name for tool in (await alice.list_tools()).tools}
        of_bob = {tool.name for tool in (await bob.list_tools()).tools}
    assert "create_voucher_pool" in of_alice - of_bob
    assert {"list_projects", "get_voucher"} <= of_bob < of_alice


async def test_a_write_of_who_may_only_read_is_refused_in_words_for_them(server: Served, era: str) -> None:
    async with server.client(BOB, era) as bob:
        envelope = await refused(bob, "access_denied", "create_voucher", **SHOP, code="X")
    assert "You may only read in the project shop" in envelope["error"]


async def test_nothing_of_another_callers_project_shows(server: Served, era: str) -> None:
    async with server.client(CAROL, era) as carol:
        await done(carol, "create_voucher", **HOTEL, code="C-1", type="GIFT_VOUCHER", gift={"amount": 5})
        export = await done(carol, "export_voucher_transactions", **HOTEL, code="C-1")
        waiting = {**HOTEL, "export_id": export["data"]["id"], "wait": 30}
        url = (await done(carol, "get_export", **waiting))["data"]["result"]["url"]
        assert (await carol.read_resource(url)).contents
        assert (await carol.read_resource("voucher://hotel/voucher/C-1")).contents
        await done(carol, "create_voucher_pool", **HOTEL, name="Penthouse at the hotel", voucher=TEN_PERCENT)
        assert await completed(carol, "pool_id", "pent") == ["Penthouse at the hotel"]
        assert "hotel" in (carol.instructions or "")

    async with server.client(ALICE, era) as alice:
        seen: list[Any] = [alice.instructions, await alice.list_tools(), await alice.list_resources()]
        seen += [await alice.list_resource_templates(), await done(alice, "list_projects")]
        seen += [await alice.list_prompts(), await completed(alice, "project_id", "h")]
        seen += [await completed(alice, "pool_id", "Penthouse", project_id="hotel")]
        for foreign in ("hotel", "absent"):
            with pytest.raises(MCPError, match=f'no project "{foreign}". The projects are "shop"'):
                await alice.get_prompt("running_dry", {"project_id": foreign})
        hidden = await refused(alice, "not_found", "list_voucher_pools", **HOTEL)
        absent = await refused(alice, "not_found", "list_voucher_pools", project_id="absent")
        seen.append(str(hidden).replace('"hotel"', ""))
        for of_hotel in (url, "voucher://hotel/voucher/C-1", "voucher://hotel/pool/P"):
            for address in (of_hotel, of_hotel.replace("hotel", "absent")):
                with pytest.raises(MCPError) as error:
                    await alice.read_resource(address)
                assert error.value.error.message == "Resource not found"
    assert str(hidden).replace("hotel", "absent") == str(absent)
    assert not [one for one in seen if "hotel" in str(one).lower()]


async def test_each_caller_has_keys_of_their_own_and_lines_in_the_journal(
    server: Served, tmp_path: Path
) -> None:
    key = new_key()
    async with server.client(ALICE) as alice, server.client(CAROL) as carol:
        await done(
            alice,
            "create_voucher",
            **SHOP,
            code="A",
            type="GIFT_VOUCHER",
            gift={"amount": 1},
            idempotency_key=key,
        )
        again = await call(
            alice,
            "create_voucher",
            **SHOP,
            code="B",
            type="GIFT_VOUCHER",
            gift={"amount": 1},
            idempotency_key=key,
        )
        assert again["error_code"] == "idempotency_mismatch"
        await done(carol, "create_voucher_pool", **HOTEL, name="P", voucher=TEN_PERCENT, idempotency_key=key)
    for database, caller in (("shop", "token:alice"), ("hotel", "token:carol")):
        connection = sqlite3.connect(tmp_path / f"{database}.db")
        assert {row[0] for row in connection.execute("SELECT DISTINCT caller FROM audit")} == {caller}
        connection.close()


async def test_a_question_that_one_caller_was_asked_no_other_can_answer(server: Served) -> None:
    """What a client brings back is tied to who was asked."""
    async with server.http(ALICE, **HEADERS) as alice, server.http(CAROL, **HEADERS) as carol:
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        }
        modern = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}

        async def send(http: Any, tool: str, more: Any = None, **arguments: Any) -> Any:
            body = request("tools/call", name=tool, arguments=arguments, _meta=meta, **(more or {}))
            answer = await http.post("/mcp", json=body, headers={**modern, "mcp-name": tool})
            return answer.json() if "json" in answer.headers["content-type"] else messages(answer.text)[0]

        await send(alice, "create_voucher_pool", **SHOP, name="Gone", voucher=TEN_PERCENT)
        asked = (await send(alice, "delete_voucher_pool", **SHOP, pool_id="Gone"))["result"]
        agreed = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
        brought = {"requestState": asked["requestState"], "inputResponses": agreed}
        stolen = await send(carol, "delete_voucher_pool", brought, **SHOP, pool_id="Gone")
        assert stolen["error"]["message"] == "Invalid or expired requestState"
        forged = await send(
            alice,
            "delete_voucher_pool",
            {**brought, "requestState": asked["requestState"][:-4] + "AAAA"},
            **SHOP,
            pool_id="Gone",
        )
        assert forged["error"]["message"] == "Invalid or expired requestState"
        deleted = await send(alice, "delete_voucher_pool", brought, **SHOP, pool_id="Gone")
        assert deleted["result"]["structuredContent"]["success"]
        replayed = await send(alice, "delete_voucher_pool", brought, **SHOP, pool_id="Gone")
        assert replayed["result"]["structuredContent"]["error_code"] == "not_found"
