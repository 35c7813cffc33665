"""What only the embedded engine promises of handing out codes: whose it is, and that it works today."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.backends.opening import connect, local_table
from tests.databases.database import Database
from tests.support import held

NOON = 1_780_315_200.0  # 2026-06-01T12:00:00Z


@pytest.fixture
async def agent(database: Database) -> AsyncIterator[Agent]:
    async with held(connect(shop=local_table(database))) as client:
        yield Agent(client, "shop")


async def assign(agent: Agent, pool: str, customer: str = "alice") -> dict[str, Any]:
    answer = await agent.ok("assign_voucher_code", pool_id=pool, customer_id=customer)
    data: dict[str, Any] = answer["data"]
    return data


@pytest.mark.parametrize("customer", ["alice@example.com", "客户", "x" * 255, "0"])
async def test_a_code_shows_the_customer_as_the_caller_named_it(agent: Agent, customer: str) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    for _ in range(2):
        await assign(agent, pool, customer)
    assert [code["customer_id"] for code in await agent.codes(pool)] == [customer, customer]


async def test_expired_codes_are_passed_over_but_still_counted_as_available(agent: Agent) -> None:
    codes: list[Any] = [
        {"value": "A", "valid_until": NOON - 0.001},
        {"value": "B", "valid_until": NOON},
        {"value": "C", "valid_until": NOON + 3600},
        {"value": "D", "valid_until": NOON - 3600},
    ]
    pool = await agent.new_pool(codes=codes)
    with time_machine.travel(NOON, tick=False):
        assert [(await assign(agent, pool))["code"] for _ in range(2)] == ["B", "C"]
        answer = await agent.refused("pool_exhausted", "assign_voucher_code", pool_id=pool, customer_id="bob")
    assert "2 available" in answer["error"]
    assert (await agent.pool(pool))["available"] == 2
