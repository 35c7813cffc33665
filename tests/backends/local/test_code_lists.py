"""What only the embedded engine promises of the codes of a pool: their times, their owner and their order."""

from collections.abc import AsyncIterator

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


async def test_a_new_code_shows_nothing_else(agent: Agent) -> None:
    (code,) = await agent.codes(await agent.new_pool(codes=["A"]))
    assert isinstance(code.pop("id"), str)
    assert code == {"code": "A", "status": "available", "assigned_time": None, "redeemed_time": None}


async def test_an_assigned_code_shows_when_and_to_whom(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    with time_machine.travel(NOON, tick=False):
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    (code,) = await agent.codes(pool)
    assert (code["status"], code["assigned_time"], code["redeemed_time"]) == ("assigned", NOON, None)
    assert code["customer_id"] == "alice"


async def test_deleted_is_no_status_that_codes_have(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=pool, status="deleted")
    assert answer["field"] == "status"


async def test_codes_come_in_the_order_of_adding_however_they_are_named(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C", "D"])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["D", "B", "A"])
    assert [code["code"] for code in answer["data"]] == ["A", "B", "D"]


async def test_a_window_shows_codes_in_the_order_of_their_last_change(agent: Agent) -> None:
    with time_machine.travel(NOON, tick=False):
        pool = await agent.new_pool(codes=["A", "B", "C"])
    with time_machine.travel(NOON + 180, tick=False):
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    assert await agent.texts(pool, updated_after=NOON) == ["B", "C", "A"]
    assert await agent.texts(pool, updated_after=NOON, status="available") == ["B", "C"]
    assert await agent.texts(pool, updated_after=NOON, skip=1, count=2) == ["C", "A"]
