"""What one address, and one caller, can hold of the server; and that nobody else feels it."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from tests.protocol.clients import done, refused
from tests.serving.servers import ALICE, BOB, HEADERS, Served, call, opened, served, two_callers
from tests.support import TEN_PERCENT
from voucher_mcp.config import HttpSettings
from voucher_mcp.http import serving, sessions
from voucher_mcp.http.connections import arrival, strangers
from voucher_mcp.http.connections.places import listen
from voucher_mcp.http.connections.strangers import house_of

SHOP = {"project_id": "shop"}
GENERATE = {"count": 1_000, "length": 40}
CARD = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}


@asynccontextmanager
async def connected(server: Served) -> AsyncIterator[SocketStream]:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as connection:
        yield connection


async def read(connection: SocketStream) -> bytes:
    """Everything until the other side ends it."""
    answer = b""
    try:
        while True:
            answer += await connection.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return answer


async def test_headers_that_are_too_large_are_told_so(server: Served) -> None:
    async with connected(server) as connection:
        await connection.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 2**17)
        answer = await read(connection)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(b"The headers of a request may have 32 KiB in all.")


async def test_an_address_that_never_signs_in_is_slowed_down_and_who_does_is_not(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "REFUSED_A_MINUTE", 4)
    monkeypatch.setattr(strangers, "PAUSE_SECONDS", 0.01)
    async with server.http("guess") as guessing, server.http() as nobody:
        answers = [await http.post("/mcp") for http in (guessing, nobody) for _ in range(3)]
        alive = await nobody.get("/healthz")
    assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 120
    assert "refused too often" in answers[-1].text
    assert answers[-1].headers["connection"] == "close"
    assert alive.status_code == 200
    async with server.http(ALICE, **HEADERS) as http:
        assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200


async def test_connections_of_one_address_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_most_connections", lambda: 2)
    async with served(two_callers(tmp_path)) as server:
        async with connected(server), connected(server), connected(server) as third:
            answer = await read(third)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"too many connections" in answer
        for _ in range(100):  # the server is told that they are closed
            async with connected(server) as fourth:
                await fourth.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                if (answer := await read(fourth)).startswith(b"HTTP/1.1 200 "):
                    break
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("address", "house"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_a_provider_gives_to_one_house_counts_as_one(address: str, house: str) -> None:
    assert house_of(address) == house


async def test_beyond_a_callers_sessions_their_oldest_idle_one_ends(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    async with server.http(ALICE, **HEADERS) as alice, server.http(BOB, **HEADERS) as bob:
        other = await opened(bob)
        own = [await opened(alice) for _ in range(3)]
        answers = [
            (await http.post("/mcp", json=call("list_projects"), headers=session)).status_code
            for http, session in [(bob, other), *((alice, one) for one in own)]
        ]
    assert answers == [200, 404, 200, 200]


async def test_who_does_not_read_an_answer_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "READ_SECONDS", 0.2)
    settings = two_callers(tmp_path)
    sockets = listen("127.0.0.1", 0, settings.http or HttpSettings())
    sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)  # else the system takes it all
    async with served(settings, sockets) as server, server.http(ALICE, **HEADERS) as http:
        made = call("create_voucher_pool", **SHOP, name="S", voucher=TEN_PERCENT, generate=GENERATE)
        await http.post("/mcp", json=made)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow.settimeout(10)
            slow.connect(("127.0.0.1", server.port))
            slow.sendall(large_request())
            await anyio.sleep(1.5)
            got = await anyio.to_thread.run_sync(drained, slow)
        answer = await http.post("/mcp", json=listing())  # who reads at once has all of it
    assert b"HTTP/1.1 200 OK" in got
    assert not got.endswith(b"0\r\n\r\n")  # the rest never came
    assert len(got) < len(answer.content)


def listing() -> dict[str, object]:
    return call("list_voucher_codes", **SHOP, pool_id="S", count=1_000)


def large_request() -> bytes:
    body = json.dumps(listing()).encode()
    headers = {
        **HEADERS,
        "host": "localhost",
        "authorization": f"Bearer {ALICE}",
        "content-length": len(body),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body


def drained(connection: socket.socket) -> bytes:
    got = b""
    try:
        while part := connection.recv(65_536):
            got += part
    except OSError:
        pass
    return got


async def test_a_question_that_nobody_answered_is_answered_at_the_end(tmp_path: Path) -> None:
    asked = anyio.Event()

    async def silent(context: Any, params: Any) -> Any:
        asked.set()
        await anyio.sleep_forever()

    async with (
        served(two_callers(tmp_path)) as server,
        server.client(ALICE, "legacy", silent) as alice,
        anyio.create_task_group() as tasks,
    ):
        await done(alice, "create_voucher", **SHOP, code="A", **CARD)

        async def end() -> None:
            await asked.wait()
            server.end.set()

        tasks.start_soon(end)
        with anyio.fail_after(20):
            refusal = await refused(alice, "confirmation_required", "delete_voucher", **SHOP, code="A")
    assert "the server is about to end" in refusal["error"]
    assert refusal["applied"] == "no"
