"""What only the embedded engine promises of pools."""

from tests.backends.agent import Agent
from tests.backends.opening import connect, local_table
from tests.databases.database import Database
from tests.support import held


async def test_a_name_may_have_255_characters(database: Database) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        pool = await agent.new_pool("x" * 255)
        assert (await agent.pool("x" * 255))["id"] == pool


async def test_a_pool_with_the_name_of_a_deleted_one_has_none_of_its_codes(
    database: Database,
) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        pool = await agent.new_pool("Summer", codes=["A", "B"])
        code_id = (await agent.codes(pool))[0]["id"]
        await agent.ok("delete_voucher_pool", pool_id=pool)
        again = await agent.new_pool("Summer")
        assert await agent.codes(again, code_ids=["A", "B", code_id]) == []
        fates = (await agent.ok("add_voucher_codes", pool_id=again, codes=["A", "B", "C"]))["data"]
        assert [fate["result"] for fate in fates] == ["duplicate", "duplicate", "added"]
