"""The way to the vendor's server: one session, its pace, and what goes wrong on it."""

import logging
from collections.abc import Iterator
from itertools import pairwise

import anyio
import pytest

from tests.backends.agent import Agent
from tests.backends.opening import connect
from tests.bloomreach.conftest import CRM, Agents, table_of
from tests.bloomreach.signing import signed_in
from tests.http.vendor import nobody
from tests.standins.bloomreach import (
    Drop,
    Expired,
    Garbage,
    Hang,
    Html,
    Odd,
    RateLimited,
    Refused,
    StandIn,
    Status,
    ToolFailed,
    Truncated,
    serve,
)
from tests.standins.bloomreach.faults import Fault

SHORT = 2.0
"""Seconds that a call waits where it is to wait in vain."""


@pytest.fixture(autouse=True)
def pool(bloomreach: StandIn, shop: str) -> str:
    """A pool to read."""
    return bloomreach.data.add_pool(shop, "Summer", 3)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What breaks at the vendor's is told to the agent; our log has neither traces nor codes."""
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING] == []


def sessions(bloomreach: StandIn) -> int:
    return sum(request.rpc_method == "initialize" for request in bloomreach.requests)


async def test_one_session_serves_all_calls(agent: Agent, bloomreach: StandIn, pool: str) -> None:
    for _ in range(3):
        await agent.ok("list_voucher_codes", pool_id=pool)
    assert sessions(bloomreach) == 1


async def test_nothing_is_reached_before_the_first_call(agents: Agents, bloomreach: StandIn) -> None:
    async with agents() as agent:
        await agent.refused("unsupported", "get_voucher", code="A")
        assert bloomreach.requests == []


@pytest.mark.parametrize("plain", [True, False])
async def test_event_streams_and_plain_json_are_both_read(
    agent: Agent, bloomreach: StandIn, pool: str, plain: bool
) -> None:
    bloomreach.json_responses = plain
    assert (await agent.pool("Summer"))["id"] == pool


async def test_a_server_of_the_2026_protocol_is_spoken_to_without_a_session(pool: str) -> None:
    async with serve("both") as bloomreach:
        bloomreach.open = True
        shop = bloomreach.data.add_project()
        bloomreach.data.add_pool(shop, "Winter", 1)
        async with connect(
            **{CRM: {"backend": "bloomreach", "url": bloomreach.url, "token": "any"}}
        ) as client:
            assert (await Agent(client, CRM).pool("Winter"))["total"] == 1
        assert sessions(bloomreach) == 0


@pytest.mark.parametrize("fault", [Expired(), Drop(), Truncated(), Html(502), Status(503), Status(408)])
async def test_a_broken_session_is_opened_anew_and_the_call_made_again(
    agent: Agent, bloomreach: StandIn, pool: str, fault: Fault
) -> None:
    await agent.ok("list_voucher_pools")
    bloomreach.fail(fault, tool="list_voucher_codes")
    assert len(await agent.texts(pool)) == 3
    assert sessions(bloomreach) == 2


@pytest.mark.parametrize("fault", [Drop(), Html(502), Status(500)])
async def test_a_server_that_stays_away_is_unavailable_until_it_is_back(
    agent: Agent, bloomreach: StandIn, pool: str, fault: Fault
) -> None:
    bloomreach.fail(fault, times=100)
    refusal = await agent.refused("unavailable", "list_voucher_pools")
    assert refusal["retryable"] is True
    bloomreach.heal()
    await agent.ok("list_voucher_pools")


async def test_an_address_where_nobody_listens_is_unavailable(agents: Agents, bloomreach: StandIn) -> None:
    with anyio.fail_after(20):
        async with nobody() as address, agents(url=f"{address}/mcp") as agent:
            await agent.refused("unavailable", "list_voucher_pools")


async def test_an_address_that_is_no_mcp_server_says_so(agents: Agents, bloomreach: StandIn) -> None:
    async with agents(url=f"{bloomreach.base_url}/elsewhere") as agent:
        refusal = await agent.refused("upstream_error", "list_voucher_pools")
        assert "`url`" in refusal["error"]


async def test_a_call_that_is_not_answered_ends_and_the_next_one_works(
    agents: Agents, bloomreach: StandIn, pool: str
) -> None:
    async with agents(timeout=SHORT) as agent:
        await agent.ok("list_voucher_pools")
        bloomreach.fail(Hang(), tool="list_voucher_codes", times=2)
        await agent.refused("unavailable", "list_voucher_codes", pool_id=pool)
        assert len(await agent.texts(pool)) == 3


async def test_a_server_that_opens_no_session_in_time_is_unavailable(
    agents: Agents, bloomreach: StandIn
) -> None:
    bloomreach.fail(Hang(), times=100, path="/mcp")
    async with agents(timeout=SHORT) as agent:
        await agent.refused("unavailable", "list_voucher_pools")


@pytest.mark.parametrize(
    "fault", [Garbage(), Odd({"rows": []}), Status(200, b"{", {"content-type": "application/json"})]
)
async def test_an_answer_that_cannot_be_read_is_an_upstream_error(
    agent: Agent, bloomreach: StandIn, fault: Fault
) -> None:
    bloomreach.fail(fault, tool="list_voucher_pools")
    await agent.refused("upstream_error", "list_voucher_pools")
    await agent.ok("list_voucher_pools")


