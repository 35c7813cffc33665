"""What is no request for this server: each has its status and a sentence, and nothing in the log."""

import logging
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.serving.servers import (
    ALICE,
    HEADERS,
    Served,
    call,
    messages,
    opened,
    request,
    served,
    two_callers,
)
from voucher_mcp.http import bodies
from voucher_mcp.http.connections import arrival

BODIES: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{secret", "not JSON"),
    "not UTF-8": (b'{"a":"\xff"}', "not JSON"),
    "half a character": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud83d"}}', "not JSON"),
    "nothing": (b"", "not JSON"),
    "very deep": (b"[" * 100_000, "not JSON"),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', "no batches"),
    "a text": (b'"secret"', "not a JSON-RPC message"),
    "another protocol": (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', "not a JSON-RPC message"),
    "no method": (b'{"jsonrpc":"2.0","id":1}', "not a JSON-RPC message"),
    "params as a list": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', "not a JSON-RPC message"),
    "an id of null": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', "must be a text or an integer"),
    "a broken id": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', "must be a text or an integer"),
    "an answer to nothing": (b'{"jsonrpc":"2.0","id":{},"result":{}}', "not a JSON-RPC message"),
}


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_message(
    server: Served, body: tuple[bytes, str], version: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", content=body[0], headers={"mcp-protocol-version": version})
    assert answer.status_code == 400
    told = answer.json()
    assert (told["jsonrpc"], told["id"]) == ("2.0", None)
    assert body[1] in told["error"]["message"]
    assert caplog.records == []


@pytest.mark.parametrize("wrong", [{"content-type": "text/plain"}, {"content-type": ""}])
async def test_a_body_of_another_type(server: Served, wrong: dict[str, str]) -> None:
    async with server.http(ALICE, **{**HEADERS, **wrong}) as http:
        answer = await http.post("/mcp", content=b"{}")
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("accepted", ["text/html", "application/json", ""])
async def test_an_answer_that_its_reader_could_not_read(server: Served, accepted: str) -> None:
    async with server.http(ALICE, **{**HEADERS, "accept": accepted}) as http:
        answer = await http.post("/mcp", json=request("ping"))
    assert answer.status_code == 406
    assert "text/event-stream" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods(server: Served, method: str) -> None:
    async with server.http(ALICE) as http:
        answer = await http.request(method, "/mcp")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST, DELETE"


async def test_a_body_that_is_too_large_is_refused_clearly_however_it_is_sent(server: Served) -> None:
    large = b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * bodies.MOST + b'"}'

    async def in_chunks() -> Any:
        for start in range(0, len(large), 2**16):
            yield large[start : start + 2**16]

    async with server.http(ALICE, **HEADERS) as http:
        for content in (large, in_chunks()):
            answer = await http.post("/mcp", content=content)
            assert answer.status_code == 413
            assert "larger than 4 MiB" in answer.json()["error"]["message"]
        assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "::1"])
async def test_a_name_that_is_not_the_servers(server: Served, host: str) -> None:
    async with server.http(ALICE, **HEADERS, host=host) as http:
        answer = await http.post("/mcp", json=call("list_projects"))
        assert answer.status_code == 421
        assert "allowed_hosts" in answer.json()["error"]["message"]
        assert (await http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
)
async def test_a_page_of_another_origin(server: Served, origin: str) -> None:
    async with server.http(ALICE, **HEADERS, origin=origin) as http:
        assert (await http.post("/mcp", json=call("list_projects"))).status_code == 403


@pytest.mark.parametrize("name", ["localhost:{}", "LOCALHOST", "127.0.0.1", "[::1]:{}"])
async def test_the_names_of_this_machine(server: Served, name: str) -> None:
    host = name.format(server.port)
    async with server.http(ALICE, **HEADERS, host=host, origin=f"http://{host}") as http:
        assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200


@pytest.mark.parametrize(
    "name", ["vouchers.example.com", "vouchers.example.com:8443", "Vouchers.Example.Com"]
)
async def test_the_names_that_are_configured(tmp_path: Path, name: str) -> None:
    for allowed in ("vouchers.example.com", "vouchers.example.com:*"):
        configured = two_callers(tmp_path, allowed_hosts=[allowed])
        async with served(configured) as server, server.http(ALICE, **HEADERS) as http:
            headers = {"host": name, "origin": f"https://{name}"}
            assert (await http.post("/mcp", json=call("list_projects"), headers=headers)).status_code == 200


@pytest.mark.parametrize("session", ["x", "0" * 4_000, "../../etc", "' OR 1=1"])
async def test_a_session_that_there_is_not(server: Served, session: str) -> None:
    async with server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", json=request("ping"), headers={"mcp-session-id": session})
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Session not found"


async def test_a_stream_to_listen_on_needs_a_session_and_is_one(server: Served) -> None:
    async with server.http(ALICE) as http:
        assert (await http.get("/mcp", headers={"accept": "text/event-stream"})).status_code == 400
        session = await opened(http)
        async with http.stream("GET", "/mcp", headers=session) as first:
            assert first.status_code == 200
            assert (await http.get("/mcp", headers=session)).status_code == 409


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.3)
    monkeypatch.setattr(arrival, "SECONDS", 0.3)


HEAD = b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer alice-token\r\n"
TYPES = b"content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
SLOW = {
    "nothing": (b"", b""),
    "half a line": (b"POST /m", b"HTTP/1.1 408"),
    "half the headers": (HEAD, b"HTTP/1.1 408"),
    "half the body": (HEAD + TYPES + b"content-length: 99\r\n\r\n{", b"HTTP/1.1 408"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
async def test_who_sends_too_slowly_is_told_and_let_go(server: Served, sent: tuple[bytes, bytes]) -> None:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as connection:
        if sent[0]:
            await connection.send(sent[0])
        answer = b""
        try:
            while True:
                answer += await connection.receive()
        except anyio.EndOfStream:
            pass
    assert answer.startswith(sent[1])
    assert b"longer than" in answer or not sent[1]


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_is_used_in_time_is_kept(server: Served) -> None:
    async with server.http(ALICE, **HEADERS) as http:
        for _ in range(3):
            assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200
            await anyio.sleep(0.4)  # longer than a request may take to arrive
        async with http.stream("POST", "/mcp", json=call("list_projects")) as answer:
            await anyio.sleep(0.4)
            assert messages((await answer.aread()).decode())


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 2**17 + b"\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["TLS", "no HTTP", "huge headers", "a length below zero", "a broken chunk"],
)
async def test_what_is_no_http_is_answered_and_the_server_goes_on(server: Served, sent: bytes) -> None:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as connection:
        await connection.send(sent)
        assert (await connection.receive()).startswith(b"HTTP/1.1 4")
    async with server.http(ALICE, **HEADERS) as http:
        assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200


async def test_who_is_gone_before_the_answer_leaves_no_trace_in_the_log(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    bodies_sent = [HEAD + TYPES + b"content-length: 99\r\n\r\n{", HEAD + TYPES, b"GET /hea"]
    for sent in bodies_sent:
        async with await anyio.connect_tcp("127.0.0.1", server.port) as connection:
            await connection.send(sent)
    async with server.http(ALICE, **HEADERS) as http:
        for _ in range(3):
            assert (await http.post("/mcp", json=call("list_projects"))).status_code == 200
    assert caplog.records == []
