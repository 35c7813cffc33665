"""Connections: few, kept, closed with their caller, through the environment's proxies, to the vendor only."""

import anyio
import pytest
from anyio.abc import SocketStream

from tests.http.vendor import WRITE, Request, account, answer, send, vendor
from voucher_mcp.backends.http import HttpClient
from voucher_mcp.backends.pace import Pace
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, UpstreamError


async def test_a_thousand_calls_from_sixteen_callers_open_sixteen_connections_at_most() -> None:
    async with account() as (server, client):

        async def work() -> None:
            for _ in range(63):
                await client.read("GET", "/v1/vouchers")

        async with anyio.create_task_group() as tasks:
            for _ in range(16):
                tasks.start_soon(work)
    assert len(server.requests) == 1008
    assert server.connections <= 16


async def test_callers_beyond_sixteen_wait_for_a_connection() -> None:
    async with account() as (server, client), anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(client.read, "GET", "/v1/vouchers")
    assert len(server.requests) == 100
    assert server.connections <= 16


async def test_making_a_client_reaches_for_nothing() -> None:
    async with account() as (server, client):
        await client.close()
    assert server.connections == 0


async def test_a_cancelled_call_hangs_up() -> None:
    async with account() as (server, client):
        server.always = server.hang
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.read, "GET", "/v1/vouchers")
            await server.asked.wait()
            tasks.cancel_scope.cancel()
        await server.hung_up.wait()
        server.always = answer()
        await client.read("GET", "/v1/vouchers")
    assert len(server.requests) == 2


async def test_a_write_does_not_meet_a_connection_that_the_vendor_has_closed() -> None:
    async def last_words(_: Request, stream: SocketStream) -> None:
        await stream.send(answer())

    async with account() as (server, client):
        server.answers = [last_words]
        await client.read("GET", "/v1/vouchers")
        await server.closed.wait()
        await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert server.connections == 2


async def test_redirects_are_not_followed() -> None:
    async with vendor() as elsewhere, account() as (server, client):
        server.always = answer(302, headers=[f"Location: http://localhost:{elsewhere.port}/?code=A"])
        with pytest.raises(UpstreamError, match="the project shop redirects to another address"):
            await client.read("GET", "/v1/vouchers")
    assert elsewhere.requests == []
    assert len(server.requests) == 1


async def test_cookies_are_not_kept() -> None:
    async with account() as (server, client):
        server.always = answer(headers=["Set-Cookie: session=1"])
        await client.read("GET", "/v1/vouchers")
        await client.read("GET", "/v1/vouchers")
    assert "cookie" not in server.requests[1].headers


async def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with vendor() as proxy, account(base_url="http://vouchers.invalid") as (_, client):
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        assert (await client.read("GET", "/v1/vouchers")).json() == {}
    assert [request.target for request in proxy.requests] == ["http://vouchers.invalid/v1/vouchers"]


async def test_loopback_is_not_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with vendor() as proxy, account() as (server, client):
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("ALL_PROXY", proxy.base_url)
        await client.read("GET", "/v1/vouchers")
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


async def test_a_proxy_that_refuses_is_named_and_a_write_is_known_not_to_have_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with vendor() as proxy, account(base_url="https://vouchers.invalid") as (_, client):
        proxy.always = answer(407)
        monkeypatch.setenv("HTTPS_PROXY", proxy.base_url)
        with pytest.raises(Unavailable, match=r"proxy failure.*HTTPS_PROXY"):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
    assert [(request.method, request.target) for request in proxy.requests] == [
        ("CONNECT", "vouchers.invalid:443")
    ]


async def test_a_proxy_that_hangs_up_lets_a_write_be_known_not_to_have_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with vendor() as proxy, account(base_url="https://vouchers.invalid", timeout=0.05) as (_, client):
        proxy.always = proxy.hang
        monkeypatch.setenv("HTTPS_PROXY", proxy.base_url)
        with pytest.raises(Unavailable, match="could not be reached"):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})


@pytest.mark.parametrize(
    ("name", "value"), [("HTTPS_PROXY", "gopher://x"), ("SSL_CERT_FILE", "/nowhere.pem")]
)
async def test_settings_of_the_environment_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    async with account() as (_, client):
        with pytest.raises(Unavailable, match=f"{name}.*cannot be used") as caught:
            await client.read("GET", "/v1/vouchers")
    assert caught.value.retryable is False


async def test_a_failed_tls_handshake_points_at_certificates_and_is_not_repeated() -> None:
    async with vendor() as server:
        client = server.client(base_url=f"https://127.0.0.1:{server.port}")
        server.greeting = answer(400)  # no TLS here
        with pytest.raises(Unavailable, match=r"TLS failure.*SSL_CERT_FILE"):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
        await client.close()
    assert server.connections == 1


async def test_a_tls_handshake_without_an_answer_is_no_matter_of_certificates() -> None:
    async with vendor() as server:
        client = server.client(base_url=f"https://127.0.0.1:{server.port}", timeout=0.05)
        with pytest.raises(Unavailable, match="could not be reached"):
            await client.write(WRITE, "POST", "/v1/vouchers", json={})
        await client.close()


async def test_an_address_of_the_vendor_is_fetched_with_the_sign_in() -> None:
    async with account() as (server, client):
        server.always = answer(200, "\ufeffcode;ä\r\n".encode())
        reply = await client.read_url(f"{server.base_url}/v1/exports/e_1?token=t%2B1")
    assert reply.text == "code;ä\r\n"
    assert server.requests[0].target == "/v1/exports/e_1?token=t%2B1"
    assert server.requests[0].headers["x-app-token"] == "s3cret-token"


async def test_an_address_elsewhere_is_not_shown_the_sign_in() -> None:
    async with vendor() as elsewhere, account() as (_, client):
        with pytest.raises(UpstreamError, match="not shown elsewhere"):
            await client.read_url(f"http://localhost:{elsewhere.port}/v1/exports/e_1")
    assert elsewhere.connections == 0


@pytest.mark.parametrize("writing", [False, True])
async def test_a_call_that_waits_for_its_turn_while_the_account_is_closed_sends_nothing(
    writing: bool,
) -> None:
    async with account(pace=Pace(1, 1.0)) as (server, client):
        await client.read("GET", "/v1/vouchers")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refused, client, writing)
            await anyio.wait_all_tasks_blocked()
            await client.close()
    assert len(server.requests) == 1


async def refused(client: HttpClient, writing: bool) -> None:
    with pytest.raises(Unavailable, match="shutting down"):
        await send(client, "/v1/vouchers", writing=writing)


async def test_a_call_that_is_under_way_while_the_account_is_closed_ends_with_an_error() -> None:
    async def call(writing: bool) -> None:
        with pytest.raises(OutcomeUnknown if writing else Unavailable):
            await send(client, "/v1/vouchers", writing=writing)

    for writing in (False, True):
        async with account() as (server, client):
            server.always = server.hang
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, writing)
                await server.asked.wait()
                await client.close()
            assert len(server.requests) == 1
