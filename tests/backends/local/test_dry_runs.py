"""On the embedded engine a dry run is undone to the last row."""

import pytest

from tests.backends.agent import Agent
from tests.backends.dry_runs import CALLS, REFUSED, make_summer
from tests.backends.opening import connect, local_table
from tests.databases.database import Database, dump
from tests.support import held


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [*CALLS.items(), *((tool, arguments) for tool, _, arguments in REFUSED)],
)
async def test_a_dry_run_leaves_the_whole_database_as_it_was(
    database: Database, tool: str, arguments: dict[str, object]
) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        await make_summer(agent)
        before = dump(database)
        await agent.call(tool, **arguments, dry_run=True)
        assert dump(database) == before
        if (tool, arguments) in CALLS.items():
            await agent.ok(tool, **arguments)
            assert dump(database) != before


async def test_a_dry_run_in_a_new_project_leaves_the_database_empty(database: Database) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        await agent.ok("list_voucher_pools")
        before = dump(database)
        answer = await agent.ok("create_voucher_pool", name="Summer", codes=["A"], dry_run=True)
        assert (answer["data"]["total"], answer["dry_run"]) == (1, True)
        assert dump(database) == before


async def test_a_refused_call_leaves_all_but_the_audit_trail_as_it_was(database: Database) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        await make_summer(agent)
        before = dump(database)
        for tool, error_code, arguments in REFUSED:
            await agent.refused(error_code, tool, **arguments)
        assert {**dump(database), "audit": None} == {**before, "audit": None}
