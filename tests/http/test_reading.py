"""Reads are tried again; what cannot be read is an error and never a guess."""

import gzip
import json

import pytest
from anyio.abc import SocketStream

from tests.http.vendor import Answer, Request, account, answer, drop, json_answer, nobody
from voucher_mcp.backends.http import Reply
from voucher_mcp.domain.errors import InvalidInput, Unavailable, UpstreamError, VoucherError


@pytest.mark.parametrize(
    "fault",
    [answer(500), answer(503, headers=["Retry-After: 0"]), answer(408), answer(429), drop],
    ids=["500", "503", "408", "429", "dropped"],
)
async def test_a_read_is_tried_again_after_a_passing_fault(fault: Answer) -> None:
    async with account() as (server, client):
        server.answers = [fault, fault, json_answer(200, {"id": "v_1"})]
        reply = await client.read("GET", "/v1/vouchers/A")
    assert reply.json() == {"id": "v_1"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", [answer(500), answer(408), drop], ids=["500", "408", "dropped"])
async def test_a_lasting_fault_is_unavailable_and_the_vendor_is_not_asked_forever(fault: Answer) -> None:
    async with account() as (server, client):
        server.always = fault
        with pytest.raises(Unavailable) as caught:
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 4
    assert caught.value.retryable
    assert caught.value.applied == "no"


@pytest.mark.parametrize("status", [408, 500])
async def test_a_fault_that_its_mapping_calls_lasting_is_asked_once(status: int) -> None:
    def lasting(_reply: Reply, _writing: bool) -> VoucherError:
        return Unavailable("Ask for less at once.", retryable=False)

    async with account(failure=lasting) as (server, client):
        server.always = answer(status)
        with pytest.raises(Unavailable, match="Ask for less") as caught:
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 1
    assert (caught.value.retryable, caught.value.retry_after) == (False, None)


async def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    async def half(_: Request, stream: SocketStream) -> None:
        await stream.send(answer(200, b'{"id": "v_1"}')[:-5])

    async with account() as (server, client):
        server.answers = [half, json_answer(200, {"id": "v_1"})]
        assert (await client.read("GET", "/v1/vouchers/A")).json() == {"id": "v_1"}


async def test_a_vendor_that_is_silent_too_long_is_unavailable() -> None:
    async with account(timeout=0.2) as (server, client):
        server.always = server.hang
        with pytest.raises(Unavailable, match="did not answer in time"):
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 4


async def test_a_refused_connection_is_unavailable() -> None:
    async with nobody() as address, account(base_url=address) as (_, client):
        with pytest.raises(Unavailable, match="system of the project shop could not be reached"):
            await client.read("GET", "/v1/vouchers")


async def test_other_refusals_are_the_mappings_and_asked_once() -> None:
    async with account() as (server, client):
        server.always = json_answer(400, {"key": "invalid_payload", "request_id": "v-123"})
        with pytest.raises(InvalidInput, match="invalid_payload") as caught:
            await client.read("POST", "/v1/search", json={"q": "ä"})
    assert len(server.requests) == 1
    assert caught.value.request_id == "v-123"


async def test_a_request_id_in_the_headers_is_found_first() -> None:
    async with account() as (server, client):
        server.always = json_answer(403, {"RequestId": "in the body"}, "Request-Id: in-the-header")
        with pytest.raises(InvalidInput) as caught:
            await client.read("POST", "/api/connector/v1/vouchers/getAll", json={})
    assert caught.value.request_id == "in-the-header"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome to the Wi-Fi</html>",
        b'{"id": "v_',
        b"",
        b"[NaN]",
        b"[1e999]",
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
    ids=["html", "truncated", "empty", "nan", "infinite", "not utf-8", "deep"],
)
async def test_an_answer_that_is_no_json_is_an_upstream_error(body: bytes) -> None:
    async with account() as (server, client):
        server.always = answer(200, body, headers=["Content-Type: text/html; charset=utf-8"])
        reply = await client.read("GET", "/v1/vouchers")
    with pytest.raises(UpstreamError, match=r"is not JSON \(it says it is .text/html.\)"):
        reply.json()


@pytest.mark.parametrize("nested", [b'{"a":%b}', b"[2,%b]"], ids=["objects", "lists"])
async def test_an_answer_nested_more_than_a_hundred_deep_is_an_upstream_error(nested: bytes) -> None:
    async with account() as (server, client):
        for depth in (100, 101, 900):
            body = b"1"
            for _ in range(depth):
                body = nested % body
            server.always = answer(200, body)
            reply = await client.read("GET", "/v1/vouchers")
            if depth == 100:
                assert reply.json() == json.loads(body)
                continue
            with pytest.raises(UpstreamError, match="is nested more than 100 deep") as failure:
                reply.json()
            assert failure.value.applied == "no"


async def test_an_answer_that_is_no_object_is_an_upstream_error() -> None:
    async with account() as (server, client):
        server.always = answer(200, b"[]")
        reply = await client.read("GET", "/v1/vouchers")
    assert reply.json() == []
    with pytest.raises(UpstreamError, match="not the JSON object"):
        reply.object()


async def test_no_content_is_null() -> None:
    async with account() as (server, client):
        server.always = b"HTTP/1.1 204 No Content\r\n\r\n"
        assert (await client.read("GET", "/v1/vouchers")).json() is None


async def test_an_answer_without_end_is_cut_off_and_its_connection_closed() -> None:
    bomb = gzip.compress(b" " * 60_000_000)
    async with account() as (server, client):
        server.always = answer(200, bomb, headers=["Content-Encoding: gzip"])
        with pytest.raises(UpstreamError, match="larger than 50 MB"):
            await client.read("GET", "/v1/vouchers")
        server.always = answer()
        assert (await client.read("GET", "/v1/vouchers")).json() == {}
    assert server.connections == 2


async def test_an_answer_that_cannot_be_unpacked_is_an_upstream_error() -> None:
    async with account() as (server, client):
        server.always = answer(200, b"not packed", headers=["Content-Encoding: gzip"])
        with pytest.raises(UpstreamError, match="could not be unpacked"):
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 1


async def test_requests_say_who_asks_and_send_a_body_only_where_there_is_one() -> None:
    async with account() as (server, client):
        await client.read("POST", "/v1/a")
        await client.read("POST", "/v1/b", json={"name": "Käse \ud800"})
    bare, full = server.requests
    assert bare.headers["user-agent"].startswith("voucher-mcp/")
    assert bare.headers["x-app-token"] == "s3cret-token"
    assert (bare.body, "content-type" in bare.headers) == (b"", False)
    assert full.headers["content-type"] == "application/json"
    assert full.body == b'{"name":"K\\u00e4se \\ud800"}'
