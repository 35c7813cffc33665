"""The vendor's project: configured, or the only one that the account sees."""

from tests.bloomreach.conftest import CRM, Agents
from tests.standins.bloomreach import StandIn


async def test_the_only_project_is_found_once(agents: Agents, bloomreach: StandIn, shop: str) -> None:
    bloomreach.data.add_organization("Empty")
    bloomreach.data.add_pool(shop, "Summer")
    async with agents() as agent:
        for pool in ("Summer", "Winter"):
            await agent.call("get_voucher_pool", pool_id=pool)
    tools = [call.tool for call in bloomreach.calls]
    assert tools[:3] == ["list_cloud_organizations", "list_projects", "list_projects"]
    assert tools.count("list_projects") == 2
    assert {call.arguments["project_id"] for call in bloomreach.calls[3:]} == {shop}


async def test_a_configured_project_is_not_looked_for(agents: Agents, bloomreach: StandIn, shop: str) -> None:
    other = bloomreach.data.add_project("Other")
    async with agents(upstream_project_id=other) as agent:
        assert (await agent.ok("list_voucher_pools"))["data"] == []
    assert [call.tool for call in bloomreach.calls] == ["list_voucher_pools"]


async def test_of_several_projects_none_is_guessed(agents: Agents, bloomreach: StandIn, shop: str) -> None:
    outlet = bloomreach.data.add_project("Outlet", bloomreach.data.add_organization("Sister"))
    async with agents() as agent:
        refusal = await agent.refused("invalid_input", "list_voucher_pools")
    for word in (f'"Shop" ("{shop}")', f'"Outlet" ("{outlet}")', "`upstream_project_id`", CRM):
        assert word in refusal["error"]


async def test_an_account_without_projects_says_so(agents: Agents, bloomreach: StandIn) -> None:
    async with agents() as agent:
        await agent.refused("not_found", "list_voucher_pools")


async def test_among_many_organizations_none_is_passed_over(
    agents: Agents, bloomreach: StandIn, shop: str
) -> None:
    for number in range(20):
        bloomreach.data.add_organization(f"Sister {number}")
    async with agents() as agent:
        refusal = await agent.refused("invalid_input", "list_voucher_pools")
    assert "21 organizations" in refusal["error"]
    assert "`upstream_project_id`" in refusal["error"]
    assert len(bloomreach.calls) == 1


async def test_a_project_that_is_gone_is_looked_for_again(
    agents: Agents, bloomreach: StandIn, shop: str
) -> None:
    summer = bloomreach.data.add_pool(shop, "Summer")
    async with agents() as agent:
        await agent.ok("list_voucher_pools")
        del bloomreach.data.projects[shop]
        winter = bloomreach.data.add_pool(bloomreach.data.add_project("Outlet"), "Winter")
        await agent.refused("not_found", "list_voucher_codes", pool_id=summer)
        assert [pool["id"] for pool in (await agent.ok("list_voucher_pools"))["data"]] == [winter]
