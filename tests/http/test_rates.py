"""Over the rate: wait as the vendor says if the call has the time, and say when to come back if not."""

import time
from email.utils import formatdate

import anyio
import pytest

from tests.http.vendor import WRITE, account, answer, send
from voucher_mcp.backends.http import Reply
from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.domain.errors import QuotaExhausted, RateLimited, Unavailable, VoucherError

NOW = "Sat, 21 Nov 2026 16:00:00 GMT"
NOW_SECONDS = 1_795_276_800


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("Sat, 21 Nov 2026 16:00:40 GMT", 40.0),
        ("Sat, 21 Nov 2026 15:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_vendors_clock(value: str, seconds: float | None) -> None:
    assert rate_of({"retry-after": value, "date": NOW}).retry_after == seconds


def test_a_date_of_no_known_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as abroad:
        abroad.setenv("TZ", "America/New_York")
        time.tzset()
        rate = rate_of(
            {"date": "Sat, 21 Nov 2026 17:00:00 -0000", "retry-after": "Sat, 21 Nov 2026 17:00:05 GMT"}
        )
    time.tzset()
    assert rate.retry_after == 5.0


def test_voucherifys_headers_are_read_by_the_vendors_clock() -> None:
    rate = rate_of(
        {
            "date": NOW,
            "x-rate-limit-limit": "2000",
            "x-rate-limit-remaining": "17",
            "x-rate-limit-retry": str(NOW_SECONDS + 30),
            "x-rate-limit-type": "api_calls",
        }
    )
    assert (rate.scope, rate.left, rate.renewed_in) == ("account", 17, 30.0)


def test_an_answer_without_rate_headers_says_nothing() -> None:
    rate = rate_of({})
    assert (rate.retry_after, rate.left, rate.renewed_in) == (None, None, None)


@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: 120",
        f"Retry-After: {formatdate(time.time() + 1e6, usegmt=True)}",
        f"X-Rate-Limit-Retry: {time.time() + 1e6:.0f}",
    ],
    ids=["seconds", "date", "voucherify"],
)
async def test_a_wait_that_does_not_fit_into_the_call_is_told_at_once(header: str) -> None:
    async with account() as (server, client):
        server.always = answer(429, headers=[header])
        with anyio.fail_after(50), pytest.raises(RateLimited) as caught:
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 1
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 120
    assert caught.value.retryable


async def test_a_write_is_not_begun_where_the_wait_leaves_no_time_for_its_answer() -> None:
    async with account() as (server, client):
        server.always = answer(429, headers=["Retry-After: 46"])
        with anyio.fail_after(50), pytest.raises(RateLimited) as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
        assert len(server.requests) == 1
        with anyio.fail_after(50), pytest.raises(RateLimited, match="does not fit into this call"):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert len(server.requests) == 1
    assert caught.value.applied == "no"


async def test_while_the_vendor_asks_for_a_pause_nobody_else_asks_it() -> None:
    async with account() as (server, client):
        server.always = answer(429, headers=["Retry-After: 120"])
        with anyio.fail_after(50):
            for _ in range(3):
                with pytest.raises(RateLimited):
                    await client.read("GET", "/v1/vouchers")
            with pytest.raises(RateLimited, match="does not fit into this call") as caught:
                await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert len(server.requests) == 1
    assert caught.value.applied == "no"


async def test_a_limit_on_bulk_calls_does_not_hold_up_the_others() -> None:
    async with account() as (server, client):
        server.answers = [answer(429, headers=["Retry-After: 120", "X-Rate-Limit-Type: bulk_api_calls"])]
        with anyio.fail_after(50):
            with pytest.raises(RateLimited):
                await client.write(WRITE, "POST", "/v1/vouchers/import", json=[])
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 2


@pytest.mark.parametrize("writing", [False, True])
async def test_calls_of_a_period_that_are_used_up_are_not_asked_for_again(writing: bool) -> None:
    async with account() as (server, client):
        server.always = answer(429, headers=["Retry-After: 0", "X-Rate-Limit-Type: api_calls_cycle"])
        with pytest.raises(QuotaExhausted) as caught:
            await send(client, "/v1/vouchers", writing=writing)
    assert len(server.requests) == 1
    assert caught.value.retryable is False
    assert caught.value.applied == "no"


async def test_what_is_left_is_learned_from_answers_and_not_overdrawn() -> None:
    async with account() as (server, client):
        until = f"X-Rate-Limit-Retry: {time.time() + 1000:.0f}"
        server.answers = [answer(200, headers=[f"X-Rate-Limit-Remaining: {n}", until]) for n in (2, 1, 0)]
        with anyio.fail_after(50):
            for _ in range(3):
                await client.read("GET", "/v1/vouchers")
            with pytest.raises(RateLimited) as caught:
                await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 3
    assert caught.value.retry_after is not None
    assert 900 < caught.value.retry_after < 1001


async def test_the_mappings_own_words_about_the_rate_are_kept() -> None:
    def mapping(reply: Reply, writing: bool) -> VoucherError:
        return RateLimited("Ask for less.", request_id="r-1")

    async with account(failure=mapping) as (server, client):
        server.always = answer(429, headers=["Retry-After: 300"])
        with anyio.fail_after(50), pytest.raises(RateLimited, match=r"Ask for less\.") as caught:
            await client.read("GET", "/v1/vouchers")
    assert caught.value.retry_after == 300
    assert caught.value.request_id == "r-1"


async def test_a_vendor_that_is_down_for_longer_than_the_call_lasts_is_unavailable_at_once() -> None:
    async with account() as (server, client):
        server.always = answer(503, headers=["Retry-After: 600"])
        with anyio.fail_after(50), pytest.raises(Unavailable) as caught:
            await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 1
    assert caught.value.retry_after == 600


async def test_a_call_ends_with_an_answer_before_its_time_is_up() -> None:
    async with account() as (server, client):
        server.always = server.hang
        with anyio.fail_after(1.2), pytest.raises(Unavailable, match="did not answer in time"):
            await client.read("GET", "/v1/vouchers")
        await server.hung_up.wait()


async def test_without_time_left_nothing_is_sent() -> None:
    async with account() as (server, client):
        with anyio.fail_after(0.5), pytest.raises(Unavailable, match="could not be reached") as caught:
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert server.requests == []
    assert caught.value.applied == "no"
