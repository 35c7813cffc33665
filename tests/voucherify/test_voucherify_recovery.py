"""A write whose answer is lost, and the same call again."""

from typing import Any

import pytest

from tests.backends.agent import Agent, Envelope
from tests.standins.voucherify import StandIn, faults


async def lost(agent: Agent, shop: StandIn, request: str, tool: str, **arguments: Any) -> Envelope:
    """The envelope of a call whose `request` (method and a part of the path) takes effect, and whose answer
    does not arrive."""
    method, path = request.split()
    shop.fail(faults.drop(), method=method, path=path, after_effect=True)
    envelope = await agent.call(tool, **arguments)
    assert envelope["error_code"] == "outcome_unknown", envelope
    assert envelope["applied"] == "unknown"
    return envelope


def fates(answer: Envelope) -> dict[str, str]:
    return {fate["code"]: fate["result"] for fate in answer["data"]}


def writes(shop: StandIn) -> int:
    return sum(request.method != "GET" for request in shop.requests)


async def test_codes_that_were_there_before_are_still_duplicates_after_a_lost_answer(
    agent: Agent, shop: StandIn
) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"])
    shop.add_voucher("ELSEWHERE")
    call = {"pool_id": pool, "codes": ["D", "A", "ELSEWHERE"], "idempotency_key": "k"}
    # the first request is refused because of A: the one of the codes that are left loses its answer
    shop.fail(faults.decorated(lambda body: body), path="/import")
    await lost(agent, shop, "POST /import", "add_voucher_codes", **call)
    before = writes(shop)
    again = await agent.ok("add_voucher_codes", **call)
    assert fates(again) == {"D": "added", "A": "duplicate", "ELSEWHERE": "duplicate"}
    assert (again["added"], again["rejected"]) == (1, 2)
    assert again["data"][0]["id"] == shop.state.voucher("D")["id"]
    assert writes(shop) == before


@pytest.mark.parametrize("count", [2, 150])
async def test_codes_that_were_all_new_are_added_by_the_try_whose_answer_was_lost(
    agent: Agent, shop: StandIn, count: int
) -> None:
    pool = await agent.new_pool(codes=["A"])
    codes = [f"CODE-{number}" for number in range(count)]
    call = {"pool_id": pool, "codes": codes, "idempotency_key": "k"}
    await lost(agent, shop, "POST /import", "add_voucher_codes", **call)
    before = writes(shop)
    again = await agent.ok("add_voucher_codes", **call)
    assert (again["added"], again["rejected"]) == (count, 0)
    assert all(fate["id"] for fate in again["data"])
    assert writes(shop) == before


async def test_codes_that_never_arrived_are_added_by_the_repeat(agent: Agent, shop: StandIn) -> None:
    pool = await agent.new_pool(codes=["A"])
    call = {"pool_id": pool, "codes": ["D", "A"], "idempotency_key": "k"}
    shop.fail(faults.drop(), path="/import")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert fates(await agent.ok("add_voucher_codes", **call)) == {"D": "added", "A": "duplicate"}


async def test_where_it_cannot_be_told_who_added_the_codes_the_outcome_stays_unknown(
    agent: Agent, shop: StandIn
) -> None:
    pool = await agent.new_pool()
    call = {"pool_id": pool, "codes": ["A", "B"], "idempotency_key": "k"}
    shop.fail(faults.drop(), path="/import")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["B"])
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "C"])
    before = writes(shop)
    again = await agent.call("add_voucher_codes", **call)
    assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
    assert "list_voucher_codes" in again["error"]
    assert writes(shop) == before


async def test_an_import_that_is_still_running_is_waited_for_before_the_codes_are_looked_at(
    agent: Agent, shop: StandIn
) -> None:
    pool = await agent.new_pool(codes=["A"])
    shop.state.polls = 2
    call = {"pool_id": pool, "codes": ["B", "C"], "idempotency_key": "k"}
    await lost(agent, shop, "POST /import", "add_voucher_codes", **call)
    before = writes(shop)
    assert fates(await agent.ok("add_voucher_codes", **call)) == {"B": "added", "C": "added"}
    assert writes(shop) == before


