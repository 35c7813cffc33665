"""Answers that the documents do not foresee: none of them is taken for a success that it is not."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.bloomreach.conftest import backend_of
from tests.standins.bloomreach import Odd, StandIn, Status
from voucher_mcp.domain.errors import Unavailable, VoucherError

TIMES = {"assigned_time": None, "redeemed_time": None}
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def pool(bloomreach: StandIn, shop: str) -> str:
    """A pool to read."""
    return bloomreach.data.add_pool(shop, "Summer", 3)


ODD: list[Any] = [
    {"success": "false", "data": []},
    {"success": 0, "data": []},
    {"success": "true", "data": []},
    {"success": True},
    {"success": True, "data": None},
    {"success": True, "data": {"items": []}},
    {"success": True, "data": ["Summer"]},
    {"success": True, "data": "[]"},
    {"result": {"success": True, "data": []}},
]


@pytest.mark.parametrize("content", ODD)
async def test_a_list_that_is_none_cannot_be_read(
    agent: Agent, bloomreach: StandIn, pool: str, content: Any
) -> None:
    for tool, arguments in (
        ("list_voucher_pools", {}),
        ("get_voucher_pool", {"pool_id": pool}),
        ("list_voucher_codes", {"pool_id": pool}),
    ):
        bloomreach.fail(Odd(content), tool="list_voucher_pools")
        await agent.refused("upstream_error", tool, **arguments)
    await agent.ok("list_voucher_pools")
    bloomreach.fail(Odd(content), tool="list_voucher_codes")
    await agent.refused("upstream_error", "list_voucher_codes", pool_id=pool)


@pytest.mark.parametrize("tool", ["list_cloud_organizations", "list_projects"])
async def test_a_project_is_not_said_to_be_missing_where_the_list_cannot_be_read(
    agent: Agent, bloomreach: StandIn, tool: str
) -> None:
    bloomreach.fail(Odd({"success": True, "data": None}), tool=tool)
    await agent.refused("upstream_error", "list_voucher_pools")


@pytest.mark.parametrize("content", [{"success": True}, {"success": "no", "data": {}}, {"data": []}])
async def test_a_pool_that_is_none_cannot_be_read(
    agent: Agent, bloomreach: StandIn, pool: str, content: Any
) -> None:
    bloomreach.fail(Odd(content), tool="get_voucher_pool")
    await agent.refused("upstream_error", "get_voucher_pool", pool_id=pool)


async def test_an_error_in_the_place_of_the_data_is_a_failure(
    agent: Agent, bloomreach: StandIn, pool: str
) -> None:
    bloomreach.fail(Odd({"data": None, "error": "Permission denied"}), tool="get_voucher_pool")
    await agent.refused("forbidden", "get_voucher_pool", pool_id=pool)


@pytest.mark.parametrize("success", [{}, {"success": None}])
async def test_an_answer_that_does_not_say_success_is_read_all_the_same(
    agent: Agent, bloomreach: StandIn, success: Any
) -> None:
    bloomreach.fail(Odd({**success, "data": [{"id": "a"}]}), tool="list_voucher_pools")
    assert [pool["id"] for pool in (await agent.ok("list_voucher_pools"))["data"]] == ["a"]


@pytest.mark.parametrize("body", [b'{"jsonrpc": "2.0", "secret": "CODE-1"}', b'{"CODE-1', b'["CODE-1"]'])
@pytest.mark.parametrize("first", [True, False])
async def test_nothing_of_an_answer_that_cannot_be_parsed_is_repeated(
    agent: Agent, bloomreach: StandIn, pool: str, body: bytes, first: bool
) -> None:
    if first:
        bloomreach.fail(Status(200, body, JSON), path="/mcp", times=10)
    else:
        await agent.ok("list_voucher_pools")
        bloomreach.fail(Status(200, body, JSON), tool="list_voucher_codes")
    refusal = await agent.refused("upstream_error", "list_voucher_codes", pool_id=pool)
    for word in ("CODE-1", "validation error", "input_value", "pydantic", "parse"):
        assert word not in refusal["error"]
    assert "cannot be read" in refusal["error"]


async def test_what_is_no_text_is_no_code_no_id_and_no_name(
    agent: Agent, bloomreach: StandIn, pool: str
) -> None:
    codes: list[Any] = [{"code": code} for code in ({"a": 1}, ["A"], True, 1.5, None, "", "A", 12)]
    codes.append({"code": "B", "status": {"is": "used"}, "assigned_time": "today", "metadata": "x"})
    bloomreach.fail(Odd({"data": codes}), tool="list_voucher_codes")
    answer = await agent.ok("list_voucher_codes", pool_id=pool)
    assert answer["data"] == [
        {"code": code, "status": "unknown", "id": None, **TIMES} for code in ("A", "12", "B")
    ]
    pools: list[Any] = [
        {"id": {"a": 1}},
        {"id": True},
        {"id": "P", "name": ["x"]},
        {"id": 7, "name": "S"},
    ]
    bloomreach.fail(Odd({"data": pools}), tool="list_voucher_pools")
    await agent.refused("not_found", "get_voucher_pool", pool_id="makes the list be read again")
    listed = (await agent.ok("list_voucher_pools"))["data"]
    assert [(one["id"], one["name"]) for one in listed] == [("P", "P"), ("7", "S")]


def page(*codes: str, **beside: Any) -> Odd:
    return Odd({"success": True, "data": [{"code": code} for code in codes], **beside})


async def exported(bloomreach: StandIn, pool: str) -> list[str]:
    async with backend_of(bloomreach, token=bloomreach.sign_in.issue()) as backend:
        try:
            return [code["code"] async for batch in backend.export_codes(pool, None) for code in batch]
        except VoucherError as error:
            failure = error
    raise failure


async def test_pages_that_are_shorter_than_asked_for_are_not_the_end_where_more_is_counted(
    bloomreach: StandIn, pool: str
) -> None:
    for codes in ("AB", "BCD", "DE"):
        bloomreach.fail(page(*codes, matched=5), tool="list_voucher_codes")
    assert await exported(bloomreach, pool) == ["A", "B", "C", "D", "E"]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (page("B", matched=3), "no more than the first 2 rows"),
        (page(matched=3), "changed"),
        (page("A", "B", matched=9), "changed"),
        (page("B", "A", matched=9), "changed"),
    ],
)
async def test_an_export_that_the_vendor_does_not_let_end_is_none(
    bloomreach: StandIn, pool: str, second: Odd, why: str
) -> None:
    for fault in (page("A", "B", matched=3), second) * 2:
        bloomreach.fail(fault, tool="list_voucher_codes")
    with pytest.raises(Unavailable, match=why):
        await exported(bloomreach, pool)
    bloomreach.calls.clear()
    assert len(await exported(bloomreach, pool)) == 3


async def test_a_filter_says_that_there_may_be_more_where_the_vendor_gives_less_than_it_counts(
    agent: Agent, bloomreach: StandIn, pool: str
) -> None:
    for fault in (page("A", matched=3), page("A", matched=3)) * 2:
        bloomreach.fail(fault, tool="list_voucher_codes")
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["A", "B"])
    assert (answer["matched"], answer["matched_limited"]) == (1, True)


async def test_an_export_of_rows_that_are_no_codes_ends(bloomreach: StandIn, pool: str) -> None:
    rows = Odd({"data": [{"value": "X"}] * 1_000, "matched": 1_000, "matched_limited": True})
    bloomreach.fail(rows, tool="list_voucher_codes", times=5)
    with pytest.raises(Unavailable, match="no more than the first"):
        await exported(bloomreach, pool)


async def test_a_code_that_stands_twice_in_one_answer_is_shown_once(
    agent: Agent, bloomreach: StandIn, pool: str
) -> None:
    bloomreach.fail(Odd({"data": [{"code": "A"}, {"code": "A"}, {"code": "B"}]}), tool="list_voucher_codes")
    assert await agent.texts(pool) == ["A", "B"]
