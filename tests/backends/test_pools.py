"""Pools: what is shown of them, and creating, renaming, pausing, extending and deleting them."""

from typing import Any

import anyio
import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("list_voucher_pools", "get_voucher_pool", "create_voucher_pool")


async def test_a_new_project_has_no_pools(agent: Agent) -> None:
    answer = await agent.ok("list_voucher_pools")
    assert (answer["data"], answer["has_more"]) == ([], False)


async def test_the_list_shows_the_id_name_and_counts_of_each_pool(agent: Agent) -> None:
    summer = await agent.new_pool("Summer", codes=["A", "B", "C"])
    winter = await agent.new_pool("Winter")
    await agent.ok("assign_voucher_code", pool_id=summer, customer_id="alice")
    assert (await agent.ok("list_voucher_pools"))["data"] == [
        {"id": summer, "name": "Summer", "total": 3, "available": 2},
        {"id": winter, "name": "Winter", "total": 0, "available": 0},
    ]


async def test_the_list_goes_on_after_a_thousand_pools(agent: Agent) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(1_001):
            tasks.start_soon(agent.new_pool, f"Pool {number}")
    first = await agent.ok("list_voucher_pools")
    rest = await agent.ok("list_voucher_pools", skip=1_000)
    assert (len(first["data"]), first["has_more"]) == (1_000, True)
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    names = {pool["name"] for pool in first["data"] + rest["data"]}
    assert names == {f"Pool {number}" for number in range(1_001)}


@pytest.mark.parametrize("skip", [3, 10**6, 2**63, 2**200])
async def test_skipping_all_pools_leaves_none(agent: Agent, skip: int) -> None:
    await agent.new_pool()
    answer = await agent.call("list_voucher_pools", skip=skip)
    assert answer["data"] == []
    assert answer.get("error_code") in (None, "invalid_input")


async def test_a_pool_adds_the_project_and_what_draws_from_it(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    shown = await agent.pool(pool)
    assert shown.items() >= {"id": pool, "name": "Summer", "total": 1, "available": 1}.items()
    assert shown["company_id"] == "shop"
    assert shown["used_by"] == []


@pytest.mark.parametrize("name", ["Summer", "Été 2026 – 20 %", "camp_1", "x" * 255])
async def test_a_pool_is_found_by_its_exact_name(agent: Agent, name: str) -> None:
    pool = await agent.new_pool(name)
    await agent.new_pool("Another")
    assert (await agent.pool(name))["id"] == pool


@pytest.mark.parametrize("reference", ["summer", "Summe", "Summer ", "Summer%", "*", "camp_0", "v_1"])
async def test_a_pool_is_not_found_by_anything_near_its_name(agent: Agent, reference: str) -> None:
    await agent.new_pool("Summer")
    answer = await agent.refused("not_found", "get_voucher_pool", pool_id=reference)
    assert answer["field"] == "pool_id"


async def test_an_id_wins_over_a_name_that_reads_the_same(agent: Agent) -> None:
    first = await agent.new_pool("First")
    second = await agent.new_pool(first)
    assert (await agent.pool(first))["id"] == first
    assert (await agent.pool(second))["name"] == first


async def test_a_name_is_unique_in_the_project(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    answer = await agent.refused("already_exists", "create_voucher_pool", name="Summer", codes=["B"])
    assert answer["field"] == "name"
    assert await agent.texts(pool) == ["A"]
    assert len((await agent.ok("list_voucher_pools"))["data"]) == 1


@pytest.mark.parametrize("name", [" Summer", "Summer ", "Sum\nmer", "Sum\u200bmer", "x" * 256])
async def test_a_name_that_nobody_could_type_is_refused(agent: Agent, name: str) -> None:
    answer = await agent.refused("invalid_input", "create_voucher_pool", name=name)
    assert answer["field"] == "name"
    assert (await agent.ok("list_voucher_pools"))["data"] == []


async def test_a_pool_that_is_made_with_codes_says_how_many_it_took(agent: Agent) -> None:
    codes = ["A", "A", {"value": "B", "valid_until": "2099-01-01"}, " bad"]
    shown = (await agent.ok("create_voucher_pool", name="Summer", codes=codes))["data"]
    assert (shown["total"], shown["available"], shown["added"], shown["rejected"]) == (2, 2, 2, 2)


async def test_a_pool_is_made_with_generated_codes(agent: Agent) -> None:
    shown = (await agent.ok("create_voucher_pool", name="Summer", generate={"count": 30}))["data"]
    assert (shown["total"], shown["available"], shown["added"]) == (30, 30, 30)
    assert len(set(await agent.texts(shown["id"]))) == 30


async def test_a_pool_is_not_made_where_its_codes_cannot_be_generated(agent: Agent) -> None:
    narrow = {"count": 6, "length": 1, "charset": "numbers"}
    await agent.refused("invalid_input", "create_voucher_pool", name="Summer", generate=narrow)
    assert (await agent.ok("list_voucher_pools"))["data"] == []


async def test_a_wrong_template_is_refused_before_anything_is_made(agent: Agent) -> None:
    wrong = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 101}}
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="Summer", voucher=wrong)
    assert answer["field"] == "voucher.discount.percent_off"
    assert (await agent.ok("list_voucher_pools"))["data"] == []


