"""The server as a process: where it listens, and an end in which nothing is lost."""

import asyncio
import json
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.serving.processes import TABLES, http_at, process
from tests.serving.servers import HEADERS, call, messages, opened, token
from tests.support import TEN_PERCENT
from voucher_mcp.config import HttpSettings
from voucher_mcp.http.connections.places import listen

SHOP = {"project_id": "shop"}
SIGN_IN = f"""
[http.tokens.ci]
sha256 = "{token("ci-token", [])["sha256"]}"
projects = ["shop"]
access = "write"
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_calls_in_flight_finish_and_then_nothing_is_left(tmp_path: Path, sent: signal.Signals) -> None:
    async with process(tmp_path, "--port", "0") as (server, said), http_at(said) as http:
        await http.post("/mcp", json=call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT))
        session = await opened(http)
        async with http.stream("GET", "/mcp", headers=session) as listening:
            with held_up(tmp_path / "vouchers.db"):
                waiting = asyncio.create_task(http.post("/mcp", json=making("waits")))
                async with http.stream("POST", "/mcp", json=making("is gone"), headers=session) as left:
                    await anext(left.aiter_bytes())  # then the connection breaks
                server.send_signal(sent)
                assert await listening.aread() == b""  # who only listens is let go
                await until_nobody_is_there(said)
                assert not waiting.done()
            [answer] = messages((await waiting).text)
        assert answer["result"]["structuredContent"]["success"], answer
        assert await asyncio.wait_for(server.wait(), 60) == 0
        assert server.stdout is not None
        assert await server.stdout.read() == b""
    assert effects(tmp_path / "vouchers.db") == {"waits", "is gone"}


async def test_a_second_signal_waits_for_nobody(tmp_path: Path) -> None:
    async with process(tmp_path, "--port", "0") as (server, said), http_at(said) as http:
        await http.post("/mcp", json=call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT))
        with held_up(tmp_path / "vouchers.db"):
            waiting = asyncio.create_task(http.post("/mcp", json=making("waits")))
            await asyncio.sleep(0.2)
            server.terminate()
            await until_nobody_is_there(said)
            server.terminate()
            assert await asyncio.wait_for(server.wait(), 60) == 0
            await asyncio.wait((waiting,))
            assert waiting.exception() is not None or messages(waiting.result().text) == []
    assert effects(tmp_path / "vouchers.db") == set()


def making(customer: str) -> dict[str, Any]:
    """A call that makes a card."""
    given = {"code": f"for-{customer.replace(' ', '-')}", "type": "GIFT_VOUCHER", "gift": {"amount": 5}}
    return call("create_voucher", **SHOP, **given)


def effects(database: Path) -> set[str]:
    """Whose calls had an effect."""
    with closing(sqlite3.connect(database)) as connection:
        codes = {str(row[0]) for row in connection.execute("SELECT code FROM vouchers")}
    return {code.removeprefix("for-").replace("-", " ") for code in codes}


@contextmanager
def held_up(database: Path) -> Iterator[None]:
    """Nobody can write there meanwhile."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


async def until_nobody_is_there(said: str) -> None:
    """Return once nobody listens at the address any more."""
    while True:
        async with http_at(said) as late:
            try:
                await late.get("/healthz")
            except httpx2.ConnectError:
                return
            except httpx2.TransportError:
                continue  # it went away with this request


async def test_a_socket_in_a_folder_is_its_owners_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "mcp.sock"
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(str(path))
    stale.close()  # as a server leaves it that was killed
    async with process(tmp_path, "--unix-socket", str(path)) as (server, said):
        assert said == f"voucher-mcp serves unix:{path}\n"
        assert path.stat().st_mode & 0o777 == 0o600
        transport = httpx2.AsyncHTTPTransport(uds=str(path))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.post("/mcp", json=call("list_projects"), headers=HEADERS)
            assert answer.status_code == 200
            async with process(tmp_path, "--unix-socket", str(path)) as (second, why):
                assert await second.wait() == 1
                assert "in use" in why
        server.terminate()
        assert await server.wait() == 0
    assert not path.exists()


async def test_whom_others_can_reach_has_to_ask_who_they_are(tmp_path: Path) -> None:
    async with process(tmp_path, "--host", "0.0.0.0", "--port", "0") as (server, said):
        assert await server.wait() == 2
        assert server.stderr is not None
        assert "[http.tokens]" in said + (await server.stderr.read()).decode()
    async with process(tmp_path, "--host", "0.0.0.0", "--port", "0", tables=TABLES + SIGN_IN) as (_, said):
        port = said.rpartition(":")[2].removesuffix("/mcp\n")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert (await http.post("/mcp", json=call("list_projects"), headers=HEADERS)).status_code == 401
            signed = {**HEADERS, "authorization": "Bearer ci-token"}
            assert (await http.post("/mcp", json=call("list_projects"), headers=signed)).status_code == 200


def test_answers_in_small_parts_are_not_held_back() -> None:
    """asyncio sees to that for sockets that say that they are TCP; else each answer takes 40 ms."""
    for one in listen("localhost", 0, HttpSettings()):
        with one:
            assert one.proto == socket.IPPROTO_TCP


async def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with process(tmp_path, "--port", str(port)) as (server, said):
            assert await server.wait() == 1
    assert said == f"voucher-mcp: 127.0.0.1:{port}: Address already in use\n"


async def test_without_sign_in_the_one_caller_of_this_machine_may_do_all(tmp_path: Path) -> None:
    async with process(tmp_path, "--port", "0") as (_, said), http_at(said) as http:
        made = call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT)
        [answer] = messages((await http.post("/mcp", json=made, headers=HEADERS)).text)
    assert answer["result"]["structuredContent"]["success"]
    assert json.loads(answer["result"]["content"][0]["text"])["data"]["name"] == "S"
