"""Writes whose answer was lost: what is found out about them, and that nothing is written twice."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.mews import (
    BROKEN,
    DROP,
    HANG,
    TRUNCATED,
    Fault,
    StandIn,
    changed,
    envelope,
    page,
    refusal,
)
from tests.support import warrant
from voucher_mcp.backends.mews.adapter import MewsBackend
from voucher_mcp.domain.errors import OutcomeUnknown
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.domain.write import Write

LOST: list[Fault] = [HANG, DROP, BROKEN, TRUNCATED, page(), refusal(500, "Oh.")]


def writes(mews: StandIn, operation: str) -> int:
    return len(mews.asked(operation))


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_an_add_whose_answer_was_lost_is_looked_up(mews: StandIn, agent: Agent, fault: Fault) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(fault, path="voucherCodes/add", after_effect=True)
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"])
    assert (answer["added"], writes(mews, "voucherCodes/add")) == (2, 1)
    assert {fate["id"] for fate in answer["data"]} == set(mews.codes)


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_an_add_that_is_not_there_yet_is_unknown_and_a_repeat_finishes_it(
    mews: StandIn, agent: Agent, fault: Fault
) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "B", "C", "C", ""], "idempotency_key": "k1"}
    mews.fail(fault, path="voucherCodes/add", part=2)
    answer = await agent.call("add_voucher_codes", **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert "list_voucher_codes" in answer["error"]
    again = await agent.ok("add_voucher_codes", **call)
    assert [fate["result"] for fate in again["data"]] == ["added"] * 3 + ["duplicate", "invalid"]
    assert sorted(code["Value"] for code in mews.codes_of(pool)) == ["A", "B", "C"]
    assert (await agent.ok("add_voucher_codes", **call))["replayed"] is True


async def test_a_repeat_of_an_add_that_was_applied_writes_nothing(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "B"], "idempotency_key": "k1"}
    mews.fail(DROP, path="voucherCodes/add", after_effect=True)
    mews.fail(refusal(403), path="vouchers/getAll", passing=2)  # the look at once fails too
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    answer = await agent.ok("add_voucher_codes", **call)
    assert (answer["added"], writes(mews, "voucherCodes/add")) == (2, 1)


async def test_generated_codes_whose_answer_was_lost_are_not_made_twice(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    call: dict[str, Any] = {"pool_id": pool, "generate": {"count": 3}, "idempotency_key": "k1"}
    mews.fail(DROP, path="voucherCodes/add")
    for _ in range(2):
        assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert writes(mews, "voucherCodes/add") == 1


async def test_generated_codes_are_made_after_all_where_the_pool_is_still_empty(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "generate": {"count": 3}, "idempotency_key": "k1"}
    mews.fail(DROP, path="voucherCodes/add")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert (await agent.ok("add_voucher_codes", **call))["added"] == 3
    assert len(mews.values_of(pool)) == 3


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_a_new_pool_whose_answer_was_lost_is_known_by_our_name_for_it(
    mews: StandIn, agent: Agent, fault: Fault
) -> None:
    mews.fail(fault, path="vouchers/add", after_effect=True)
    shown = (await agent.ok("create_voucher_pool", name="Summer", codes=["A"]))["data"]
    assert (list(mews.vouchers), shown["added"]) == ([shown["id"]], 1)


async def test_a_pool_without_our_name_for_it_is_not_taken_for_the_new_one(
    mews: StandIn, agent: Agent
) -> None:
    winter = mews.add_voucher("Winter")
    call: dict[str, Any] = {"name": "Summer", "idempotency_key": "k1", "codes": ["A"]}
    mews.fail(refusal(500, "Oh."), path="vouchers/add")
    assert (await agent.call("create_voucher_pool", **call))["error_code"] == "outcome_unknown"
    shown = {"Vouchers": [mews.vouchers[winter].to_json()], "Cursor": None}
    mews.fail(envelope(shown), path="vouchers/getAll")
    pool = (await agent.ok("create_voucher_pool", **call))["data"]["id"]
    assert pool != winter
    assert (mews.values_of(winter), mews.values_of(pool)) == (set(), {"A"})


@pytest.mark.parametrize("form", [{"codes": ["A", "B"]}, {"generate": {"count": 2}}, {}])
async def test_a_repeated_creation_goes_on_where_the_first_ended(
    mews: StandIn, agent: Agent, form: dict[str, Any]
) -> None:
    call: dict[str, Any] = {"name": "Summer", "idempotency_key": "k1", **form}
    mews.fail(DROP, path="vouchers/add", after_effect=True)
    mews.fail(refusal(403), path="vouchers/getAll", passing=1 + ("codes" in form or "generate" in form))
    assert (await agent.call("create_voucher_pool", **call))["error_code"] == "outcome_unknown"
    shown = (await agent.ok("create_voucher_pool", **call))["data"]
    assert list(mews.vouchers) == [shown["id"]]
    assert len(mews.values_of(shown["id"])) == shown["total"] == (2 if form else 0)


async def test_a_repeated_creation_knows_generated_codes_by_their_number(mews: StandIn, agent: Agent) -> None:
    call: dict[str, Any] = {"name": "Summer", "idempotency_key": "k1", "generate": {"count": 4}}
    mews.fail(DROP, path="voucherCodes/add", after_effect=True)
    mews.fail(refusal(403), path="vouchers/getAll", passing=2)
    answer = await agent.call("create_voucher_pool", **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    shown = (await agent.ok("create_voucher_pool", **call))["data"]
    assert (shown["total"], shown["added"], writes(mews, "voucherCodes/add")) == (4, 4, 1)


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize(
    ("tool", "operation", "arguments"),
    [
        ("update_voucher_pool", "vouchers/update", {"name": "Autumn"}),
        ("delete_voucher_pool", "vouchers/delete", {}),
        ("delete_voucher_codes", "voucherCodes/delete", {"code_ids": ["A"]}),
    ],
)
async def test_other_writes_whose_answer_was_lost_are_looked_up_or_repeated(
    mews: StandIn, agent: Agent, fault: Fault, tool: str, operation: str, arguments: dict[str, Any]
) -> None:
    mews.add_voucher("Summer", codes=["A", "B"])
    mews.add_voucher("Winter", codes=["A", "B"])
    mews.fail(fault, path=operation, after_effect=True)
    assert (await agent.ok(tool, pool_id="Summer", **arguments))["data"]
    assert writes(mews, operation) == 1
    call = {"pool_id": "Winter", "idempotency_key": "k1", **arguments}
    call |= {"name": "Spring"} if "name" in call else {}
    mews.fail(fault, path=operation)
    answer = await agent.call(tool, **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert (await agent.ok(tool, **call))["data"]
    assert writes(mews, operation) == 3


@pytest.mark.parametrize(
    ("tool", "arguments", "operation", "kind", "passing"),
    [
        ("delete_voucher_pool", {}, "vouchers", "Vouchers", 1),
        ("delete_voucher_codes", {"code_ids": ["A"]}, "voucherCodes", "VoucherCodes", 1),
    ],
)
@pytest.mark.parametrize("shown", [None, [], [{}], [None]], ids=str)
async def test_what_is_not_shown_is_not_taken_for_deleted(
    mews: StandIn,
    agent: Agent,
    tool: str,
    arguments: dict[str, Any],
    operation: str,
    kind: str,
    passing: int,
    shown: Any,
) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    call = {"pool_id": pool, "idempotency_key": "k1", **arguments}
    mews.fail(refusal(500, "Oh."), path=f"/{operation}/delete")
    mews.fail(envelope({kind: shown}), path=f"/{operation}/getAll", passing=passing)
    answer = await agent.call(tool, **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert mews.vouchers[pool].active
    assert mews.values_of(pool) == {"A"}
    assert (await agent.ok(tool, **call))["data"]["deleted"] == 1
    assert writes(mews, f"{operation}/delete") == 2


@pytest.mark.parametrize(
    ("method", "arguments", "operation"),
    [
        ("delete_voucher_pool", {"pool_id": "Summer"}, "vouchers"),
        ("delete_voucher_codes", {"pool_id": "Winter", "code_ids": ["A"]}, "voucherCodes"),
    ],
)
async def test_what_has_vanished_since_an_earlier_try_stays_unknown(
    mews: StandIn, adapter: MewsBackend, method: str, arguments: dict[str, Any], operation: str
) -> None:
    mews.add_voucher("Winter", codes=["B"])
    recovering = Write(method, "", "tester", "k1", reference="r1", recovering=True)
    with pytest.raises(OutcomeUnknown):
        await getattr(adapter, method)(recovering, **arguments)
    assert writes(mews, f"{operation}/delete") == 0


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("update_voucher_pool", {"pool_id": "Summer", "name": "Autumn"}),
        ("delete_voucher_pool", {"pool_id": "Summer"}),
        ("delete_voucher_codes", {"pool_id": "Winter", "code_ids": ["A", "B"]}),
    ],
)
async def test_what_an_earlier_try_did_is_answered_and_not_done_again(
    mews: StandIn, adapter: MewsBackend, method: str, arguments: dict[str, Any]
) -> None:
    mews.add_voucher("Summer")
    mews.add_voucher("Winter", codes=["A", "B"])
    first = await getattr(adapter, method)(warrant(method), **arguments)
    before = len(mews.requests)
    recovering = Write(method, "", "tester", "k1", reference="r1", recovering=True)
    again = await getattr(adapter, method)(recovering, **arguments)
    assert {**again.data, "updated_time": 0} == {**first.data, "updated_time": 0}
    assert all(request.operation.endswith("/getAll") for request in mews.requests[before:])


async def test_what_cannot_be_looked_through_stays_unknown(mews: StandIn, adapter: MewsBackend) -> None:
    pool = mews.add_voucher("Large", codes=["DEEP", *(f"CODE-{number}" for number in range(20_000))])
    recovering = Write("add_voucher_codes", "", "tester", "k1", reference="r1", recovering=True)
    with pytest.raises(OutcomeUnknown):
        await adapter.add_voucher_codes(recovering, pool, [NewCode("DEEP"), NewCode("NEW")])
    with pytest.raises(OutcomeUnknown):
        await adapter.delete_voucher_codes(recovering, pool, ["DEEP"])
    assert writes(mews, "voucherCodes/add") == writes(mews, "voucherCodes/delete") == 0


async def test_a_repeated_creation_does_not_take_a_pool_that_cannot_be_told_for_none(
    mews: StandIn, agent: Agent
) -> None:
    def nameless(answer: Any) -> Any:
        return {**answer, "Vouchers": [{**voucher, "Id": None} for voucher in answer["Vouchers"]]}

    call = {"name": "Summer", "idempotency_key": "k1"}
    mews.fail(refusal(500, "Oh."), path="vouchers/add", after_effect=True)
    mews.fail(refusal(403), path="vouchers/getAll", passing=1)
    assert (await agent.call("create_voucher_pool", **call))["error_code"] == "outcome_unknown"
    mews.fail(changed(nameless), path="vouchers/getAll", times=2)
    for _ in range(2):
        assert not (await agent.call("create_voucher_pool", **call))["success"]
    assert (await agent.ok("create_voucher_pool", **call))["data"]["id"] in mews.vouchers
    assert writes(mews, "vouchers/add") == 1


async def test_a_repeat_does_not_bring_back_a_code_that_was_deleted_since(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "B"], "idempotency_key": "k1"}
    mews.fail(refusal(500), path="voucherCodes/add", after_effect=True)
    mews.fail(refusal(403), path="vouchers/getAll", passing=2)
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"])
    answer = await agent.call("add_voucher_codes", **call)
    assert answer["error_code"] == "outcome_unknown"
    assert "deleted since" in answer["error"]
    assert mews.values_of(pool) == {"B"}


@pytest.mark.parametrize(
    ("tool", "operation", "arguments"),
    [
        ("create_voucher_pool", "vouchers/add", {"name": "Autumn"}),
        ("update_voucher_pool", "vouchers/update", {"pool_id": "Summer", "name": "Autumn"}),
        ("delete_voucher_pool", "vouchers/delete", {"pool_id": "Summer"}),
    ],
)
async def test_a_write_that_mews_gave_up_is_looked_up_too(
    mews: StandIn, agent: Agent, tool: str, operation: str, arguments: dict[str, Any]
) -> None:
    mews.add_voucher("Summer")
    mews.fail(refusal(408), path=operation)
    assert (await agent.call(tool, **arguments))["error_code"] == "outcome_unknown"
    mews.fail(refusal(408), path=operation, after_effect=True)
    await agent.ok(tool, **arguments)
    assert writes(mews, operation) == 2


def ends(mews: StandIn, pool: str, *codes: str) -> Fault:
    """The real answer to a read, right after which Mews ends the request that it gave up."""

    def late(answer: Any) -> Any:
        mews.add_codes(pool, codes)
        return answer

    return changed(late)


async def test_what_arrives_late_is_waited_for_and_not_written_again(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "B"], "idempotency_key": "k1"}
    mews.fail(refusal(408), path="voucherCodes/add")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    mews.fail(ends(mews, pool, "A", "B"), path="vouchers/getAll", passing=2)
    answer = await agent.ok("add_voucher_codes", **call)
    assert (answer["added"], writes(mews, "voucherCodes/add")) == (2, 1)
    assert sorted(code["Value"] for code in mews.codes_of(pool)) == ["A", "B"]


async def test_while_mews_is_still_at_work_a_repeat_writes_nothing(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "B"], "idempotency_key": "k1"}
    mews.fail(refusal(408), path="voucherCodes/add")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    mews.fail(ends(mews, pool, "A"), path="vouchers/getAll", passing=2)
    answer = await agent.call("add_voucher_codes", **call)
    assert (answer["error_code"], answer["retryable"]) == ("outcome_unknown", True)
    assert answer["retry_after"] > 0
    assert writes(mews, "voucherCodes/add") == 1
    assert (await agent.ok("add_voucher_codes", **call))["added"] == 2
    assert sorted(code["Value"] for code in mews.codes_of(pool)) == ["A", "B"]


async def test_a_pool_that_arrives_late_is_not_made_twice(mews: StandIn, agent: Agent) -> None:
    call: dict[str, Any] = {"name": "Summer", "codes": ["A"], "idempotency_key": "k1"}
    mews.fail(refusal(408), path="vouchers/add")
    assert (await agent.call("create_voucher_pool", **call))["error_code"] == "outcome_unknown"
    reference = mews.asked("vouchers/add")[0].json["VoucherParameters"][0]["ExternalIdentifier"]

    def late(answer: Any) -> Any:
        mews.add_voucher("Summer", external_identifier=reference)
        return answer

    mews.fail(changed(late), path="vouchers/getAll")
    shown = (await agent.ok("create_voucher_pool", **call))["data"]
    assert (list(mews.vouchers), shown["added"]) == ([shown["id"]], 1)
    assert writes(mews, "vouchers/add") == 1


async def test_generated_codes_that_arrive_late_are_not_made_twice(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    call: dict[str, Any] = {"pool_id": pool, "generate": {"count": 2}, "idempotency_key": "k1"}
    mews.fail(refusal(408), path="voucherCodes/add")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    mews.fail(ends(mews, pool, "A", "B"), path="voucherCodes/getAll")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert writes(mews, "voucherCodes/add") == 1


async def test_a_repeat_goes_in_smaller_requests(mews: StandIn, agent: Agent) -> None:
    mews.largest_write = 100
    pool = mews.add_voucher("Summer")
    codes = [f"CODE-{number}" for number in range(250)]
    call: dict[str, Any] = {"pool_id": pool, "codes": codes, "idempotency_key": "k1"}
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert (await agent.ok("add_voucher_codes", **call))["added"] == 250
    sizes = [len(request.json["VoucherCodeParameters"]) for request in mews.asked("voucherCodes/add")]
    assert sizes == [250, 100, 100, 50]


async def test_pieces_that_were_added_before_the_loss_are_told_and_kept(mews: StandIn, agent: Agent) -> None:
    call: dict[str, Any] = {"name": "Summer", "generate": {"count": 2_500}, "idempotency_key": "k1"}
    mews.fail(refusal(408), path="voucherCodes/add", passing=2)
    answer = await agent.call("create_voucher_pool", **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert "2,000 of 2,500 codes were added" in answer["error"]
    assert writes(mews, "voucherCodes/add") == 3
    again = await agent.call("create_voucher_pool", **call)
    assert again["error_code"] == "outcome_unknown"
    assert "2,000 of 2,500" in again["error"]
    assert (len(mews.codes), writes(mews, "voucherCodes/add"), len(mews.vouchers)) == (2_000, 3, 1)


async def test_a_repeat_tells_codes_that_were_there_before_from_its_own(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    mews.add_codes(pool, ["OLD"], created="2026-01-01T00:00:00Z")
    call: dict[str, Any] = {"pool_id": pool, "codes": ["OLD", "A"], "idempotency_key": "k1"}
    mews.fail(DROP, path="voucherCodes/add")
    assert (await agent.call("add_voucher_codes", **call))["error_code"] == "outcome_unknown"
    answer = await agent.ok("add_voucher_codes", **call)
    assert [(fate["code"], fate["result"]) for fate in answer["data"]] == [
        ("OLD", "duplicate"),
        ("A", "added"),
    ]


async def test_a_repeated_deletion_keeps_an_older_code_of_the_same_text(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    old, new = mews.add_codes(pool, ["A", "A"])
    call: dict[str, Any] = {"pool_id": pool, "code_ids": ["A"], "idempotency_key": "k1"}
    mews.fail(refusal(408), path="voucherCodes/delete", after_effect=True)
    mews.fail(refusal(403), path="voucherCodes/getAll", passing=1)  # the look at once fails
    assert (await agent.call("delete_voucher_codes", **call))["error_code"] == "outcome_unknown"
    assert (await agent.ok("delete_voucher_codes", **call))["data"]["ids"] == [new]
    assert mews.codes[old].active
    assert writes(mews, "voucherCodes/delete") == 1
