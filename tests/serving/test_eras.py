"""Both protocol eras at one address: sessions, no sessions, streams, questions, and coming back."""

import anyio
import httpx2
import pytest

from tests.protocol.clients import Person, done, refused
from tests.serving.servers import (
    ALICE,
    BOB,
    HEADERS,
    Served,
    call,
    messages,
    opened,
    request,
)
from tests.support import TEN_PERCENT, new_key

SHOP = {"project_id": "shop"}


async def test_a_client_of_either_era_connects_lists_calls_and_is_asked(server: Served, era: str) -> None:
    person = Person()
    async with server.client(ALICE, era, person) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_projects", "delete_voucher_pool"} <= names
        await done(client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT, codes=["A"])
        await done(client, "delete_voucher_pool", **SHOP, pool_id="Summer")
        await refused(client, "not_found", "get_voucher_pool", **SHOP, pool_id="Summer")
    assert len(person.asked) == 1


async def test_a_client_of_either_era_that_cannot_ask_is_told_so(server: Served, era: str) -> None:
    async with server.client(ALICE, era) as client:
        await done(client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
        await refused(client, "confirmation_required", "delete_voucher_pool", **SHOP, pool_id="Summer")


async def test_progress_and_resources_come_in_either_era(server: Served, era: str) -> None:
    told: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async with server.client(ALICE, era) as client:
        await done(client, "create_voucher", **SHOP, code="C-1", type="GIFT_VOUCHER", gift={"amount": 500})
        started = await done(client, "export_voucher_transactions", **SHOP, code="C-1")
        waiting = {**SHOP, "export_id": started["data"]["id"], "wait": 30}
        result = await client.call_tool("get_export", waiting, progress_callback=hear)
        assert result.structured_content is not None
        url = result.structured_content["data"]["result"]["url"]
        [content] = (await client.read_resource(url)).contents
        assert [str(one.uri) for one in (await client.list_resources()).resources] == [url]
    assert content.text.startswith("id,")  # type: ignore[union-attr]


async def test_who_opens_no_session_is_served_without_one(server: Served) -> None:
    async with server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", json=call("list_projects"))
        [message] = messages(answer.text)
        assert message["result"]["structuredContent"]["data"][0]["id"] == "shop"
        assert "mcp-session-id" not in answer.headers
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
        assert (await http.post("/mcp", json=note)).status_code == 202


async def test_a_session_is_its_callers_own_and_ends_when_they_end_it(server: Served) -> None:
    async with server.http(ALICE) as alice, server.http(BOB) as bob:
        session = await opened(alice)
        foreign = await bob.post("/mcp", json=call("list_projects"), headers=session)
        unknown = await bob.post(
            "/mcp", json=call("list_projects"), headers={**session, "mcp-session-id": "x"}
        )
        assert (foreign.status_code, foreign.text) == (unknown.status_code, unknown.text)
        assert foreign.status_code == 404
        assert (await bob.delete("/mcp", headers=session)).status_code == 404
        assert (await alice.post("/mcp", json=call("list_projects"), headers=session)).status_code == 200
        assert (await alice.delete("/mcp", headers=session)).status_code == 200
        assert (await alice.post("/mcp", json=call("list_projects"), headers=session)).status_code == 404


async def first_event(answer: httpx2.Response) -> str:
    """The id of the first event of a stream."""
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            return line.removeprefix("id: ")
    raise AssertionError("the stream ended")


async def test_an_answer_that_a_broken_connection_lost_is_there_for_who_comes_back(server: Served) -> None:
    making = call("create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
    async with server.http(ALICE) as http:
        session = await opened(http)
        async with http.stream("POST", "/mcp", json=making, headers=session) as broken:
            seen = await first_event(broken)
        async with http.stream("GET", "/mcp", headers={**session, "last-event-id": seen}) as resumed:
            await resumed.aread()  # which ends, for with its answer a request is over
        [message] = messages(resumed.text)
    assert message["result"]["structuredContent"]["data"]["name"] == "Summer"


async def test_what_one_session_missed_no_other_session_gets(server: Served) -> None:
    async with server.http(ALICE) as http:
        first, second = await opened(http), await opened(http)
        async with http.stream("POST", "/mcp", json=call("list_projects"), headers=first) as broken:
            seen = await first_event(broken)
        async with http.stream("GET", "/mcp", headers={**second, "last-event-id": seen}) as other:
            with anyio.move_on_after(1):
                await other.aread()
        assert messages(other.text if other.is_closed else "") == []


async def test_an_answer_reaches_only_who_was_asked(server: Served) -> None:
    """Two calls of a session wait for a person at once; each gets its own answer."""
    async with server.http(ALICE) as http:
        session = await opened(http, elicitation={})
        for name in ("One", "Two"):
            made = call("create_voucher_pool", **SHOP, name=name, voucher=TEN_PERCENT)
            await http.post("/mcp", json=made, headers=session)
        results: dict[str, bool] = {}

        async def delete(name: str, number: int) -> None:
            message = {**call("delete_voucher_pool", **SHOP, pool_id=name), "id": number}
            async with http.stream("POST", "/mcp", json=message, headers=session) as answer:
                async for line in answer.aiter_lines():
                    for told in messages(line):
                        if told.get("method") == "elicitation/create":
                            agreed = {"action": "accept", "content": {"confirm": name == "One"}}
                            reply = {"jsonrpc": "2.0", "id": told["id"], "result": agreed}
                            assert name in told["params"]["message"]
                            assert (await http.post("/mcp", json=reply, headers=session)).status_code == 202
                        elif "result" in told:
                            results[name] = told["result"]["structuredContent"]["success"]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(delete, "One", 71)
            tasks.start_soon(delete, "Two", 72)
    assert results == {"One": True, "Two": False}


async def test_a_key_used_in_one_era_is_known_in_the_other(server: Served) -> None:
    key = new_key()
    answers = []
    for era in ("legacy", "auto"):
        async with server.client(ALICE, era) as client:
            if era == "legacy":
                await done(
                    client, "create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT, codes=["A", "B"]
                )
            given = {**SHOP, "pool_id": "S", "customer_id": "c", "idempotency_key": key}
            answers.append(await done(client, "assign_voucher_code", **given))
    assert answers[0]["data"] == answers[1]["data"]
    assert answers[1]["replayed"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_every_revision_of_the_handshake_era_is_served(server: Served, version: str) -> None:
    async with server.http(ALICE, **HEADERS) as http:
        client = {"name": "old", "version": "1"}
        asked = request("initialize", protocolVersion=version, capabilities={}, clientInfo=client)
        [answer] = messages((await http.post("/mcp", json=asked)).text)
    assert answer["result"]["protocolVersion"] == version


async def test_an_unknown_revision_is_told_what_is_served(server: Served) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"mcp-protocol-version": "2099-01-01", "mcp-method": "tools/list"}
    async with server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", json=request("tools/list", _meta=meta), headers=headers)
    assert answer.status_code == 400
    assert "2026-07-28" in answer.json()["error"]["data"]["supported"]
