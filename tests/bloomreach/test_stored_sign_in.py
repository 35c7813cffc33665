"""Serving with a stored sign-in: it is renewed in time, once, and no browser is ever opened."""

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.bloomreach.conftest import CRM, Agents, project_of
from tests.bloomreach.signing import signed_in
from tests.standins.bloomreach import Drop, Slow, StandIn, Status
from voucher_mcp.backends.bloomreach.client.sign_in.auth import refresh
from voucher_mcp.backends.bloomreach.client.sign_in.store import SignInStore
from voucher_mcp.cli import login
from voucher_mcp.domain.errors import Unavailable


@pytest.fixture(autouse=True)
def pool(bloomreach: StandIn, shop: str) -> str:
    return bloomreach.data.add_pool(shop, "Summer", 3)


def renewals(bloomreach: StandIn) -> int:
    return [kind for kind, _ in bloomreach.sign_in.grants].count("refresh_token")


async def ok(agents: Agents, **settings: Any) -> None:
    async with agents(token=None, **settings) as agent:
        await agent.ok("list_voucher_pools")


async def unauthorized(agents: Agents, **settings: Any) -> str:
    async with agents(token=None, **settings) as agent:
        refusal = await agent.refused("unauthorized", "list_voucher_pools")
        assert f"`voucher-mcp login {CRM}`" in refusal["error"]
        return str(refusal["error"])


async def test_a_stored_sign_in_serves(agents: Agents, bloomreach: StandIn) -> None:
    await signed_in(bloomreach)
    await ok(agents)
    assert renewals(bloomreach) == 0


async def test_without_a_sign_in_the_command_is_named_and_no_browser_opens(
    agents: Agents, bloomreach: StandIn
) -> None:
    await unauthorized(agents)
    assert bloomreach.requests == []


async def test_a_token_that_is_over_is_renewed_and_the_new_one_stored(
    agents: Agents, bloomreach: StandIn
) -> None:
    old = await signed_in(bloomreach, over=True)
    await ok(agents)
    new = SignInStore(project_of(bloomreach)).load()
    assert new is not None
    assert new.access_token != old.access_token
    assert new.refresh_token != old.refresh_token
    await ok(agents)
    assert renewals(bloomreach) == 1


async def test_a_token_that_lives_shortly_is_used_for_as_long_as_it_lives(
    agents: Agents, bloomreach: StandIn
) -> None:
    bloomreach.sign_in.lifetime = 30  # no more than what other tokens are renewed before their end
    await signed_in(bloomreach)
    for _ in range(2):
        await ok(agents)
    assert renewals(bloomreach) == 0


async def test_a_server_that_keeps_its_refresh_token_is_asked_with_the_same_again(
    agents: Agents, bloomreach: StandIn
) -> None:
    bloomreach.sign_in.rotates = False
    await signed_in(bloomreach)
    for number in (1, 2):
        bloomreach.sign_in.end_access_tokens()
        await ok(agents)
        assert renewals(bloomreach) == number


async def test_a_token_that_the_server_ended_early_is_renewed_too(
    agents: Agents, bloomreach: StandIn
) -> None:
    bloomreach.sign_in.announces_lifetime = False
    await signed_in(bloomreach)
    async with agents(token=None) as agent:
        await agent.ok("list_voucher_pools")
        bloomreach.sign_in.end_access_tokens()
        await agent.ok("list_voucher_codes", pool_id="Summer")
    assert renewals(bloomreach) == 1


async def test_several_servers_renew_it_once(agents: Agents, bloomreach: StandIn) -> None:
    await signed_in(bloomreach, over=True)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(ok, agents)
    assert renewals(bloomreach) == 1


async def test_a_sign_in_that_is_over_names_the_command_and_a_new_one_serves_at_once(
    agents: Agents, bloomreach: StandIn
) -> None:
    await signed_in(bloomreach)
    async with agents(token=None) as agent:
        await agent.ok("list_voucher_pools")
        bloomreach.sign_in.revoke_all()
        for _ in range(2):
            refusal = await agent.refused("unauthorized", "list_voucher_codes", pool_id="Summer")
            assert f"`voucher-mcp login {CRM}`" in refusal["error"]
        await signed_in(bloomreach)
        await agent.ok("list_voucher_codes", pool_id="Summer")


@pytest.mark.parametrize("fault", [Drop(), Status(503)])
async def test_a_renewal_that_does_not_work_now_may_work_later(
    agents: Agents, bloomreach: StandIn, fault: Drop | Status
) -> None:
    await signed_in(bloomreach, over=True)
    bloomreach.fail(fault, path="/token", times=10)
    async with agents(token=None) as agent:
        await agent.refused("unavailable", "list_voucher_pools")
        bloomreach.heal()
        await agent.ok("list_voucher_pools")


async def test_tokens_are_shown_to_the_server_alone_that_gave_them(
    agents: Agents, bloomreach: StandIn
) -> None:
    await signed_in(bloomreach)
    before = len(bloomreach.requests)
    await unauthorized(agents, url=f"{bloomreach.base_url}/other")
    assert len(bloomreach.requests) == before


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"url": "x"})])
async def test_a_file_that_is_no_sign_in_counts_as_none(
    agents: Agents, bloomreach: StandIn, data: Path, text: str
) -> None:
    await signed_in(bloomreach)
    (data / "sign-ins" / f"{CRM}.json").write_text(text)
    await unauthorized(agents)


async def test_a_registered_secret_is_used_as_the_server_asked(agents: Agents, bloomreach: StandIn) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("voucher_mcp.backends.bloomreach.client.sign_in.browser.AUTH_METHOD", method)
            assert (await signed_in(bloomreach, over=True)).client_secret is not None
        before = renewals(bloomreach)
        await ok(agents)
        assert renewals(bloomreach) == before + 1


async def test_a_server_that_answers_drop_by_drop_does_not_hold_up_a_renewal(
    bloomreach: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip(stream: SocketStream) -> None:
        async with stream:
            await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            with suppress(anyio.BrokenResourceError):
                while True:
                    await stream.send(b" ")
                    await anyio.sleep(0.01)

    monkeypatch.setattr("voucher_mcp.backends.bloomreach.client.sign_in.auth._REFRESH_SECONDS", 0.3)
    made = await signed_in(bloomreach, over=True)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, drip)
        port = listener.extra(SocketAttribute.local_port)
        with anyio.fail_after(30), pytest.raises(Unavailable):
            await refresh(made.model_copy(update={"token_endpoint": f"http://127.0.0.1:{port}/token"}))
        tasks.cancel_scope.cancel()


async def test_a_renewal_that_ends_after_a_new_sign_in_does_not_take_its_place(
    bloomreach: StandIn, monkeypatch: pytest.MonkeyPatch, agents: Agents
) -> None:
    old = await signed_in(bloomreach, over=True)
    project = project_of(bloomreach)
    monkeypatch.setattr("webbrowser.open", lambda address: httpx2.get(address, follow_redirects=True))
    bloomreach.fail(Slow(1.5), path="/token")
    asked = len(bloomreach.requests_to("/token"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ok, agents)
        while len(bloomreach.requests_to("/token")) == asked:  # noqa: ASYNC110 - it is in another thread
            await anyio.sleep(0.001)
        await anyio.to_thread.run_sync(partial(login._sign_in, project, browser=True))
    stored = SignInStore(project).load()
    assert stored is not None
    assert stored.client_id != old.client_id
