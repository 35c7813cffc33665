"""Several projects and several servers on one database."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.backends.agent import Agent
from tests.backends.opening import Table, connect, local_table
from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database, NewDatabase, rows
from tests.support import held


@pytest.fixture
async def pair(database: Database) -> AsyncIterator[tuple[Agent, Agent]]:
    """Agents of two projects of one server, on one database."""
    async with held(connect(red=local_table(database), blue=local_table(database))) as client:
        yield Agent(client, "red"), Agent(client, "blue")


async def test_projects_in_one_database_do_not_see_each_others_pools(pair: tuple[Agent, Agent]) -> None:
    red, blue = pair
    pool = await red.new_pool("Summer", codes=["A"])
    assert (await blue.ok("list_voucher_pools"))["data"] == []
    for reference in (pool, "Summer"):
        await blue.refused("not_found", "get_voucher_pool", pool_id=reference)
        await blue.refused("not_found", "list_voucher_codes", pool_id=reference)
        await blue.refused("not_found", "delete_voucher_pool", pool_id=reference)
        await blue.refused("not_found", "assign_voucher_code", pool_id=reference, customer_id="eve")
    assert await red.texts(pool, status="available") == ["A"]


async def test_projects_in_one_database_may_use_the_same_names_codes_and_keys(
    pair: tuple[Agent, Agent],
) -> None:
    for agent in pair:
        pool = await agent.new_pool("Summer", idempotency_key="k1")
        added = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"], idempotency_key="k2")
        assert (added["added"], "replayed" in added) == (2, False)
        assigned = await agent.ok("assign_voucher_code", pool_id=pool, customer_id="x", idempotency_key="k3")
        assert assigned["data"]["code"] == "A"
    shown = [await agent.pool("Summer") for agent in pair]
    assert [pool["company_id"] for pool in shown] == ["red", "blue"]
    assert shown[0]["id"] != shown[1]["id"]


async def test_an_id_of_one_project_means_nothing_in_another(pair: tuple[Agent, Agent]) -> None:
    red, blue = pair
    for agent in pair:
        await agent.new_pool("Summer", codes=["A", "B"])
    (code, _), (own, _) = await red.codes("Summer"), await blue.codes("Summer")
    assert code["id"] != own["id"]
    assert await blue.codes("Summer", code_ids=[code["id"]]) == []
    await blue.refused("invalid_input", "delete_voucher_codes", pool_id="Summer", code_ids=[code["id"]])
    await blue.ok("delete_voucher_codes", pool_id="Summer", code_ids=["A"])
    assert await red.texts("Summer") == ["A", "B"]


async def test_an_id_of_another_database_means_nothing(databases: NewDatabase) -> None:
    with databases() as one, databases() as two:
        tables = {"red": local_table(one), "blue": local_table(two)}
        await _look_for_ids_of_another(tables)


async def _look_for_ids_of_another(tables: dict[str, Table]) -> None:
    async with held(connect(**tables)) as client:
        agents = [Agent(client, name) for name in tables]
        ids = []
        for agent in agents:  # each code is the first of its database
            await agent.new_pool("Summer", codes=["A"])
            ids += [code["id"] for code in await agent.codes("Summer")]
        assert await agents[1].codes("Summer", code_ids=ids[:1]) == []
        assert await agents[1].texts("Summer", code_ids=ids) == ["A"]


async def test_ids_and_codes_outlive_the_server(database: Database) -> None:
    seen: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for _ in range(2):
        async with held(connect(red=local_table(database))) as client:
            agent = Agent(client, "red")
            if not seen:
                await agent.new_pool("Summer", codes=["A", "B"])
            seen.append((await agent.pool("Summer"), await agent.codes("Summer")))
    assert seen[0] == seen[1]


async def test_two_servers_in_one_process_share_a_database(database: Database) -> None:
    taken: list[str] = []

    async def take(agent: Agent, number: int) -> None:
        answer = await agent.ok("assign_voucher_code", pool_id="Summer", customer_id=f"customer {number}")
        taken.append(answer["data"]["code"])

    async with (
        held(connect(shop=local_table(database))) as one,
        held(connect(shop=local_table(database))) as two,
    ):
        agents = Agent(one, "shop"), Agent(two, "shop")
        await agents[0].new_pool("Summer", generate={"count": 60})
        async with anyio.create_task_group() as tasks:
            for number in range(60):
                tasks.start_soon(take, agents[number % 2], number)
        assert [(await agent.pool("Summer"))["available"] for agent in agents] == [0, 0]
        assert sorted(taken) == sorted(await agents[1].texts("Summer", status="assigned"))
    assert len(set(taken)) == 60
    assert_counters_equal_rows(database)


async def test_a_key_is_known_to_every_server_on_the_database(database: Database) -> None:
    call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
    async with (
        held(connect(shop=local_table(database))) as one,
        held(connect(shop=local_table(database))) as two,
    ):
        await Agent(one, "shop").new_pool("Summer", codes=["A", "B"])
        first = await Agent(one, "shop").ok("assign_voucher_code", **call)
        assert await Agent(two, "shop").ok("assign_voucher_code", **call) == {**first, "replayed": True}


async def test_every_write_leaves_one_line_in_the_audit_and_so_does_every_refusal(database: Database) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        await agent.new_pool("Summer", codes=["A", "B"])
        call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
        for _ in range(3):
            await agent.ok("assign_voucher_code", **call)
        await agent.refused("not_found", "delete_voucher_pool", pool_id="Winter")
        await agent.ok("delete_voucher_pool", pool_id="Summer", dry_run=True)
        await agent.ok("list_voucher_pools")
    lines = rows(database, "SELECT tool, key, outcome FROM audit ORDER BY n")
    assert lines == [
        ("create_voucher_pool", None, "success"),
        ("assign_voucher_code", "k1", "success"),
        ("delete_voucher_pool", None, "not_found"),
    ]
