"""Pools: what is shown of them, and creating, renaming, pausing, extending and deleting them."""

import json
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from tests.backends.agent import Agent
from tests.backends.opening import System
from tests.backends.traits import traits_of

pytestmark = pytest.mark.needs("list_voucher_pools", "get_voucher_pool")

_ROW = {"id", "name", "total", "available", "assigned", "redeemed", "active", "expiration_date"}

needs_creating = pytest.mark.needs("create_voucher_pool")


async def test_a_new_project_has_no_pools(agent: Agent) -> None:
    answer = await agent.ok("list_voucher_pools")
    assert (answer["data"], answer["has_more"]) == ([], False)


async def test_the_list_shows_the_id_name_and_counts_of_each_pool(agent: Agent, backend: str) -> None:
    traits = traits_of(backend)
    summer = await agent.new_pool("Summer", codes=["A", "B", "C"])
    winter = await agent.new_pool("Winter")
    listed = (await agent.ok("list_voucher_pools"))["data"]
    counts = [(3, 3), (0, 0)] if "counts" in traits else [(None, None)] * 2
    assert all(row.keys() == _ROW for row in listed)
    listed = [{name: row[name] for name in ("id", "name", "total", "available")} for row in listed]
    pools = [(summer, "Summer"), (winter, "Winter")]
    assert (listed if "ordered" in traits else listed[::-1]) == [
        {"id": pool, "name": name, "total": total, "available": available}
        for (pool, name), (total, available) in zip(pools, counts, strict=True)
    ]


