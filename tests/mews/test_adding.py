"""Adding codes on Mews: each with its fate, in batches that it can bear, and none twice."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.mews import StandIn, changed, envelope, raw, refusal


def fates(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fate["code"], fate["result"]) for fate in answer["data"]]


def batches(mews: StandIn) -> list[int]:
    return [len(request.json["VoucherCodeParameters"]) for request in mews.asked("voucherCodes/add")]


async def test_each_code_has_its_fate(mews: StandIn, agent: Agent) -> None:
    mews.add_voucher("Winter", codes=["B"])
    pool = mews.add_voucher("Summer", codes=["A"])
    codes = [
        "A",
        "B",
        "C",
        {"value": "D", "valid_from": "2026-06-01", "valid_until": 1.9e9},
        "C",
        "",
        "x" * 129,
    ]
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=codes)
    assert fates(answer)[:-1] == [
        ("A", "duplicate"),
        ("B", "duplicate"),
        ("C", "added"),
        ("D", "added"),
        ("C", "duplicate"),
        ("", "invalid"),
    ]
    assert (answer["data"][-1]["result"], answer["added"], answer["rejected"]) == ("invalid", 2, 5)
    ids = {fate["id"]: fate["code"] for fate in answer["data"] if fate["result"] == "added"}
    assert {code_id: mews.codes[code_id].value for code_id in ids} == ids
    (added,) = mews.asked("voucherCodes/add")
    assert added.json["VoucherCodeParameters"] == [
        {"VoucherId": pool, "Value": "C"},
        {
            "VoucherId": pool,
            "Value": "D",
            "ValidityStartUtc": "2026-06-01T00:00:00Z",
            "ValidityEndUtc": "2030-03-17T17:46:40Z",
        },
    ]


async def test_codes_are_not_added_while_those_there_cannot_be_read(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    for operation, kind in (("voucherCodes", "VoucherCodes"), ("vouchers", "Vouchers")):
        passing = 1 if kind == "Vouchers" else 0  # the pool itself is found first
        mews.fail(envelope({kind: None}), path=f"/{operation}/getAll", passing=passing)
        await agent.refused("upstream_error", "add_voucher_codes", pool_id=pool, codes=["A"])
    mews.fail(envelope({"VoucherCodes": [{"Id": None, "Value": "A"}]}), path="voucherCodes/getAll")
    await agent.refused("conflict", "add_voucher_codes", pool_id=pool, codes=["A"])
    assert [code["Value"] for code in mews.codes_of(pool)] == ["A"]


async def test_where_nothing_is_left_to_add_nothing_is_sent(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", ""])
    assert (answer["added"], answer["rejected"], batches(mews)) == (0, 2, [])


async def test_the_text_of_a_deleted_code_or_pool_is_free_again(mews: StandIn, agent: Agent) -> None:
    mews.add_voucher("Old", codes=["B"], active=False)
    pool = mews.add_voucher("Summer")
    mews.add_codes(pool, ["A"], active=False)
    assert (await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"]))["added"] == 2


async def test_codes_of_a_pool_too_large_to_look_through_are_not_added_on_a_guess(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Large", codes=["DEEP", *(f"CODE-{number}" for number in range(20_000))])
    await agent.refused("conflict", "add_voucher_codes", pool_id=pool, codes=["DEEP", "NEW"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["NEW"])
    assert answer["added"] == 1


async def test_a_thousand_codes_go_in_one_request(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    codes = [f"CODE-{number}" for number in range(1_000)]
    assert (await agent.ok("add_voucher_codes", pool_id=pool, codes=codes))["added"] == 1_000
    assert batches(mews) == [1_000]


async def test_generated_codes_go_in_batches_of_a_thousand(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    form = {"count": 2_500, "prefix": "S-", "length": 10}
    answer = await agent.ok("add_voucher_codes", pool_id=pool, generate=form)
    assert (answer["added"], answer["rejected"], len(answer["data"])) == (2_500, 0, 100)
    assert batches(mews) == [1_000, 1_000, 500]
    assert {fate["code"] for fate in answer["data"]} < mews.values_of(pool)


async def test_the_last_codes_of_a_form_are_found(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"{number:02d}" for number in range(90)])
    form = {"count": 10, "length": 2, "charset": "numbers"}
    assert (await agent.ok("add_voucher_codes", pool_id=pool, generate=form))["added"] == 10
    assert len(mews.values_of(pool)) == 100


async def test_where_all_codes_of_a_form_are_taken_none_is_made(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"{number:02d}" for number in range(99)])
    form = {"count": 2, "length": 2, "charset": "numbers"}
    answer = await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, generate=form)
    assert (answer["field"], batches(mews)) == ("generate", [])


async def test_more_generated_codes_than_a_call_has_time_for_are_refused(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    form = {"count": 5_001}
    for tool, arguments in (("add_voucher_codes", {"pool_id": pool}), ("create_voucher_pool", {"name": "X"})):
        answer = await agent.refused("invalid_input", tool, **arguments, generate=form)
        assert answer["field"] == "generate.count"
    assert mews.asked("vouchers/add") == mews.asked("voucherCodes/add") == []


@pytest.mark.parametrize("part", [0, 3])
async def test_a_batch_that_mews_gave_up_is_unknown_and_not_sent_again(
    mews: StandIn, agent: Agent, part: int
) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(refusal(408, "Too slow."), path="voucherCodes/add", part=part)
    call = {"pool_id": pool, "codes": list("ABCDEFG"), "idempotency_key": "k"}
    answer = await agent.call("add_voucher_codes", **call)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert len(batches(mews)) == 1
    await agent.refused("idempotency_mismatch", "add_voucher_codes", **{**call, "codes": ["Z"]})


async def test_a_batch_that_mews_gave_up_and_yet_added_is_not_added_again(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(refusal(408, "Too slow."), path="voucherCodes/add", after_effect=True)
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=list("ABCDEFG"))
    assert (answer["added"], len(batches(mews))) == (7, 1)
    assert sorted(code["Value"] for code in mews.codes_of(pool)) == list("ABCDEFG")


async def test_a_failure_after_some_batches_says_how_many_were_added(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(refusal(403, "Enough."), path="voucherCodes/add", passing=1)
    answer = await agent.call("add_voucher_codes", pool_id=pool, generate={"count": 1_500})
    assert (answer["error_code"], answer["applied"]) == ("forbidden", "partly")
    assert "1,000 of 1,500 codes were added" in answer["error"]
    assert '"Enough."' in answer["error"]
    assert len(mews.values_of(pool)) == 1_000


async def test_a_pool_whose_codes_fail_says_that_it_is_there(mews: StandIn, agent: Agent) -> None:
    mews.fail(refusal(403, "No codes today."), path="voucherCodes/add")
    answer = await agent.call("create_voucher_pool", name="Summer", codes=["A"])
    assert (answer["error_code"], answer["applied"]) == ("forbidden", "partly")
    (pool,) = mews.vouchers
    assert pool in answer["error"]


async def test_an_answer_without_the_codes_is_looked_up(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(envelope({"VoucherCodes": None}), path="voucherCodes/add", after_effect=True)
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"])
    assert fates(answer) == [("A", "added"), ("B", "added")]
    assert {fate["id"] for fate in answer["data"]} == set(mews.codes)


async def test_an_empty_answer_to_a_write_is_taken_for_a_success(mews: StandIn, agent: Agent) -> None:
    for operation in ("vouchers/add", "voucherCodes/add", "vouchers/update", "voucherCodes/delete"):
        mews.fail(raw(b"", 204), path=operation, after_effect=True)
    shown = (await agent.ok("create_voucher_pool", name="Summer", codes=["A", "B"]))["data"]
    assert (shown["added"], mews.values_of(shown["id"])) == (2, {"A", "B"})
    await agent.ok("update_voucher_pool", pool_id="Summer", name="Autumn")
    await agent.ok("delete_voucher_codes", pool_id="Autumn", code_ids=["A"])
    assert mews.values_of(shown["id"]) == {"B"}


async def test_an_answer_of_a_part_leaves_the_rest_unadded(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    mews.fail(envelope({"VoucherCodes": []}), path="voucherCodes/add", part=1)
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"])
    assert fates(answer) == [("A", "added"), ("B", "invalid")]
    assert (answer["added"], answer["rejected"]) == (1, 1)


async def test_codes_are_added_where_mews_minds_duplicates_itself(mews: StandIn, agent: Agent) -> None:
    mews.refuse_duplicates = True
    pool = mews.add_voucher("Summer", codes=["A"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B", "B"])
    assert [result for _, result in fates(answer)] == ["duplicate", "added", "duplicate"]


@pytest.mark.parametrize("references", [["id"], ["text"], ["id", "text"]])
async def test_codes_are_deleted_by_id_or_text(mews: StandIn, agent: Agent, references: list[str]) -> None:
    pool = mews.add_voucher("Summer")
    a, b, _ = mews.add_codes(pool, ["A", "B", "C"])
    named = {"id": [a, b], "text": ["A", "B"]}
    code_ids = [name for kind in references for name in named[kind]]
    answer = await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=code_ids)
    assert answer["data"] == {"deleted": 2, "ids": [a, b], "freed": True}
    assert mews.values_of(pool) == {"C"}


async def test_one_that_is_not_of_the_pool_keeps_all(mews: StandIn, agent: Agent) -> None:
    pool, other = mews.add_voucher("Summer", codes=["A"]), mews.add_voucher("Winter")
    (strange,) = mews.add_codes(other, ["B"])
    (gone,) = mews.add_codes(pool, ["GONE"], active=False)
    for reference in ("B", strange, "NONE", gone, "GONE"):
        answer = await agent.refused(
            "invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["A", reference]
        )
        assert answer["field"] == "code_ids"
    assert mews.asked("voucherCodes/delete") == []


async def test_of_equal_texts_the_newest_active_code_is_deleted(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    old, new = mews.add_codes(pool, ["A", "A"])
    mews.add_codes(pool, ["A"], active=False)
    assert (await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"]))["data"]["ids"] == [new]
    assert mews.codes[old].active


async def test_a_code_too_deep_in_its_pool_is_deleted_by_id_alone(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Large")
    (deep,) = mews.add_codes(pool, ["DEEP"])
    mews.add_codes(pool, [f"CODE-{number}" for number in range(20_000)])
    answer = await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=["DEEP"])
    assert "Give ids" in answer["error"]
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=[deep])
    assert not mews.codes[deep].active


async def test_a_deletion_that_mews_gave_up_is_unknown_and_not_sent_again(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    ids = mews.add_codes(pool, ["A", "B"])
    mews.fail(refusal(408, "Too slow."), path="voucherCodes/delete")
    answer = await agent.call("delete_voucher_codes", pool_id=pool, code_ids=ids)
    assert (answer["error_code"], answer["applied"]) == ("outcome_unknown", "unknown")
    assert len(mews.asked("voucherCodes/delete")) == 1


async def test_nothing_is_added_while_a_service_that_may_have_the_code_cannot_be_told(
    mews: StandIn, agent: Agent
) -> None:
    other = mews.add_service("Other")
    pool = mews.add_voucher("Summer")
    mews.add_voucher("Winter", service_id=other, codes=["TAKEN"])

    def blind(answer: Any) -> Any:
        ids = [
            {**service, "Id": None if service["Id"] == other else service["Id"]}
            for service in answer["Services"]
        ]
        return {**answer, "Services": ids}

    mews.fail(changed(blind), path="services/getAll")
    await agent.refused("unavailable", "add_voucher_codes", pool_id=pool, codes=["TAKEN"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["TAKEN"])
    assert fates(answer) == [("TAKEN", "duplicate")]
