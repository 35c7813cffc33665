"""A dry run answers what the real call would, and changes nothing."""

from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.backends.dry_runs import CALLS, REFUSED, make_summer

pytestmark = pytest.mark.needs("create_voucher_pool", "list_voucher_codes", "get_voucher_pool")


async def everything(agent: Agent) -> dict[str, Any]:
    """What an agent can see of the project."""
    pools = (await agent.ok("list_voucher_pools"))["data"]
    return {
        pool["id"]: (await agent.pool(pool["id"]), await agent.codes(pool["id"], updated_after=0))
        for pool in pools
    }


@pytest.fixture
async def summer(agent: Agent) -> Agent:
    await make_summer(agent)
    return agent


@pytest.mark.parametrize("tool", CALLS)
async def test_a_dry_run_answers_like_the_call_and_changes_nothing(summer: Agent, tool: str) -> None:
    before = await everything(summer)
    with time_machine.travel(1_780_315_200, tick=False):
        dry = await summer.ok(tool, **CALLS[tool], dry_run=True)
        assert await everything(summer) == before
        real = await summer.ok(tool, **CALLS[tool])
    assert dry.pop("dry_run") is True
    if tool == "create_voucher_pool":  # a new pool's id is not known before
        assert dry["data"].pop("id") != real["data"].pop("id")
    assert dry == real
    assert await everything(summer) != before


@pytest.mark.parametrize(("tool", "error_code", "arguments"), REFUSED)
async def test_a_dry_run_is_refused_where_the_call_would_be(
    summer: Agent, tool: str, error_code: str, arguments: dict[str, Any]
) -> None:
    before = await everything(summer)
    dry = await summer.refused(error_code, tool, **arguments, dry_run=True)
    assert await summer.refused(error_code, tool, **arguments) == dry
    assert await everything(summer) == before


@pytest.mark.needs("add_voucher_codes")
async def test_a_dry_run_of_generating_says_how_many_there_would_be(summer: Agent) -> None:
    before = await everything(summer)
    answer = await summer.ok("add_voucher_codes", pool_id="Summer", generate={"count": 300}, dry_run=True)
    assert (answer["added"], answer["dry_run"], len(answer["data"])) == (300, True, 100)
    assert await everything(summer) == before


@pytest.mark.needs("assign_voucher_code")
async def test_a_dry_run_does_not_touch_its_key(summer: Agent) -> None:
    call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
    for _ in range(2):
        assert "replayed" not in await summer.ok("assign_voucher_code", **call, dry_run=True)
    assert "replayed" not in await summer.ok("assign_voucher_code", **call)
    dry = await summer.ok("assign_voucher_code", **call, dry_run=True)
    assert (dry["data"]["code"], "replayed" in dry) == ("C", False)  # what a new key would do
    assert (await summer.ok("assign_voucher_code", **call))["data"]["code"] == "B"


@pytest.mark.needs("add_voucher_codes")
async def test_a_dry_run_takes_no_code_from_anyone(summer: Agent) -> None:
    await summer.ok("add_voucher_codes", pool_id="Summer", codes=["X"], dry_run=True)
    answer = await summer.ok("add_voucher_codes", pool_id="Empty", codes=["X"])
    assert answer["added"] == 1