@pytest.mark.needs("update_voucher_pool")
async def test_a_renamed_pool_goes_by_its_new_name_alone(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    answer = await agent.ok("update_voucher_pool", pool_id="Summer", name="Autumn")
    assert (answer["data"]["id"], answer["data"]["name"], answer["data"]["total"]) == (pool, "Autumn", 1)
    assert (await agent.pool("Autumn"))["id"] == pool
    await agent.refused("not_found", "get_voucher_pool", pool_id="Summer")
    await agent.new_pool("Summer")


@pytest.mark.needs("update_voucher_pool")
async def test_a_pool_is_not_renamed_to_the_name_of_another(agent: Agent) -> None:
    summer, _ = await agent.new_pool("Summer"), await agent.new_pool("Winter")
    await agent.refused("already_exists", "update_voucher_pool", pool_id=summer, name="Winter", active=False)
    assert (await agent.pool(summer))["name"] == "Summer"
    assert (await agent.pool(summer))["active"] is True
    await agent.ok("update_voucher_pool", pool_id=summer, name="Summer")  # its own name it may keep


@pytest.mark.needs("update_voucher_pool", "assign_voucher_code")
async def test_a_paused_pool_assigns_nothing_until_it_is_resumed(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    paused = await agent.ok("update_voucher_pool", pool_id=pool, active=False)
    assert paused["data"]["active"] is False
    await agent.refused("voucher_disabled", "assign_voucher_code", pool_id=pool, customer_id="alice")
    assert (await agent.pool(pool))["available"] == 1
    await agent.ok("update_voucher_pool", pool_id=pool, active=True)
    assert (await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice"))["data"]["code"] == "A"


@pytest.mark.needs("update_voucher_pool", "assign_voucher_code")
async def test_a_pool_that_ended_assigns_nothing_until_it_is_extended(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    ended = await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2020-01-01")
    assert ended["data"]["expiration_date"] == 1577836800.0
    await agent.refused("voucher_expired", "assign_voucher_code", pool_id=pool, customer_id="alice")
    await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2099-01-01")
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")


@pytest.mark.needs("update_voucher_pool")
async def test_an_update_leaves_alone_what_it_does_not_name(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    await agent.ok("update_voucher_pool", pool_id=pool, start_date=1_700_000_000, active=False)
    before = await agent.pool(pool)
    await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2099-01-01")
    assert await agent.pool(pool) == {**before, "expiration_date": 4070908800.0}


@pytest.mark.needs("update_voucher_pool")
async def test_a_pool_cannot_end_before_it_starts(agent: Agent) -> None:
    pool = await agent.new_pool()
    await agent.ok("update_voucher_pool", pool_id=pool, start_date="2026-06-01")
    before = await agent.pool(pool)
    for end in ("2026-05-31", "2026-06-01"):
        answer = await agent.refused(
            "invalid_input", "update_voucher_pool", pool_id=pool, expiration_date=end, name="Never"
        )
        assert answer["field"] == "expiration_date"
    assert await agent.pool(pool) == before


@pytest.mark.needs("update_voucher_pool")
async def test_an_update_of_nothing_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool()
    await agent.refused("invalid_input", "update_voucher_pool", pool_id=pool)


@pytest.mark.needs("delete_voucher_pool")
async def test_a_deleted_pool_is_gone_with_its_codes_and_frees_its_name(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    code_id = (await agent.codes(pool))[0]["id"]
    answer = await agent.ok("delete_voucher_pool", pool_id="Summer")
    assert answer["data"] == {"deleted": 1, "ids": [pool]}
    assert (await agent.ok("list_voucher_pools"))["data"] == []
    for tool in ("get_voucher_pool", "list_voucher_codes", "delete_voucher_pool"):
        for reference in (pool, "Summer"):
            await agent.refused("not_found", tool, pool_id=reference)
    again = await agent.new_pool("Summer")
    assert again != pool
    assert (await agent.pool("Summer"))["total"] == 0
    assert await agent.codes(again, code_ids=["A", "B", code_id]) == []


@pytest.mark.needs("delete_voucher_pool", "add_voucher_codes")
async def test_the_codes_of_a_deleted_pool_stay_taken(agent: Agent) -> None:
    await agent.new_pool("Summer", codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id="Summer")
    again = await agent.new_pool("Summer")
    fates = (await agent.ok("add_voucher_codes", pool_id=again, codes=["A", "B"]))["data"]
    assert [fate["result"] for fate in fates] == ["duplicate", "added"]
    assert await agent.texts(again) == ["B"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update_voucher_pool", {"active": True}),
        ("assign_voucher_code", {"customer_id": "alice"}),
        ("add_voucher_codes", {"codes": ["B"]}),
    ],
)
@pytest.mark.needs("delete_voucher_pool", "update_voucher_pool", "assign_voucher_code", "add_voucher_codes")
async def test_a_deleted_pool_takes_no_writes(agent: Agent, tool: str, arguments: dict[str, Any]) -> None:
    pool = await agent.new_pool(codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id=pool)
    await agent.refused("not_found", tool, pool_id=pool, **arguments)
