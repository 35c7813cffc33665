"""What completes a pool's name, on every system, and what it costs there."""

import pytest
from mcp.types import ResourceTemplateReference

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT, System

POOL = ResourceTemplateReference(uri="voucher://{project_id}/pool/{pool_id}")


@pytest.mark.needs("get_voucher_pool")
async def test_a_pool_is_completed_with_one_cheap_request(agent: Agent, system: System) -> None:
    for name in ("Winter", "Summer", "Late summer"):
        await agent.new_pool(name)
    await agent.data("list_voucher_pools")  # signs in where that is needed
    asked = system.asked()
    found = await agent.client.complete(POOL, {"name": "pool_id", "value": "summ"}, {"project_id": PROJECT})
    assert found.completion.values == ["Summer", "Late summer"]
    assert (found.completion.total, found.completion.has_more) == (2, False)
    assert system.asked() - asked <= 1
