"""Several worker processes behind one address."""

import asyncio
import os
import re
import signal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from tests.serving.processes import TABLES, children_of, http_at, process, until
from tests.serving.servers import call, hello, messages, opened, request
from tests.support import TEN_PERCENT, new_key

SHOP = {"project_id": "shop"}
WORKERS = ("--port", "0", "--workers", "3")


def data_of(answer: httpx2.Response) -> Any:
    """The data of a call's answer."""
    [message] = messages(answer.text)
    envelope = message["result"]["structuredContent"]
    assert envelope["success"], envelope
    return envelope["data"]


def nobody_lives(processes: set[int]) -> bool:
    """Whether they all have ended."""
    return not any(Path(f"/proc/{process}/exe").exists() for process in processes)


async def test_a_session_goes_on_over_any_connection(tmp_path: Path) -> None:
    async with process(tmp_path, *WORKERS) as (_, said):
        sessions, used = [], set[str]()
        for _ in range(12):
            async with http_at(said) as http:
                sessions.append(await opened(http))
                used.add(sessions[-1]["mcp-session-id"].partition("-")[0])
        assert len(used) > 1  # the workers share them
        async with http_at(said) as one:
            for session in sessions:  # one connection, which moves from worker to worker
                assert data_of(await one.post("/mcp", json=call("list_projects"), headers=session))
                assert data_of(await one.post("/mcp", json=call("list_projects")))
        for session in sessions:
            async with http_at(said) as http:  # and a new one each time
                assert data_of(await http.post("/mcp", json=call("list_projects"), headers=session))
                assert (await http.delete("/mcp", headers=session)).status_code == 200
                assert (await http.post("/mcp", json=request("ping"), headers=session)).status_code == 404


async def test_a_large_body_in_pieces_moves_whole(tmp_path: Path) -> None:
    codes = [f"CODE-{number:06}" for number in range(1_000)]
    async with process(tmp_path, *WORKERS) as (_, said):
        async with http_at(said) as http:
            session = await opened(http)
            made = call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT)
            data_of(await http.post("/mcp", json=made, headers=session))
        filler = {"metadata": {"text": "x" * 300_000}}
        for number in range(6):
            part = [f"{code}-{number}" for code in codes]
            async with http_at(said) as http:
                added = call("add_voucher_codes", **SHOP, pool_id="S", codes=part, idempotency_key=new_key())
                assert len(data_of(await http.post("/mcp", json=added, headers=session))) == 1_000
                card = {"code": f"C-{number}", "type": "GIFT_VOUCHER", "gift": {"amount": 1}, **filler}
                await http.post("/mcp", json=call("create_voucher", **SHOP, **card), headers=session)
        async with http_at(said) as http:
            pool = data_of(await http.post("/mcp", json=call("get_voucher_pool", **SHOP, pool_id="S")))
    assert pool["total"] == 6_000


async def test_an_answer_to_a_question_finds_the_worker_that_asked(tmp_path: Path) -> None:
    async with process(tmp_path, *WORKERS) as (_, said), http_at(said) as http:
        for number in range(6):
            made = call("create_voucher_pool", **SHOP, name=f"S{number}", voucher=TEN_PERCENT)
            data_of(await http.post("/mcp", json=made))
            async with http_at(said) as asked_over:
                session = await opened(asked_over, elicitation={})
                question = call("delete_voucher_pool", **SHOP, pool_id=f"S{number}")
                async with asked_over.stream("POST", "/mcp", json=question, headers=session) as answer:
                    async for line in answer.aiter_lines():
                        for told in messages(line):
                            if told.get("method") == "elicitation/create":
                                agreed = {"action": "accept", "content": {"confirm": True}}
                                reply = {"jsonrpc": "2.0", "id": told["id"], "result": agreed}
                                async with http_at(said) as other:
                                    sent = await other.post("/mcp", json=reply, headers=session)
                                    assert sent.status_code == 202
                            elif "result" in told:
                                assert told["result"]["structuredContent"]["success"]


async def test_any_worker_goes_on_with_a_question_that_another_asked(tmp_path: Path) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}

    async def send(said: str, tool: str, more: Any = None, **arguments: Any) -> Any:
        body = request("tools/call", name=tool, arguments=arguments, _meta=meta, **(more or {}))
        async with http_at(said) as http:  # whichever worker takes it
            return (await http.post("/mcp", json=body, headers={**headers, "mcp-name": tool})).json()[
                "result"
            ]

    async with process(tmp_path, *WORKERS) as (_, said):
        for number in range(8):
            await send(said, "create_voucher_pool", **SHOP, name=f"S{number}", voucher=TEN_PERCENT)
            asked = await send(said, "delete_voucher_pool", **SHOP, pool_id=f"S{number}")
            agreed = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
            brought = {"requestState": asked["requestState"], "inputResponses": agreed}
            deleted = await send(said, "delete_voucher_pool", brought, **SHOP, pool_id=f"S{number}")
            assert deleted["structuredContent"]["success"]


async def test_a_key_of_the_operators_outlives_the_server(tmp_path: Path) -> None:
    tables = TABLES + '[http]\nstate_key = "${file:key}"\n'
    (tmp_path / "key").write_text("k" * 64)
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    headers = {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "delete_voucher_pool",
    }
    arguments: Any = {"arguments": {**SHOP, "pool_id": "S"}, "name": "delete_voucher_pool", "_meta": meta}
    async with process(tmp_path, "--port", "0", tables=tables) as (server, said), http_at(said) as http:
        made = call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT)
        data_of(await http.post("/mcp", json=made))
        asked = await http.post("/mcp", json=request("tools/call", **arguments), headers=headers)
        server.terminate()
        await server.wait()
    agreed = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
    brought = {"requestState": asked.json()["result"]["requestState"], "inputResponses": agreed}
    async with process(tmp_path, "--port", "0", tables=tables) as (_, said), http_at(said) as http:
        body = request("tools/call", **arguments, **brought)
        deleted = (await http.post("/mcp", json=body, headers=headers)).json()
    assert deleted["result"]["structuredContent"]["success"]


async def test_a_worker_that_dies_is_replaced_and_its_sessions_are_gone(tmp_path: Path) -> None:
    async with process(tmp_path, *WORKERS) as (server, said):
        async with http_at(said) as http:
            await opened(http)
        before = children_of(server.pid)
        assert len(before) == 3
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(children_of(server.pid) - {killed}) == 3)
        async with http_at(said) as http:
            for number in range(3):
                lost = {"mcp-session-id": f"{number}-{'0' * 32}"}
                assert (await http.post("/mcp", json=request("ping"), headers=lost)).status_code == 404
                assert (await http.post("/mcp", json=hello())).status_code == 200


async def test_an_end_leaves_no_worker_however_it_came(tmp_path: Path) -> None:
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        async with process(tmp_path, *WORKERS) as (server, said):
            async with http_at(said) as http:
                await opened(http)
            workers = children_of(server.pid)
            server.send_signal(sent)
            status = await asyncio.wait_for(server.wait(), 60)
            assert status == (-signal.SIGKILL if sent == signal.SIGKILL else 0)
            await until(partial(nobody_lives, workers))


async def test_a_number_of_workers_that_cannot_be_is_refused(tmp_path: Path) -> None:
    for number in ("0", "-1", "1000"):
        async with process(tmp_path, "--workers", number) as (server, said):
            assert await server.wait() == 1
        assert re.match(r"voucher-mcp: --workers should be 1 to \d+", said)
