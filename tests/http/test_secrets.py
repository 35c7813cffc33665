"""No secret comes out: not in an error, whatever the vendor repeats, and not in a log at its chattiest."""

import logging
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from tests.http.vendor import WRITE, Answer, account, answer, drop, json_answer, nobody, send
from voucher_mcp.domain.errors import VoucherError

SECRET = 'tok/en"ü+1'
SPELLINGS = [SECRET, 'tok/en\\"ü+1', 'tok/en\\"\\u00fc+1', quote(SECRET, safe=""), "tok/en%22"]

REFUSALS: list[Answer] = [
    answer(400, f"Bad token {SECRET}".encode()),
    json_answer(401, {"message": f"{SECRET} is unknown", "request_id": "v-1"}),
    answer(403, f'{{"message": "{SPELLINGS[1]}"}}'.encode()),
    answer(404, f"no /v1?token={quote(SECRET, safe='')} here".encode()),
    answer(500, SECRET.encode()),
    json_answer(400, {}, f"Request-Id: {quote(SECRET, safe='')}"),
    drop,
    answer(307, headers=[f"Location: https://elsewhere.example/{quote(SECRET, safe='')}"]),
]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("writing", [False, True])
async def test_no_error_and_no_log_line_holds_a_secret_or_a_code(
    refusal: Answer, writing: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"X-App-Token": SECRET, "Authorization": "Bearer other-secret"}
    secrets = [SecretStr(SECRET), SecretStr("other-secret"), SecretStr("")]
    async with account(headers=headers, secrets=secrets) as (server, client):
        server.always = refusal
        with pytest.raises(VoucherError) as caught:
            await send(client, "/v1/vouchers/CODE-77", writing=writing)
    error = caught.value
    shown = f"{error!r} {error.__cause__!r} {error.__context__!r} {error.request_id} {caplog.text}"
    assert [word for word in (*SPELLINGS, "other-secret", "CODE-77") if word in shown] == []


async def test_a_successful_call_logs_no_code_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with account() as (server, client):
        reply = await client.read("GET", "/v1/vouchers/CODE-77")
        await client.read_url(f"{server.base_url}/v1/exports/e?token=download-token")
    shown = caplog.text + repr(client) + repr(reply)
    assert [word for word in ("CODE-77", "s3cret-token", "download-token") if word in shown] == []


async def test_data_is_left_as_it_is_even_where_it_looks_like_a_secret() -> None:
    async with account(secrets=[SecretStr("SPRING")]) as (server, client):
        server.always = json_answer(200, {"code": "SPRING-1"})
        assert (await client.read("GET", "/v1/vouchers/SPRING-1")).json() == {"code": "SPRING-1"}


async def test_a_sign_in_that_does_not_fit_into_a_header_is_not_quoted() -> None:
    async with account(headers={"X-App-Token": "two\r\nlines"}) as (server, client):
        with pytest.raises(VoucherError, match="could not be put into HTTP") as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert caught.value.applied == "no"
    assert server.requests == []


async def test_a_refused_connection_says_no_address_but_the_host() -> None:
    async with nobody() as address, account(base_url=f"{address}/base") as (_, client):
        with pytest.raises(VoucherError) as caught:
            await client.read("GET", "/v1/vouchers/CODE-77")
    assert "base" not in str(caught.value)
    assert "CODE-77" not in str(caught.value)