async def test_codes_that_may_have_been_added_singly_are_not_called_duplicates(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("BIN")
    await agent.ok("delete_voucher", code="BIN")
    pool = await agent.new_pool()
    call = {"pool_id": pool, "codes": ["BIN", "B", "C"], "idempotency_key": "k"}
    await lost(agent, shop, "POST /vouchers/C", "add_voucher_codes", **call)
    again = await agent.call("add_voucher_codes", **call)
    assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
    assert "2 of 3 codes" in again["error"]
    assert await agent.texts(pool) == ["B", "C"]


@pytest.mark.parametrize("named_by", ["code", "id"])
async def test_a_deletion_found_out_afterwards_answers_ids_only(
    agent: Agent, shop: StandIn, named_by: str
) -> None:
    pool = await agent.new_pool(codes=["A"])
    name = shop.state.voucher("A")[named_by]
    call = {"pool_id": pool, "code_ids": [name], "idempotency_key": "k"}
    await lost(agent, shop, "DELETE /vouchers/", "delete_voucher_codes", **call)
    ids = [name] if named_by == "id" else []
    assert await agent.data("delete_voucher_codes", **call) == {"deleted": 1, "ids": ids, "freed": False}


async def test_a_deleted_voucher_or_pool_is_answered_by_its_id_or_not_at_all(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("A")
    call = {"code": "A", "idempotency_key": "k1"}
    await lost(agent, shop, "DELETE /vouchers/A", "delete_voucher", **call)
    assert await agent.data("delete_voucher", **call) == {"deleted": 1, "ids": [], "freed": False}
    pool = await agent.new_pool("Summer")
    call = {"pool_id": pool, "idempotency_key": "k2"}
    await lost(agent, shop, "DELETE /campaigns/", "delete_voucher_pool", **call)
    shop.finish_jobs()
    assert await agent.data("delete_voucher_pool", **call) == {"deleted": 1, "ids": [pool], "freed": False}


@pytest.mark.parametrize(
    ("tool", "call"),
    [
        ("delete_voucher", {"code": "A"}),
        ("delete_voucher_codes", {"pool_id": "Summer", "code_ids": ["A"]}),
        ("delete_voucher_pool", {"pool_id": "Summer"}),
    ],
)
async def test_a_404_that_is_not_the_vendors_does_not_prove_that_something_is_gone(
    agent: Agent, shop: StandIn, tool: str, call: dict[str, Any]
) -> None:
    await agent.new_pool("Summer", codes=["A"])
    call = {**call, "idempotency_key": "k"}
    shop.fail(faults.drop(), method="DELETE")
    assert (await agent.call(tool, **call))["error_code"] == "outcome_unknown"
    shop.fail(faults.html_page(404), path="/campaigns/" if tool == "delete_voucher_pool" else "/vouchers/A")
    again = await agent.call(tool, **call)
    assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
    await agent.ok(tool, **call)
    assert "A" not in shop.state.vouchers


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("change", [{"clear": ["metadata"]}, {"metadata": {"x": None}}])
@pytest.mark.parametrize("applied", [True, False])
async def test_metadata_is_removed_after_a_lost_answer_too(
    agent: Agent, shop: StandIn, mode: Any, change: Any, applied: bool
) -> None:
    shop.state.metadata_mode = mode
    shop.add_voucher("A", metadata={"x": 1})
    call = {"code": "A", **change, "idempotency_key": "k"}
    shop.fail(faults.drop(), method="PUT", after_effect=applied)
    assert (await agent.call("update_voucher", **call))["error_code"] == "outcome_unknown"
    assert not (await agent.data("update_voucher", **call)).get("metadata")


GIFT = {"code": "J", "gift": {"amount": 500}}


@pytest.mark.parametrize(
    ("path", "tool", "arguments"),
    [
        ("/importCSV", "import_vouchers_using_csv", {"csv": "Code,Voucher Type,Value\nX,GIFT_VOUCHER,5\n"}),
        ("/bulk/async", "update_vouchers_in_bulk", {"vouchers": [{"code": "A", "metadata": {"x": 1}}]}),
        ("/metadata/async", "update_vouchers_metadata_in_bulk", {"codes": ["A"], "metadata": {"x": 1}}),
        ("/v1/vouchers", "generate_random_code", {"gift": {"amount": 5}}),
        ("/vouchers", "add_voucher_codes", {"pool_id": "Summer", "generate": {"count": 2}}),
    ],
)
async def test_what_no_repeat_finds_out_about_does_not_promise_it(
    agent: Agent, shop: StandIn, path: str, tool: str, arguments: dict[str, Any]
) -> None:
    await agent.new_pool("Summer")
    call = {**arguments, "idempotency_key": "k"}
    first = await lost(agent, shop, f"POST {path}", tool, **call)
    before = writes(shop)
    again = await agent.call(tool, **call)
    assert again["error_code"] == "outcome_unknown"
    assert writes(shop) == before
    for envelope in (first, again):
        assert "finds out by itself" not in envelope["error"]
        assert "neither finds out nor sends it again" in envelope["error"]


async def test_a_lost_import_is_sent_again_only_while_none_of_its_codes_is_there(
    agent: Agent, shop: StandIn
) -> None:
    call = {"vouchers": [GIFT], "idempotency_key": "k"}
    first = await lost(agent, shop, "POST /vouchers/import", "import_vouchers", **call)
    assert "only while it finds none of them" in first["error"]
    shop.finish_jobs()
    before = writes(shop)
    assert (await agent.call("import_vouchers", **call))["error_code"] == "outcome_unknown"
    assert writes(shop) == before


async def test_a_lost_export_is_simply_begun_again(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("CARD", gift={"amount": 5})
    call = {"code": "CARD", "idempotency_key": "k"}
    first = await lost(agent, shop, "POST /export", "export_voucher_transactions", **call)
    assert "begun again" in first["error"]
    assert (await agent.data("export_voucher_transactions", **call))["status"] == "SCHEDULED"
