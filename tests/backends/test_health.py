"""The health of pools on every system: what it tells, and null for what it does not."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.traits import traits_of

pytestmark = pytest.mark.needs("get_pool_health")

_FIELDS = {
    *("id", "name", "total", "available", "used_per_day", "runs_out"),
    *("expiring", "outstanding", "warnings"),
}


async def health(agent: Agent, **arguments: Any) -> list[dict[str, Any]]:
    found = (await agent.ok("get_pool_health", **arguments))["data"]
    assert all(pool.keys() - {"unit"} == _FIELDS for pool in found)
    return list(found)


async def test_a_project_without_pools_has_nothing_to_tell(agent: Agent) -> None:
    answer = await agent.ok("get_pool_health")
    assert (answer["data"], answer["has_more"]) == ([], False)


async def test_each_pool_is_told_of_and_nothing_is_guessed(agent: Agent, backend: str) -> None:
    names = {
        await agent.new_pool("Summer", codes=["A", "B", "C"]): "Summer",
        await agent.new_pool("冬" * 50): "",
    }
    shown = await health(agent)
    assert {pool["id"] for pool in shown} == names.keys()
    summer = next(pool for pool in shown if pool["name"] == "Summer")
    assert (summer["total"], summer["available"]) == (
        (3, 3) if "counts" in traits_of(backend) else (None, None)
    )
    assert summer["runs_out"] is None
    assert summer["used_per_day"] in (None, 0.0)
    assert summer["warnings"] == []


async def test_one_pool_is_found_by_its_id_or_name(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B", "C"])
    await agent.new_pool("Winter")
    for reference in (pool, "Summer"):
        (shown,) = await health(agent, pool_id=reference, days=7)
        assert (shown["id"], shown["total"]) == (pool, 3)


async def test_an_unknown_pool_and_days_out_of_range_are_refused(agent: Agent) -> None:
    await agent.refused("not_found", "get_pool_health", pool_id="nobody's")
    await agent.refused("invalid_input", "get_pool_health", days=0)


@pytest.mark.needs("assign_voucher_code")
async def test_codes_that_were_given_out_are_not_available(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"])
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    (shown,) = await health(agent)
    assert (shown["total"], shown["available"]) == (3, 2)
