"""A write reaches the vendor at most once, and nobody is told that it failed when it may have worked."""

import dataclasses
from typing import Any

import pytest

from tests.http.vendor import WRITE, Answer, Request, account, answer, drop, json_answer, nobody
from voucher_mcp.backends.http import Reply
from voucher_mcp.domain.errors import (
    Conflict,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
    UpstreamError,
    VoucherError,
)


@pytest.mark.parametrize(
    "fault",
    [
        answer(500),
        answer(503, headers=["Retry-After: 0"]),
        answer(408),
        drop,
        answer(200, b'{"id": "v_1"}')[:-5],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        answer(200, b"not packed", headers=["Content-Encoding: gzip"]),
        answer(303, headers=["Location: /elsewhere"]),
    ],
    ids=["500", "503", "408", "dropped", "silent in the middle", "no http", "not unpacked", "see other"],
)
async def test_a_write_whose_answer_is_lost_is_unknown_and_not_repeated(fault: Answer) -> None:
    async with account(timeout=0.5) as (server, client):
        server.always = fault
        with pytest.raises(
            OutcomeUnknown, match="list_voucher_transactions of the voucher shows it"
        ) as caught:
            await client.write(
                WRITE, "POST", "/v1/x", json={}, settled_by="list_voucher_transactions of the voucher"
            )
    assert len(server.requests) == 1
    assert caught.value.applied == "unknown"


async def test_a_write_that_is_not_answered_in_time_is_unknown_and_not_repeated() -> None:
    async with account(timeout=0.5) as (server, client):
        server.always = server.hang
        with pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await client.write(WRITE, "POST", "/v1/vouchers/A/balance", json={"amount": 100})
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"id"', b'{"metadata":' + b"[" * 100 + b"]" * 100 + b"}"])
async def test_a_write_whose_answer_cannot_be_read_is_unknown(body: bytes) -> None:
    async with account() as (server, client):
        server.always = answer(200, body)
        reply = await client.write(WRITE, "POST", "/v1/vouchers", json={})
    with pytest.raises(OutcomeUnknown):
        reply.object()


async def test_a_mapping_may_word_the_unknown_outcome_but_not_deny_it() -> None:
    def denying(reply: Reply, writing: bool) -> VoucherError:
        return Conflict("It is taken.")

    def wording(reply: Reply, writing: bool) -> VoucherError:
        return OutcomeUnknown("Look at get_voucher.", applied="partly")

    async with account(failure=denying) as (server, client):
        server.always = answer(502)
        with pytest.raises(OutcomeUnknown):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    async with account(failure=wording) as (server, client):
        server.always = answer(502)
        with pytest.raises(OutcomeUnknown, match=r"Look at get_voucher\.") as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert str(caught.value.applied) == "partly"


async def test_a_write_that_never_left_is_unavailable() -> None:
    async with nobody() as address, account(base_url=address) as (_, client):
        with pytest.raises(Unavailable, match="could not be reached") as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert caught.value.applied == "no"


async def test_a_write_is_repeated_where_the_vendor_did_nothing_because_of_its_rate() -> None:
    async with account() as (server, client):
        server.answers = [answer(429, headers=["Retry-After: 0"]), json_answer(200, {"id": "v_1"})]
        reply = await client.write(WRITE, "POST", "/v1/vouchers", json={"code": "A"})
    assert reply.object() == {"id": "v_1"}
    assert [request.body for request in server.requests] == [b'{"code":"A"}'] * 2


async def test_a_write_that_is_always_over_the_rate_changes_nothing() -> None:
    async with account() as (server, client):
        server.always = answer(429, headers=["Retry-After: 0"])
        with pytest.raises(RateLimited) as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert caught.value.applied == "no"
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_write_that_is_sent_elsewhere_was_not_carried_out(status: int) -> None:
    async with account() as (server, client):
        server.always = answer(status, headers=["Location: https://elsewhere.example/v1/vouchers"])
        with pytest.raises(UpstreamError, match="redirects to another address") as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert caught.value.applied == "no"
    assert len(server.requests) == 1


async def test_a_dry_run_cannot_write() -> None:
    async with account() as (server, client):
        with pytest.raises(AssertionError):
            await client.write(dataclasses.replace(WRITE, dry_run=True), "POST", "/v1/vouchers", json={})
    assert server.requests == []


async def test_a_file_goes_as_a_multipart_form_and_whole_when_it_is_repeated() -> None:
    csv = b"Code,Value\r\nA,10\r\n"
    async with account() as (server, client):
        server.answers = [answer(429)]
        files: Any = {"file": ("vouchers.csv", csv, "text/csv")}
        await client.write(WRITE, "POST", "/v1/vouchers/importCSV", files=files)

    def form(request: Request) -> bytes:
        boundary = request.headers["content-type"].partition("multipart/form-data; boundary=")[2]
        return request.body.replace(boundary.encode(), b"B")

    assert form(server.requests[0]) == form(server.requests[1])
    assert form(server.requests[0]) == (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="vouchers.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + csv + b"\r\n--B--\r\n"
    )
