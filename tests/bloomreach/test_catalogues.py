"""The vendor's tools under either name: its documents and its live catalogue differ."""

from collections.abc import Callable, Sequence

import pytest

from tests.backends.agent import Agent
from tests.bloomreach.conftest import backend_of
from tests.standins.bloomreach import Expired, StandIn

SUMMER = "Summer"


@pytest.fixture
def summer(bloomreach: StandIn, shop: str) -> str:
    """The id of a pool of 30 codes."""
    bloomreach.data.add_pool(shop, "Winter", 3)
    return bloomreach.data.add_pool(shop, SUMMER, 30, assigned=10, used_by=[{"id": "scenario"}])


def tools(bloomreach: StandIn) -> Sequence[str]:
    return [call.tool for call in bloomreach.calls if "voucher" in call.tool]


def times_listed(bloomreach: StandIn) -> int:
    return sum(request.rpc_method == "tools/list" for request in bloomreach.requests)


CATALOGUES: dict[str, Callable[[StandIn], None]] = {
    "documented": lambda bloomreach: None,
    "live": lambda bloomreach: bloomreach.tools.search_pools(),
    "live, in lists": lambda bloomreach: bloomreach.tools.search_pools(in_list=True),
    "live, in pages": lambda bloomreach: bloomreach.tools.search_pools(pages=True),
    "both": lambda bloomreach: bloomreach.tools.missing.clear(),
}


@pytest.mark.parametrize("catalogue", CATALOGUES)
async def test_pools_and_codes_are_read_under_either_name(
    agent: Agent, bloomreach: StandIn, summer: str, catalogue: str
) -> None:
    CATALOGUES[catalogue](bloomreach)
    listed = (await agent.ok("list_voucher_pools"))["data"]
    assert [(pool["name"], pool["total"]) for pool in listed] == [("Winter", 3), (SUMMER, 30)]
    for reference in (summer, SUMMER):
        pool = await agent.pool(reference)
        assert (pool["id"], pool["available"], pool["used_by"]) == (summer, 20, [{"id": "scenario"}])
    assert len(await agent.texts(SUMMER)) == 30
    await agent.refused("not_found", "get_voucher_pool", pool_id="Autumn")
    searched = "search_voucher_pools" in tools(bloomreach)
    assert searched == catalogue.startswith("live")


async def test_a_search_that_pages_is_read_to_its_end(agent: Agent, bloomreach: StandIn, shop: str) -> None:
    bloomreach.tools.search_pools(pages=True)
    ids = [bloomreach.data.add_pool(shop, f"P{number}") for number in range(1_200)]
    first = await agent.ok("list_voucher_pools")
    rest = await agent.ok("list_voucher_pools", skip=1_000)
    assert [pool["id"] for pool in first["data"] + rest["data"]] == ids


async def test_a_pool_that_vanishes_from_a_search_is_not_found(
    agent: Agent, bloomreach: StandIn, shop: str, summer: str
) -> None:
    bloomreach.tools.search_pools(in_list=True)
    await agent.ok("list_voucher_pools")
    del bloomreach.data.projects[shop].pools[summer]
    await agent.refused("not_found", "get_voucher_pool", pool_id=summer)


async def test_the_tools_are_listed_once_a_session(agent: Agent, bloomreach: StandIn, summer: str) -> None:
    for _ in range(3):
        await agent.pool(SUMMER)
        await agent.texts(SUMMER)
    assert times_listed(bloomreach) == 1
    bloomreach.fail(Expired(), tool="list_voucher_codes")
    await agent.texts(SUMMER)
    await agent.pool(SUMMER)
    assert times_listed(bloomreach) == 2


async def test_a_list_of_tools_in_pages_is_read_to_its_end(
    agent: Agent, bloomreach: StandIn, summer: str
) -> None:
    bloomreach.tools.tools_a_page = 2
    assert (await agent.pool(SUMMER))["id"] == summer
    assert times_listed(bloomreach) == 3


async def test_a_list_of_tools_that_never_ends_cannot_be_read(
    agent: Agent, bloomreach: StandIn, summer: str
) -> None:
    bloomreach.tools.tools_a_page, bloomreach.tools.endless_tools = 2, True
    await agent.refused("upstream_error", "list_voucher_pools")
    assert times_listed(bloomreach) == 2


@pytest.mark.parametrize(
    ("missing", "tool", "named"),
    [
        (
            {"list_voucher_pools", "search_voucher_pools"},
            "list_voucher_pools",
            ["list_voucher_pools", "search_voucher_pools"],
        ),
        (
            {"get_voucher_pool", "search_voucher_pools"},
            "get_voucher_pool",
            ["get_voucher_pool", "search_voucher_pools"],
        ),
        ({"list_voucher_codes"}, "list_voucher_codes", ["list_voucher_codes"]),
    ],
)
async def test_what_a_catalogue_lacks_is_said(
    agent: Agent, bloomreach: StandIn, summer: str, missing: set[str], tool: str, named: list[str]
) -> None:
    bloomreach.tools.missing = missing
    arguments = {} if tool == "list_voucher_pools" else {"pool_id": summer}
    refusal = await agent.refused("upstream_error", tool, **arguments)
    assert all(name in refusal["error"] for name in named)
    assert "operator" in refusal["error"]
    assert tool not in tools(bloomreach)


async def test_tools_that_are_renamed_while_a_session_lasts_are_found_again(
    agent: Agent, bloomreach: StandIn, summer: str
) -> None:
    await agent.pool(SUMMER)
    bloomreach.tools.search_pools()
    assert (await agent.pool(SUMMER))["used_by"] == [{"id": "scenario"}]
    bloomreach.tools.missing = {"get_voucher_pool", "search_voucher_pools"}
    await agent.refused("upstream_error", "get_voucher_pool", pool_id=SUMMER)


async def test_an_export_and_a_check_use_what_is_there(bloomreach: StandIn, summer: str) -> None:
    bloomreach.tools.search_pools()
    async with backend_of(bloomreach, token=bloomreach.sign_in.issue()) as backend:
        assert "2 pools" in await backend.check()
        assert len([code async for batch in backend.export_codes(SUMMER, None) for code in batch]) == 30
