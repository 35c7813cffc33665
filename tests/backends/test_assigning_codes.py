"""Handing out codes: the next available one, to one customer, once."""

from typing import Any

import anyio
import pytest
import time_machine

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("assign_voucher_code", "add_voucher_codes")

NOON = 1_780_315_200.0  # 2026-06-01T12:00:00Z


async def assign(agent: Agent, pool: str, customer: str = "alice", **more: Any) -> dict[str, Any]:
    answer = await agent.ok("assign_voucher_code", pool_id=pool, customer_id=customer, **more)
    data: dict[str, Any] = answer["data"]
    return data


async def test_codes_are_assigned_in_the_order_in_which_they_were_added(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["C", "A"])
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["B"])
    assert [(await assign(agent, pool))["code"] for _ in range(3)] == ["C", "A", "B"]


async def test_the_answer_says_all_that_there_is_to_know_of_the_assignment(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    with time_machine.travel(NOON, tick=False):
        assigned = await assign(agent, pool)
    code, other = await agent.codes(pool)
    assert isinstance(assigned.pop("redeemable_id"), str)
    assert assigned == {
        "code": "A",
        "id": code["id"],
        "pool_id": pool,
        "customer_id": "alice",
        "status": "assigned",
        "assigned_time": NOON,
    }
    assert (code["status"], other["status"]) == ("assigned", "available")
    await agent.expect_counts(pool, total=2, available=1)


async def test_a_customer_may_have_many_codes_of_a_pool(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    assert [(await assign(agent, pool))["code"] for _ in range(2)] == ["A", "B"]
    assert len({code["customer_id"] for code in await agent.codes(pool)}) == 1


@pytest.mark.parametrize("codes", [[], ["A"]])
async def test_a_pool_without_an_available_code_is_exhausted(agent: Agent, codes: list[str]) -> None:
    pool = await agent.new_pool(codes=codes)
    for _ in codes:
        await assign(agent, pool)
    before = await agent.codes(pool)
    await agent.refused("pool_exhausted", "assign_voucher_code", pool_id=pool, customer_id="bob")
    assert await agent.codes(pool) == before
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["B"])
    assert (await assign(agent, pool, "bob"))["code"] == "B"


@pytest.mark.needs("delete_voucher_codes")
async def test_deleted_codes_are_passed_over(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"])
    assert (await assign(agent, pool))["code"] == "B"


async def test_a_customer_is_whoever_the_caller_says(agent: Agent) -> None:
    customers = ["alice@example.com", "客户", "x" * 255, "0", "A/B c?#%v"]
    pool = await agent.new_pool(codes=["A", "B", "C", "D", "E"])
    for customer in customers:
        assigned = await assign(agent, pool, customer)
        assert assigned["customer_id"] == customer
        held = (await agent.ok("list_customer_redeemables", customer_id=customer))["data"]
        assert [one["redeemable"]["voucher"]["code"] for one in held] == [assigned["code"]]


async def test_a_customer_that_is_none_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    for customer in ("", "x" * 256, "a\nb", 7):
        answer = await agent.refused(
            "invalid_input", "assign_voucher_code", pool_id=pool, customer_id=customer
        )
        assert answer["field"] == "customer_id"
    assert (await agent.pool(pool))["available"] == 1


async def test_the_same_key_again_answers_the_same_code(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    call = {"pool_id": pool, "customer_id": "alice", "idempotency_key": "k1"}
    first = await agent.ok("assign_voucher_code", **call)
    again = await agent.ok("assign_voucher_code", **call)
    assert "replayed" not in first
    assert again == {**first, "replayed": True}
    assert await agent.texts(pool, status="assigned") == ["A"]


@pytest.mark.needs("delete_voucher_pool")
async def test_the_same_key_answers_the_same_even_when_the_world_has_changed(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
    first = await agent.ok("assign_voucher_code", **call)
    await agent.ok("delete_voucher_pool", pool_id=pool)
    again = await agent.ok("assign_voucher_code", **call)
    assert again == {**first, "replayed": True}


@pytest.mark.parametrize("other", [{"customer_id": "bob"}, {"pool_id": "Winter"}])
async def test_the_same_key_with_other_arguments_is_a_mismatch(agent: Agent, other: dict[str, str]) -> None:
    await agent.new_pool("Summer", codes=["A"])
    await agent.new_pool("Winter", codes=["B"])
    call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
    await agent.ok("assign_voucher_code", **call)
    answer = await agent.refused("idempotency_mismatch", "assign_voucher_code", **{**call, **other})
    assert answer["field"] == "idempotency_key"
    for pool, texts in (("Summer", ["A"]), ("Winter", [])):
        assert await agent.texts(pool, status="assigned") == texts


async def test_a_key_is_bound_to_its_tool_too(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    await assign(agent, pool, idempotency_key="k1")
    await agent.refused(
        "idempotency_mismatch", "add_voucher_codes", pool_id=pool, codes=["B"], idempotency_key="k1"
    )


async def test_a_call_without_a_key_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    answer = await agent.refused(
        "invalid_input", "assign_voucher_code", pool_id=pool, customer_id="alice", idempotency_key=""
    )
    assert answer["field"] == "idempotency_key"
    assert (await agent.pool(pool))["available"] == 1


async def test_a_failure_frees_its_key(agent: Agent) -> None:
    pool = await agent.new_pool()
    call = {"pool_id": pool, "customer_id": "alice", "idempotency_key": "k1"}
    await agent.refused("pool_exhausted", "assign_voucher_code", **call)
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["A"])
    assert (await agent.ok("assign_voucher_code", **call))["data"]["code"] == "A"


async def test_calls_at_the_same_time_get_different_codes(agent: Agent) -> None:
    pool = await agent.new_pool(generate={"count": 40})
    taken: list[str] = []

    async def take(number: int) -> None:
        taken.append((await assign(agent, pool, f"customer {number}"))["code"])

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(take, number)
    assert sorted(taken) == sorted(await agent.texts(pool))
    assert (await agent.pool(pool))["available"] == 0


async def test_calls_with_one_key_at_the_same_time_get_one_code(agent: Agent) -> None:
    pool = await agent.new_pool(generate={"count": 40})
    answers: list[dict[str, Any]] = []

    async def take() -> None:
        call = {"pool_id": pool, "customer_id": "alice", "idempotency_key": "k1"}
        answers.append(await agent.ok("assign_voucher_code", **call))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(take)
    assert len({answer["data"]["code"] for answer in answers}) == 1
    assert sum("replayed" not in answer for answer in answers) == 1
    assert (await agent.pool(pool))["available"] == 39
