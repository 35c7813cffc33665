"""The pool tools over the vendor's three."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.bloomreach.conftest import CRM, backend_of
from tests.standins.bloomreach import Code, Odd, StandIn

SUMMER = "Summer"
UNTOLD = dict.fromkeys(("assigned", "redeemed", "active", "expiration_date"))
"""What Bloomreach does not say of a pool."""


@pytest.fixture
def summer(bloomreach: StandIn, shop: str) -> str:
    """The id of a pool of 30 codes, of which 5 are redeemed and 10 assigned."""
    return bloomreach.data.add_pool(shop, SUMMER, 30, assigned=10, redeemed=5, used_by=[{"id": "scenario"}])


def tools(bloomreach: StandIn) -> Sequence[str]:
    return [call.tool for call in bloomreach.calls]


async def test_pools_come_with_their_counts(agent: Agent, summer: str) -> None:
    answer = await agent.ok("list_voucher_pools")
    assert answer["data"] == [{"id": summer, "name": SUMMER, "total": 30, "available": 15, **UNTOLD}]
    assert answer["has_more"] is False


async def test_a_list_of_pools_serves_for_a_while(agent: Agent, summer: str, bloomreach: StandIn) -> None:
    for _ in range(3):
        await agent.ok("list_voucher_pools")
        await agent.ok("list_voucher_codes", pool_id=summer)
    assert tools(bloomreach).count("list_voucher_pools") == 1
    assert tools(bloomreach).count("list_voucher_codes") == 3


async def test_more_pools_than_an_answer_takes_are_paged_here(
    agent: Agent, shop: str, bloomreach: StandIn
) -> None:
    ids = [bloomreach.data.add_pool(shop, f"P{number}") for number in range(1_002)]
    first = await agent.ok("list_voucher_pools")
    rest = await agent.ok("list_voucher_pools", skip=1_000)
    assert [pool["id"] for pool in first["data"] + rest["data"]] == ids
    assert (len(first["data"]), first["has_more"], rest["has_more"]) == (1_000, True, False)


async def test_a_pool_is_named_by_id_or_exact_name(agent: Agent, summer: str) -> None:
    by_id, by_name = [await agent.pool(reference) for reference in (summer, SUMMER)]
    assert by_id == by_name
    assert by_id == {
        "id": summer,
        "name": SUMMER,
        "total": 30,
        "available": 15,
        **UNTOLD,
        "start_date": None,
        "company_id": CRM,
        "used_by": [{"id": "scenario"}],
    }
    refusal = await agent.refused("not_found", "get_voucher_pool", pool_id=SUMMER.lower())
    assert refusal["field"] == "pool_id"


async def test_a_pool_made_after_the_list_was_read_is_found(
    agent: Agent, summer: str, shop: str, bloomreach: StandIn
) -> None:
    await agent.ok("list_voucher_pools")
    winter = bloomreach.data.add_pool(shop, "Winter")
    assert (await agent.pool("Winter"))["id"] == winter


async def test_a_pool_that_was_made_anew_under_its_name_is_found_at_the_next_try(
    agent: Agent, summer: str, shop: str, bloomreach: StandIn
) -> None:
    await agent.ok("list_voucher_pools")
    del bloomreach.data.projects[shop].pools[summer]
    again = bloomreach.data.add_pool(shop, SUMMER)
    await agent.refused("not_found", "get_voucher_pool", pool_id=SUMMER)
    assert (await agent.pool(SUMMER))["id"] == again


async def test_codes_come_as_the_vendor_has_them(agent: Agent, summer: str, bloomreach: StandIn) -> None:
    answer = await agent.ok("list_voucher_codes", pool_id=SUMMER, skip=4, count=2)
    known = bloomreach.data.pool(*owner(bloomreach, summer)).codes[4:6]
    assert answer["data"] == [{**code.shown(), "id": None} for code in known]
    assert [code["status"] for code in answer["data"]] == ["redeemed", "assigned"]
    assert (answer["matched"], answer["matched_limited"], answer["skip"], answer["limit"]) == (
        30,
        False,
        4,
        2,
    )


async def test_what_the_vendor_does_not_count_is_null(agent: Agent, summer: str, bloomreach: StandIn) -> None:
    bloomreach.tools.counts_matches = False
    answer = await agent.ok("list_voucher_codes", pool_id=summer)
    assert (answer["matched"], answer["matched_limited"], len(answer["data"])) == (None, None, 20)


async def test_a_status_is_filtered_here(agent: Agent, summer: str) -> None:
    for status, number in (("available", 15), ("assigned", 10), ("redeemed", 5)):
        answer = await agent.ok("list_voucher_codes", pool_id=summer, status=status, skip=2, count=2)
        assert {code["status"] for code in answer["data"]} == {status}
        assert (answer["matched"], answer["matched_limited"], len(answer["data"])) == (number, False, 2)
    refusal = await agent.refused("invalid_input", "list_voucher_codes", pool_id=summer, status="used")
    assert refusal["field"] == "status"


async def test_codes_are_found_by_their_text(agent: Agent, summer: str, bloomreach: StandIn) -> None:
    wanted = ["SUMMER-000003", "SUMMER-000021", "none"]
    assert await agent.texts(summer, code_ids=wanted) == wanted[:2]
    assert await agent.texts(summer, code_ids=wanted, status="available") == ["SUMMER-000021"]


async def test_a_code_is_found_in_either_spelling_of_its_letters(
    agent: Agent, shop: str, bloomreach: StandIn
) -> None:
    apart, whole = "CAFE\u0301", "CAF\u00c9"
    pool = bloomreach.data.add_pool(shop, "Winter", codes=[Code(apart, "Assigned")])
    for spelling in (apart, whole):
        assert await agent.texts(pool, code_ids=[spelling], status="assigned") == [apart]


async def test_a_filter_looks_at_ten_thousand_codes_and_says_where_it_stopped(
    agent: Agent, shop: str, bloomreach: StandIn
) -> None:
    large = bloomreach.data.add_pool(shop, "Large", 10_001)
    answer = await agent.ok("list_voucher_codes", pool_id=large, status="available", count=1)
    assert (answer["matched"], answer["matched_limited"]) == (10_000, True)
    bloomreach.calls.clear()
    named = await agent.ok("list_voucher_codes", pool_id=large, code_ids=["LARGE-001500"])
    assert (named["matched"], named["matched_limited"]) == (1, False)
    assert tools(bloomreach) == ["list_voucher_codes"] * 2


async def test_a_pool_of_exactly_the_walks_length_is_no_guess(
    agent: Agent, shop: str, bloomreach: StandIn
) -> None:
    large = bloomreach.data.add_pool(shop, "Large", 10_000)
    bloomreach.tools.match_limit = 500  # a floor, which is no end
    answer = await agent.ok("list_voucher_codes", pool_id=large, status="available", count=1)
    assert answer["matched"] == 10_000
    bloomreach.tools.match_limit = None
    answer = await agent.ok("list_voucher_codes", pool_id=large, status="available", count=1)
    assert (answer["matched"], answer["matched_limited"]) == (10_000, False)


async def test_a_walk_that_the_vendor_ends_answers_what_was_found(
    agent: Agent, shop: str, bloomreach: StandIn
) -> None:
    large = bloomreach.data.add_pool(shop, "Large", 3_000)
    bloomreach.tools.deepest = 2_000
    answer = await agent.ok("list_voucher_codes", pool_id=large, status="available")
    assert (answer["matched"], answer["matched_limited"]) == (1_999, True)  # the pages overlap by one
    await agent.refused("upstream_error", "list_voucher_codes", pool_id=large, skip=2_000)


@pytest.mark.parametrize("field", ["updated_after", "updated_before"])
async def test_there_is_no_filter_by_the_time_of_a_change(agent: Agent, summer: str, field: str) -> None:
    refusal = await agent.refused(
        "unsupported", "list_voucher_codes", pool_id=summer, **{field: "2026-01-01"}
    )
    assert refusal["field"] == field


async def test_text_alone_is_read_as_well_as_structured_content(
    agent: Agent, summer: str, bloomreach: StandIn
) -> None:
    bloomreach.tools.structured = False
    assert (await agent.pool(SUMMER))["id"] == summer
    assert len(await agent.texts(summer)) == 30


async def test_new_and_missing_fields_are_survived(
    agent: Agent, summer: str, shop: str, bloomreach: StandIn
) -> None:
    pools: list[Any] = [{"id": "a"}, {"name": "no id"}, None, {"id": "b", "total": "5", "available": True}]
    bloomreach.fail(Odd({"success": True, "data": pools, "news": 1}), tool="list_voucher_pools")
    assert (await agent.ok("list_voucher_pools"))["data"] == [
        {"id": "a", "name": "a", "total": None, "available": None, **UNTOLD},
        {"id": "b", "name": "b", "total": None, "available": None, **UNTOLD},
    ]
    bloomreach.fail(Odd({"data": {"total": 7, "colour": "red", "used_by": "x"}}), tool="get_voucher_pool")
    whole = await agent.pool("a")
    assert (whole["id"], whole["total"], whole["colour"], whole["used_by"]) == ("a", 7, "red", [])
    rows: list[Any] = [{"code": "A"}, {"status": "available"}, 5, {"code": "B", "status": "paused", "x": 1}]
    bloomreach.fail(Odd({"success": True, "data": rows}), tool="list_voucher_codes")
    answer = await agent.ok("list_voucher_codes", pool_id="a", count=7)
    times = {"assigned_time": None, "redeemed_time": None, "id": None}
    assert answer["data"] == [
        {"code": "A", "status": "unknown", **times},
        {"code": "B", "status": "paused", "x": 1, **times},
    ]
    assert (answer["matched"], answer["skip"], answer["limit"]) == (None, 0, 7)


async def test_a_pool_that_vanishes_between_two_reads_is_not_found(
    agent: Agent, summer: str, bloomreach: StandIn
) -> None:
    bloomreach.fail(Odd({"success": True, "data": None, "error": None}), tool="get_voucher_pool")
    await agent.refused("not_found", "get_voucher_pool", pool_id=summer)


async def test_what_the_vendor_cannot_do_is_not_offered(agent: Agent) -> None:
    await agent.refused("unsupported", "create_voucher_pool", name="New")
    await agent.refused("unsupported", "get_voucher", code="A")


async def test_every_code_of_a_pool_can_be_exported(shop: str, bloomreach: StandIn) -> None:
    codes = [Code(f"C{number}", "available" if number % 2 else "redeemed") for number in range(2_500)]
    pool = bloomreach.data.add_pool(shop, "Large", codes=codes)
    async with backend_of(bloomreach, token=bloomreach.sign_in.issue()) as backend:
        texts = [code["code"] async for batch in backend.export_codes(pool, None) for code in batch]
        assert texts == [code.code for code in codes]
        used = [code["code"] async for batch in backend.export_codes(pool, "redeemed") for code in batch]
        assert len(used) == 1_250


def owner(bloomreach: StandIn, pool: str) -> tuple[str, str]:
    """The project of a pool, and the pool."""
    return next((project.id, pool) for project in bloomreach.data.projects.values() if pool in project.pools)