@pytest.mark.parametrize("fault", [Refused("Boom\x1b[2J now"), ToolFailed("Boom\x1b[2J now")])
async def test_what_the_vendor_says_of_a_failure_is_quoted(
    agent: Agent, bloomreach: StandIn, fault: Fault
) -> None:
    bloomreach.fail(fault, tool="list_voucher_pools")
    refusal = await agent.refused("upstream_error", "list_voucher_pools")
    assert '"Boom�[2J now"' in refusal["error"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Refused("Project x not found or you have no access to it"), "not_found"),
        (ToolFailed("Error executing tool list_voucher_pools: project x not found"), "not_found"),
        (ToolFailed("Permission denied"), "forbidden"),
        (ToolFailed("Token has expired"), "unauthorized"),
        (ToolFailed("Input validation error: 5000 is greater than the maximum of 1000"), "invalid_input"),
        (ToolFailed("Upstream request timed out"), "unavailable"),
        (Refused("503 Service Unavailable"), "unavailable"),
        (ToolFailed("<html><body>Bad Gateway</body></html>"), "upstream_error"),
        (Refused(None), "upstream_error"),
        (Status(403), "forbidden"),
        (Status(400), "invalid_input"),
    ],
)
async def test_the_kind_of_a_refusal_is_told(
    agent: Agent, bloomreach: StandIn, fault: Fault, code: str
) -> None:
    bloomreach.fail(fault, tool="list_voucher_pools", times=10)
    await agent.refused(code, "list_voucher_pools")


async def test_a_tool_that_the_account_does_not_have_is_named(agent: Agent, bloomreach: StandIn) -> None:
    bloomreach.tools.missing.add("list_voucher_pools")
    refusal = await agent.refused("upstream_error", "list_voucher_pools")
    assert "list_voucher_pools" in refusal["error"]


@pytest.mark.parametrize("fault", [RateLimited(1), Status(429, b"", {"retry-after": "1"})])
async def test_a_rate_limit_is_waited_for(agent: Agent, bloomreach: StandIn, pool: str, fault: Fault) -> None:
    await agent.ok("list_voucher_pools")
    bloomreach.fail(fault, tool="list_voucher_codes")
    assert len(await agent.texts(pool)) == 3
    assert sessions(bloomreach) == 1


@pytest.mark.parametrize("fault", [RateLimited(3_600), Status(429, b"", {"retry-after": "3600"})])
async def test_a_wait_that_does_not_fit_into_the_call_is_the_callers(
    agent: Agent, bloomreach: StandIn, fault: Fault
) -> None:
    bloomreach.fail(fault, tool="list_voucher_pools")
    refusal = await agent.refused("rate_limited", "list_voucher_pools")
    assert (refusal["retryable"], refusal["retry_after"]) == (True, 3600)
    asked = len(bloomreach.requests)
    await agent.refused("rate_limited", "list_voucher_pools")
    assert len(bloomreach.requests) == asked


async def test_calls_come_one_after_the_other(agent: Agent, bloomreach: StandIn, pool: str) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(agent.texts, pool)
    calls = bloomreach.calls
    assert [call.tool for call in calls].count("list_voucher_pools") == 1  # for all of them
    assert [call.tool for call in calls].count("list_voucher_codes") == 8
    assert all(before.ended and before.ended <= after.at for before, after in pairwise(calls))


async def test_a_server_that_wants_a_pace_never_has_to_refuse(
    agents: Agents, bloomreach: StandIn, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher_mcp.backends.bloomreach.client.client.CALL_SECONDS", 0.2)
    bloomreach.tools.pace = 0.2
    async with agents() as agent:
        for _ in range(3):
            await agent.ok("list_voucher_codes", pool_id=pool)
    assert len(bloomreach.calls) == 3 + 3  # organizations, projects and pools once: nothing was repeated


async def test_projects_of_one_user_share_the_users_pace(
    agents: Agents, bloomreach: StandIn, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher_mcp.backends.bloomreach.client.client.CALL_SECONDS", 0.3)
    table = {**table_of(bloomreach), "token": bloomreach.sign_in.issue()}
    async with connect(crm=table, outlet=table) as client, anyio.create_task_group() as tasks:
        for project in ("crm", "outlet"):
            tasks.start_soon(Agent(client, project).ok, "list_voucher_pools")
    begun = sorted(call.at for call in bloomreach.calls)
    assert len(begun) == 6
    assert all(later - earlier >= 0.3 for earlier, later in pairwise(begun))


async def test_a_refused_token_says_what_mends_it(agents: Agents, bloomreach: StandIn) -> None:
    async with agents(token="wrong-token") as agent:
        refusal = await agent.refused("unauthorized", "list_voucher_pools")
    assert f"voucher-mcp login {CRM}" in refusal["error"]
    assert "region" in refusal["error"]
    assert "wrong-token" not in refusal["error"]


async def test_a_cancelled_call_leaves_the_session_in_order(
    agent: Agent, bloomreach: StandIn, pool: str
) -> None:
    await agent.ok("list_voucher_pools")
    bloomreach.fail(Hang(), tool="list_voucher_codes")
    with anyio.move_on_after(SHORT):
        await agent.texts(pool)
    assert len(await agent.texts(pool)) == 3


@pytest.mark.parametrize("stored", [False, True])
async def test_tokens_that_the_vendor_repeats_are_in_no_answer(
    agents: Agents, bloomreach: StandIn, stored: bool
) -> None:
    if stored:
        token = (await signed_in(bloomreach)).access_token.get_secret_value()
    else:
        token = bloomreach.sign_in.issue()
    for fault in (
        ToolFailed(f"invalid token {token}"),
        Refused(f"Boom {token}"),
        RateLimited(3_600, key=token),
    ):
        bloomreach.fail(fault, tool="list_voucher_pools")
    async with agents(token=None if stored else token) as agent:
        for said in ("invalid token ***", "Boom ***", "'***'"):
            error = (await agent.call("list_voucher_pools"))["error"]
            assert said in error
            assert token not in error
