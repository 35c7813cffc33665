"""What a vendor's status means: one table for all of them, whatever each has in its own."""

import json
from collections.abc import Mapping

import pytest
from mcp import MCPError

from tests.http.vendor import account, answer, drop, nobody, send
from voucher_mcp.backends.bloomreach.jobs import job_tools as bloomreach
from voucher_mcp.backends.bloomreach.mapping.failures import Refusal, session_error
from voucher_mcp.backends.http import Failure
from voucher_mcp.backends.mews.mapping import failures as mews
from voucher_mcp.backends.voucherify.mapping import failures as voucherify
from voucher_mcp.domain.errors import VoucherError

VENDORS: Mapping[str, Failure] = {
    "voucherify": voucherify.failure,
    "mews": mews.failure,
    "bloomreach": bloomreach._failure,
}

MEANINGS = {
    400: "invalid_input",
    401: "unauthorized",
    402: "forbidden",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "invalid_input",
    418: "upstream_error",  # and so whatever is not in the table
    423: "conflict",
    429: "rate_limited",
}
READ_AGAIN = (408, 500, 502, 503, 504, 520)
"""Of these a read is unavailable, and what became of a write nobody knows."""


async def failure_of(
    vendor: str, status: int, *, writing: bool, headers: tuple[str, ...] = ()
) -> VoucherError:
    async with account(failure=VENDORS[vendor]) as (server, client):
        server.always = answer(status, json.dumps({"message": "No."}).encode(), headers)
        with pytest.raises(VoucherError) as caught:
            await send(client, "/v1/x", writing=writing)
    if writing and status != 429:
        assert len(server.requests) == 1
    return caught.value


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("writing", [False, True], ids=["read", "write"])
@pytest.mark.parametrize(("status", "code"), MEANINGS.items())
async def test_each_status_means_the_same_at_every_vendor(
    vendor: str, writing: bool, status: int, code: str
) -> None:
    error = await failure_of(vendor, status, writing=writing, headers=("Retry-After: 0",))
    assert (error.code, error.applied) == (code, "no")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", READ_AGAIN)
async def test_a_read_that_the_vendor_could_not_serve_is_unavailable_and_a_write_unknown(
    vendor: str, status: int
) -> None:
    assert (await failure_of(vendor, status, writing=False)).code == "unavailable"
    error = await failure_of(vendor, status, writing=True)
    assert (error.code, error.applied) == ("outcome_unknown", "unknown")
    assert "othing was changed" not in error.message


@pytest.mark.parametrize("vendor", VENDORS)
async def test_the_end_of_a_billing_periods_calls_is_no_matter_of_waiting(vendor: str) -> None:
    error = await failure_of(vendor, 429, writing=True, headers=("X-Rate-Limit-Type: api_calls_cycle",))
    assert error.code == "quota_exhausted"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_silence_is_unavailable_to_a_read_and_leaves_a_write_unknown(vendor: str) -> None:
    for writing, code in ((False, "unavailable"), (True, "outcome_unknown")):
        async with account(failure=VENDORS[vendor]) as (server, client):
            server.always = drop
            with pytest.raises(VoucherError) as caught:
                await send(client, "/v1/x", writing=writing)
        assert caught.value.code == code


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_never_reached_the_vendor_changed_nothing(vendor: str) -> None:
    async with nobody() as address, account(failure=VENDORS[vendor], base_url=address) as (_, client):
        with pytest.raises(VoucherError) as caught:
            await send(client, "/v1/x", writing=True)
    assert (caught.value.code, caught.value.applied) == ("unavailable", "no")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_answer_that_cannot_be_read_is_the_vendors_fault(vendor: str) -> None:
    for writing, code in ((False, "upstream_error"), (True, "outcome_unknown")):
        async with account(failure=VENDORS[vendor]) as (server, client):
            server.always = answer(200, b"<html>")
            with pytest.raises(VoucherError) as caught:
                (await send(client, "/v1/x", writing=writing)).object()
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("key", "code"),
    [("duplicate_found", "already_exists"), ("resource_in_use", "conflict"), (None, "conflict")],
)
async def test_a_409_is_what_its_key_says(key: str | None, code: str) -> None:
    async with account(failure=VENDORS["voucherify"]) as (server, client):
        server.always = answer(409, json.dumps({"key": key, "message": "No."}).encode())
        with pytest.raises(VoucherError) as caught:
            await send(client, "/v1/x", writing=True)
    assert caught.value.code == code


@pytest.mark.parametrize(("status", "code"), [*MEANINGS.items(), (408, "unavailable"), (503, "unavailable")])
def test_the_same_holds_where_bloomreach_is_asked_through_mcp(status: int, code: str) -> None:
    error = session_error(
        "list_voucher_pools", MCPError(0, "refused"), Refusal(status, None), lambda text: text
    )
    # MCP's streamable HTTP has 404 for a session that ended, which is not the pool's absence
    assert error.code == ("unavailable" if status == 404 else code)