@pytest.mark.needs("assign_voucher_code")
async def test_the_list_counts_what_is_left(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"])
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    (listed,) = (await agent.ok("list_voucher_pools"))["data"]
    assert (listed["total"], listed["available"]) == (3, 2)


async def test_the_list_goes_on_after_a_thousand_pools(agent: Agent, system: System) -> None:
    names = [f"Pool {number}" for number in range(1_001)]
    async with anyio.create_task_group() as tasks:
        for name in names:
            if system.put_pool is None:
                tasks.start_soon(agent.new_pool, name)
            else:
                system.put_pool(name, ())
    first = await agent.ok("list_voucher_pools")
    rest = await agent.ok("list_voucher_pools", skip=1_000)
    assert (len(first["data"]), first["has_more"]) == (1_000, True)
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    assert sorted(pool["name"] for pool in first["data"] + rest["data"]) == sorted(names)


async def test_skipping_all_pools_leaves_none(agent: Agent) -> None:
    await agent.new_pool()
    for skip in (3, 10**6, 2**63, 2**200):
        answer = await agent.call("list_voucher_pools", skip=skip)
        assert answer["data"] == []
        assert answer.get("error_code") in (None, "invalid_input")


async def test_a_pool_adds_the_project_and_what_draws_from_it(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    shown = await agent.pool(pool)
    assert (shown["id"], shown["name"], shown["company_id"]) == (pool, "Summer", "shop")
    await agent.expect_counts(pool, total=1, available=1)
    assert shown["used_by"] == []


@pytest.mark.parametrize(
    "names",
    [
        ("Summer", "Été 2026 – 20 %", "camp_1", "x" * 128, "A/B c?#%v", "../vouchers"),
        pytest.param((".", ".."), marks=pytest.mark.needs("dots")),
    ],
)
async def test_a_pool_is_found_by_its_exact_name(agent: Agent, names: Sequence[str]) -> None:
    pools = {name: await agent.new_pool(name) for name in names}
    for name, pool in pools.items():
        assert (await agent.pool(name))["id"] == pool


async def test_a_pool_is_not_found_by_anything_near_its_name(agent: Agent) -> None:
    await agent.new_pool("Summer")
    for reference in ("summer", "Summe", "Summer%", "*", "camp_0", "v_1", "Summer/", "./Summer"):
        answer = await agent.refused("not_found", "get_voucher_pool", pool_id=reference)
        assert answer["field"] == "pool_id"


async def test_a_pool_is_found_as_its_name_and_id_are_pasted(agent: Agent) -> None:
    pool = await agent.new_pool("Summer")
    for reference in ("Summer ", "\u00a0Summer\n", f" {pool}\t"):
        assert (await agent.pool(reference))["id"] == pool


async def test_an_id_wins_over_a_name_that_reads_the_same(agent: Agent) -> None:
    first = await agent.new_pool("First")
    second = await agent.new_pool(first)
    assert (await agent.pool(first))["id"] == first
    assert (await agent.pool(second))["name"] == first


@needs_creating
async def test_a_name_is_unique_in_the_project(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    answer = await agent.refused("already_exists", "create_voucher_pool", name="Summer", codes=["B"])
    assert answer["field"] == "name"
    assert await agent.texts(pool) == ["A"]
    assert len((await agent.ok("list_voucher_pools"))["data"]) == 1


@needs_creating
async def test_a_name_that_nobody_could_type_is_refused(agent: Agent) -> None:
    for name in (" Summer", "Summer ", "Sum\nmer", "Sum\u200bmer", "x" * 256):
        answer = await agent.refused("invalid_input", "create_voucher_pool", name=name)
        assert answer["field"] == "name"
    assert (await agent.ok("list_voucher_pools"))["data"] == []


@needs_creating
async def test_a_pool_that_is_made_with_codes_says_how_many_it_took(agent: Agent) -> None:
    codes = ["A", "A", {"value": "B", "valid_until": "2099-01-01"}, " bad"]
    shown = (await agent.ok("create_voucher_pool", name="Summer", codes=codes))["data"]
    assert (shown["total"], shown["added"], shown["rejected"]) == (2, 2, 2)
    await agent.expect_counts(shown["id"], total=2, available=2)
    assert await agent.pool("Summer") == {k: v for k, v in shown.items() if k not in ("added", "rejected")}


@needs_creating
async def test_a_pool_is_made_with_generated_codes(agent: Agent) -> None:
    shown = (await agent.ok("create_voucher_pool", name="Summer", generate={"count": 30}))["data"]
    assert (shown["total"], shown["added"]) == (30, 30)
    await agent.expect_counts(shown["id"], total=30, available=30)
    assert len(set(await agent.texts(shown["id"]))) == 30


@needs_creating
async def test_a_pool_is_not_made_where_its_codes_cannot_be_generated(agent: Agent) -> None:
    narrow = {"count": 6, "length": 1, "charset": "numbers"}
    await agent.refused("invalid_input", "create_voucher_pool", name="Summer", generate=narrow)
    assert (await agent.ok("list_voucher_pools"))["data"] == []


@pytest.mark.needs("create_voucher_pool", "terms")
async def test_a_wrong_template_is_refused_before_anything_is_made(agent: Agent) -> None:
    wrong = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 101}}
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="Summer", voucher=wrong)
    assert answer["field"] == "voucher.discount.percent_off"
    assert (await agent.ok("list_voucher_pools"))["data"] == []


