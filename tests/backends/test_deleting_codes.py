"""Deleting codes: by id or code, all of them or none."""

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("create_voucher_pool", "delete_voucher_codes")


async def test_codes_are_deleted_by_id_or_code(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"])
    ids = {code["code"]: code["id"] for code in await agent.codes(pool)}
    answer = await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=[ids["A"], "C"])
    assert answer["data"] == agent.deletion(ids["A"], ids["C"])
    assert await agent.texts(pool) == ["B"]
    await agent.expect_counts(pool, total=1, available=1)


async def test_a_code_that_is_named_twice_is_deleted_once(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    code_id = (await agent.codes(pool))[0]["id"]
    answer = await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A", code_id, "A"])
    assert answer["data"] == agent.deletion(code_id)
    assert (await agent.pool(pool))["total"] == 1


async def test_one_that_is_not_of_the_pool_keeps_all(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    await agent.new_pool("Other", codes=["OTHER"])
    for reference in ("OTHER", "NONE", "", 7):
        answer = await agent.refused(
            "invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["A", reference, "B"]
        )
        assert answer["field"].startswith("code_ids")
    assert await agent.texts(pool) == ["A", "B"]
    assert (await agent.pool("Other"))["total"] == 1


async def test_an_id_of_another_pool_keeps_all(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    other = await agent.new_pool("Other", codes=["B"])
    (code,) = await agent.codes(other)
    await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["A", code["id"]])
    assert [await agent.texts(name) for name in (pool, other)] == [["A"], ["B"]]


async def test_a_deleted_code_cannot_be_deleted_again(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    (code_id,) = (await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"]))["data"]["ids"]
    for reference in ("A", code_id):
        await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["B", reference])
    assert await agent.texts(pool) == ["B"]


@pytest.mark.needs("add_voucher_codes")
async def test_codes_deleted_by_force_are_free_again(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    before = (await agent.codes(pool))[0]["id"]
    answer = await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"], force=True)
    assert answer["data"] == agent.deletion(before, force=True)
    (fate,) = (await agent.ok("add_voucher_codes", pool_id=pool, codes=["A"]))["data"]
    assert (fate["result"], fate["id"] == before) == ("added", False)
    assert sorted(await agent.texts(pool)) == ["A", "B"]


@pytest.mark.parametrize("code_ids", [[], [f"CODE-{number}" for number in range(1_001)]])
async def test_from_one_to_a_thousand_codes_a_call(agent: Agent, code_ids: list[str]) -> None:
    pool = await agent.new_pool(codes=["A"])
    answer = await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=code_ids)
    assert answer["field"] == "code_ids"


@pytest.mark.needs("assign_voucher_code")
async def test_assigned_codes_are_deleted_and_counted_right(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"])
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A", "B"])
    shown = await agent.pool(pool)
    assert (shown["total"], shown["available"]) == (1, 1)
    assert await agent.texts(pool, status="assigned") == []
