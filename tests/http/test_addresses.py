"""Whatever a code holds, it stays one segment of the path; and who is the vendor is not guessed."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http.vendor import account
from voucher_mcp.backends.http import segment
from voucher_mcp.backends.http.addresses import same_vendor
from voucher_mcp.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("A/B c?#%v", "A%2FB%20c%3F%23%25v"),
        ("../x", "..%2Fx"),
        ("...", "..."),
        ("%2F", "%252F"),
        ("ä&+;=", "%C3%A4%26%2B%3B%3D"),
        ("A-b_1.~", "A-b_1.~"),
        ("a\\b\r\n", "a%5Cb%0D%0A"),
    ],
)
async def test_a_code_reaches_the_server_as_one_segment(text: str, encoded: str) -> None:
    assert segment(text) == encoded
    async with account() as (server, client):
        await client.read("GET", f"/v1/vouchers/{segment(text)}/transactions")
    assert server.requests[0].target == f"/v1/vouchers/{encoded}/transactions"


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_segment_decodes_to_what_it_was(text: str) -> None:
    assert unquote(segment(text), errors="surrogatepass") == text
    assert not set(segment(text)) & set("/?# ")


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_would_lead_to_another_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="would lead elsewhere"):
        segment(text)


async def test_queries_keep_their_order_their_repetitions_and_every_character() -> None:
    async with account() as (server, client):
        await client.read(
            "GET", "/v1/x", query=[("filters[a][$in][0]", "Ä b&c=d+e"), ("ids", "1"), ("ids", "2"), ("e", "")]
        )
        await client.read("GET", "/v1/x")
    assert server.requests[0].target == (
        "/v1/x?filters%5Ba%5D%5B%24in%5D%5B0%5D=%C3%84%20b%26c%3Dd%2Be&ids=1&ids=2&e="
    )
    assert server.requests[1].target == "/v1/x"


async def test_an_address_that_is_too_long_is_the_callers_fault() -> None:
    async with account() as (server, client):
        with pytest.raises(InvalidInput, match="too long"):
            await client.read("GET", f"/v1/vouchers/{segment('x' * 70_000)}")
    assert server.requests == []


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://api.voucherify.io", "https://api.voucherify.io/v1/exports/e"),
        ("https://api.voucherify.io", "https://download.voucherify.io/v1/exports/e?token=t"),
        ("https://us1.api.voucherify.io", "https://us1.download.voucherify.io/x"),
        ("https://api.voucherify.io", "https://DOWNLOAD.Voucherify.IO:443/x"),
        ("https://vouchers.shop.co.uk", "https://vouchers.shop.co.uk/x"),
        ("https://vendor.example:8443", "https://vendor.example:8443/x"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000/x"),
        ("http://[::1]:8000", "http://[::1]:8000/x"),
    ],
)
def test_these_are_the_vendors_own(base: str, address: str) -> None:
    assert same_vendor(base, address, "voucherify.io")


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://api.voucherify.io", "https://evil.example/x"),
        ("https://api.voucherify.io", "https://evilvoucherify.io/x"),
        ("https://api.voucherify.io", "https://voucherify.io.evil.example/x"),
        ("https://api.voucherify.io", "http://download.voucherify.io/x"),
        ("https://api.voucherify.io", "https://download.voucherify.io@evil.example/x"),
        ("https://api.voucherify.io", "https://u:p@download.voucherify.io/x"),
        ("https://api.voucherify.io", "https://download.voucherify.io:8443/x"),
        ("https://api.voucherify.io", "//download.voucherify.io/x"),
        ("https://api.voucherify.io", "https://[broken/x"),
        ("https://api.voucherify.io", "https://download.voucherify.io:99999/x"),
        ("https://api.voucherify.io", "https://evil.example\\.voucherify.io/x"),
        ("https://api.voucherify.io", "https://ävil.voucherify.io/x"),
        ("https://api.voucherify.io", ""),
        ("https://api.voucherify.io", "https://download.voucherify.io/x\x00"),
        ("https://api.voucherify.io", "https://voucherify.io/x"),
        ("http://api.voucherify.io", "http://download.voucherify.io/x"),
        ("https://vouchers.shop.example", "https://download.voucherify.io/x"),
        ("https://vouchers.shop.example", "https://files.shop.example/x"),
        ("https://shop.github.io", "https://evil.github.io/x"),
        ("https://files.s3.amazonaws.com", "https://evil.s3.amazonaws.com/x"),
        ("https://shop.co.uk", "https://evil.co.uk/x"),
        ("https://203.0.113.7", "https://198.51.113.7/x"),
        ("https://intranet", "https://evil.intranet/x"),
        ("http://127.0.0.1:8000", "http://127.0.0.2:8000/x"),
        ("http://127.0.0.1:8000", "http://localhost:8000/x"),
        ("http://127.0.0.1:8000", "https://127.0.0.1:8000/x"),
    ],
)
def test_these_are_not(base: str, address: str) -> None:
    assert not same_vendor(base, address, "voucherify.io")


def test_without_a_domain_of_its_own_the_vendor_is_its_host_alone() -> None:
    assert same_vendor("https://api.voucherify.io", "https://api.voucherify.io/x")
    assert not same_vendor("https://api.voucherify.io", "https://download.voucherify.io/x")