@pytest.mark.needs("update_voucher_pool", "renames")
async def test_a_renamed_pool_goes_by_its_new_name_alone(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    answer = await agent.ok("update_voucher_pool", pool_id="Summer", name="Autumn")
    assert (answer["data"]["id"], answer["data"]["name"], answer["data"]["total"]) == (pool, "Autumn", 1)
    assert (await agent.pool("Autumn"))["id"] == pool
    await agent.refused("not_found", "get_voucher_pool", pool_id="Summer")
    await agent.new_pool("Summer")


@pytest.mark.needs("update_voucher_pool", "renames")
async def test_a_pool_is_not_renamed_to_the_name_of_another(agent: Agent, backend: str) -> None:
    summer, _ = await agent.new_pool("Summer"), await agent.new_pool("Winter")
    pause = {"active": False} if "terms" in traits_of(backend) else {}
    await agent.refused("already_exists", "update_voucher_pool", pool_id=summer, name="Winter", **pause)
    assert (await agent.pool(summer))["name"] == "Summer"
    assert (await agent.pool(summer))["active"] is True
    await agent.ok("update_voucher_pool", pool_id=summer, name="Summer")  # its own name it may keep


@pytest.mark.needs("update_voucher_pool")
async def test_what_cannot_be_changed_of_a_pool_is_refused_and_nothing_else_is_changed(
    agent: Agent, backend: str
) -> None:
    pool = await agent.new_pool("Summer")
    before = await agent.pool(pool)
    everything = {
        "name": "Autumn",
        "active": False,
        "start_date": "2026-01-01",
        "expiration_date": "2099-01-01",
    }
    can = traits_of(backend)
    unserved = {
        field: value
        for field, value in everything.items()
        if ("renames" if field == "name" else "terms") not in can
    }
    for field, value in unserved.items():
        answer = await agent.refused("unsupported", "update_voucher_pool", pool_id=pool, **{field: value})
        assert answer["field"] == field
        await agent.refused("unsupported", "update_voucher_pool", pool_id=pool, **everything)
    assert await agent.pool(pool) == before


@pytest.mark.needs("update_voucher_pool", "terms", "assign_voucher_code")
async def test_a_paused_pool_assigns_nothing_until_it_is_resumed(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    paused = await agent.ok("update_voucher_pool", pool_id=pool, active=False)
    assert paused["data"]["active"] is False
    await agent.refused("voucher_disabled", "assign_voucher_code", pool_id=pool, customer_id="alice")
    assert (await agent.pool(pool))["available"] == 1
    await agent.ok("update_voucher_pool", pool_id=pool, active=True)
    assert (await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice"))["data"]["code"] == "A"


@pytest.mark.needs("update_voucher_pool", "terms", "assign_voucher_code")
async def test_a_pool_that_ended_assigns_nothing_until_it_is_extended(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    ended = await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2020-01-01")
    assert ended["data"]["expiration_date"] == 1577923199.999
    await agent.refused("voucher_expired", "assign_voucher_code", pool_id=pool, customer_id="alice")
    await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2099-01-01")
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")


@pytest.mark.needs("update_voucher_pool", "terms")
async def test_an_update_leaves_alone_what_it_does_not_name(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    await agent.ok("update_voucher_pool", pool_id=pool, start_date=1_700_000_000, active=False)
    before = await agent.pool(pool)
    await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2099-01-01")
    assert await agent.pool(pool) == {**before, "expiration_date": 4070995199.999}


@pytest.mark.needs("update_voucher_pool", "terms")
async def test_a_pool_cannot_end_before_it_starts(agent: Agent) -> None:
    pool = await agent.new_pool()
    await agent.ok("update_voucher_pool", pool_id=pool, start_date="2026-06-01")
    before = await agent.pool(pool)
    for end in ("2026-05-31", "2026-06-01T00:00Z"):
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
async def test_a_deleted_pool_is_gone_with_its_codes(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    code_id = (await agent.codes(pool))[0]["id"]
    answer = await agent.ok("delete_voucher_pool", pool_id="Summer")
    assert answer["data"] == agent.deletion(pool)
    assert (await agent.ok("list_voucher_pools"))["data"] == []
    for tool in ("get_voucher_pool", "list_voucher_codes", "delete_voucher_pool"):
        for reference in (pool, "Summer"):
            await agent.refused("not_found", tool, pool_id=reference)
    other = await agent.new_pool("Winter")
    assert await agent.codes(other, code_ids=["A", "B", code_id]) == []


@pytest.mark.needs("delete_voucher_pool", "frees_names")
async def test_a_deleted_pool_frees_its_name(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id="Summer")
    again = await agent.new_pool("Summer")
    assert again != pool
    assert (await agent.pool("Summer"))["total"] == 0
    assert await agent.codes(again, code_ids=["A"]) == []


@pytest.mark.needs("delete_voucher_pool", "add_voucher_codes", "remembers")
async def test_the_codes_of_a_deleted_pool_stay_taken(agent: Agent) -> None:
    await agent.new_pool("Summer", codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id="Summer")
    again = await agent.new_pool("Winter")
    fates = (await agent.ok("add_voucher_codes", pool_id=again, codes=["A", "B"]))["data"]
    assert [fate["result"] for fate in fates] == ["duplicate", "added"]
    assert await agent.texts(again) == ["B"]


@pytest.mark.needs("delete_voucher_pool", "add_voucher_codes")
async def test_the_codes_of_a_pool_deleted_by_force_are_free_again(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    answer = await agent.ok("delete_voucher_pool", pool_id="Summer", force=True)
    assert answer["data"] == agent.deletion(pool, force=True)
    again = await agent.new_pool("Winter")
    fates = (await agent.ok("add_voucher_codes", pool_id=again, codes=["A", "C"]))["data"]
    assert [fate["result"] for fate in fates] == ["added", "added"]


@pytest.mark.needs("delete_voucher_pool")
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        pytest.param(tool, arguments, marks=pytest.mark.needs(tool))
        for tool, arguments in (
            ("update_voucher_pool", {"name": "Autumn"}),
            ("assign_voucher_code", {"customer_id": "alice"}),
            ("add_voucher_codes", {"codes": ["B"]}),
            ("delete_voucher_codes", {"code_ids": ["A"]}),
        )
    ],
)
async def test_a_deleted_pool_takes_no_writes(agent: Agent, tool: str, arguments: dict[str, Any]) -> None:
    pool = await agent.new_pool(codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id=pool)
    await agent.refused("not_found", tool, pool_id=pool, **arguments)


@pytest.mark.needs("create_voucher_pool", "terms")
async def test_a_pool_without_a_template_is_refused_with_an_example(agent: Agent) -> None:
    nothing: tuple[object, ...] = (None, "", {}, "{}", {"type": None, "discount": {}})
    for voucher in nothing:
        answer = await agent.refused(
            "invalid_input", "create_voucher_pool", name="Summer", voucher=voucher, codes=["A"]
        )
        assert answer["field"] == "voucher"
        example = json.loads(answer["error"].split("such as ")[1].split(", or for")[0])
        assert await agent.data("list_voucher_pools") == []
    await agent.ok("create_voucher_pool", name="Summer", voucher=example, codes=["A"])


@pytest.mark.needs("create_voucher_pool", "terms", "redeem_vouchers")
@pytest.mark.parametrize("nothing", [{}, {"redemption": None}, {"redemption": {"quantity": None}}])
async def test_codes_of_a_discount_work_once_where_the_template_does_not_say(
    agent: Agent, nothing: dict[str, Any]
) -> None:
    template = {"discount": {"type": "PERCENT", "percent_off": 10}, **nothing}
    await agent.ok("create_voucher_pool", name="Summer", voucher=template, codes=["A"])
    assert (await agent.data("get_voucher", code="A"))["redemption"]["quantity"] == 1
    call = {"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": 1_000}}
    await agent.ok("redeem_vouchers", **call)
    await agent.refused("quantity_exceeded", "redeem_vouchers", **call)


@pytest.mark.needs("create_voucher_pool", "terms", "redeem_vouchers")
async def test_a_template_that_says_how_often_is_kept_and_a_gift_card_has_no_such_limit(agent: Agent) -> None:
    thrice = {"discount": {"type": "PERCENT", "percent_off": 10}, "redemption": {"quantity": 3}}
    await agent.ok("create_voucher_pool", name="Thrice", voucher=thrice, codes=["A"])
    await agent.ok("create_voucher_pool", name="Gifts", voucher={"gift": {"amount": 500}}, codes=["B"])
    assert (await agent.data("get_voucher", code="A"))["redemption"]["quantity"] == 3
    assert (await agent.data("get_voucher", code="B"))["redemption"].get("quantity") is None
